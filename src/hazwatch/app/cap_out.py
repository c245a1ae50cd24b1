"""CAP 1.2 messages of warnings to one address (webhook), each in its order, at least once. Off unless it is set."""

from __future__ import annotations

import asyncio
import logging
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from hazwatch.documents.cap import document
from hazwatch.identity.model import SYSTEM
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.settings import Settings
from hazwatch.warnings import cap
from hazwatch.warnings.queries import cap_messages
from hazwatch.warnings.tables import WarningEvent, WarningOffset

_log = logging.getLogger(__name__)
_NAME = "cap"
_TIMEOUT_S, _CONNECT_S = 10.0, 5.0
_EVERY_S, _LONGEST_PAUSE_S = 1.0, 300.0
#: Answers that say that this message will never be taken: it is passed over, with a line in the log.
_NEVER = frozenset({400, 409, 413, 415, 422})
_DEEDS = [deed.value for deed in cap.TOLD]


class CapOut:
    """The loop; runs in one engine of a node only."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._url = settings.cap_webhook
        self._sender = settings.cap_sender
        self._zone = ZoneInfo(settings.zone)
        self._sessions = sessions
        token = settings.home / "secrets" / "cap.token"
        self._headers = {"Content-Type": "application/cap+xml"}
        if token.exists():
            self._headers["Authorization"] = f"Bearer {token.read_text(encoding='utf-8').strip()}"

    async def run(self) -> None:
        """Send what is new until cancelled; what is not taken is tried again, and what comes after it waits."""
        pause = _EVERY_S
        while self._url:
            try:
                pause = _EVERY_S if await self.step() else min(_LONGEST_PAUSE_S, 2 * pause)
            except Exception:  # noqa: BLE001  # whatever is wrong with it, the node goes on
                _log.exception("CAP webhook: trying again")
                pause = min(_LONGEST_PAUSE_S, 2 * pause)
            await asyncio.sleep(pause)

    async def step(self) -> bool:
        """Send everything that waits; False when the service did not take a message."""
        import httpx

        timeout = httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S)
        async with httpx.AsyncClient(timeout=timeout, headers=self._headers, follow_redirects=False) as client:
            while (found := await asyncio.to_thread(self._next)) is not None:
                number, message = found
                try:
                    answer = await client.post(self._url, content=message)
                except httpx.HTTPError as error:
                    _log.warning("CAP webhook: %s", error)
                    return False
                if not answer.is_success and answer.status_code not in _NEVER:
                    _log.warning("CAP webhook answered %d", answer.status_code)
                    return False
                if not answer.is_success:
                    _log.error("CAP webhook refused the message of event %d: %d", number, answer.status_code)
                await asyncio.to_thread(self._done, number)
        return True

    def _next(self) -> tuple[int, bytes] | None:
        """The next event that nobody was told of, and its message. Before the first start lies history."""
        with reading(self._sessions) as session:
            seq = session.scalar(select(WarningOffset.seq).where(WarningOffset.name == _NAME))
            # scope: node-internal because the address gets the warnings of the whole node
            newest = session.scalar(select(func.max(WarningEvent.id))) or 0
        if seq is None:
            with unit_of_work(self._sessions) as session:
                session.add(WarningOffset(name=_NAME, seq=newest))
            return None
        with reading(self._sessions) as session:
            # scope: node-internal because the address gets the warnings of the whole node
            event = session.execute(
                select(WarningEvent.id, WarningEvent.warning)
                .where(WarningEvent.id > seq, WarningEvent.deed.in_(_DEEDS))
                .order_by(WarningEvent.id)
                .limit(1)
            ).first()
            if event is None:
                return None
            (message,) = cap_messages(session, SYSTEM, self._sender, event.warning, event.id)
        return event.id, document(message, self._zone)

    def _done(self, number: int) -> None:
        with unit_of_work(self._sessions) as session:
            session.execute(update(WarningOffset).where(WarningOffset.name == _NAME).values(seq=number))
