"""What happened to slips, told to the pages: the chain of steps is the log, whoever wrote it.

Engine, web processes and command line all write steps, numbered without gaps in the order of their commits. So reading
after a number misses nothing and needs no message from any of them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from sqlalchemy import select

from hazwatch.records.engine import Sessions, reading
from hazwatch.slips.tables import SlipHead, SlipStep
from hazwatch.web.hub import Hub

_EVERY_S = 1.0
_AT_ONCE = 2_000
_log = logging.getLogger(__name__)
#: Where something happened, and what.
Told = tuple[str, dict[str, Any]]


class SlipNews:
    """Follows the chain from now on."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._seq: int | None = None

    async def run(self, hub: Hub) -> None:
        """Tell pages until cancelled."""
        while True:
            try:
                told = await asyncio.to_thread(self.next)
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001  # pages still ask by themselves now and then
                _log.exception("slips: pages are not told")
                await asyncio.sleep(10 * _EVERY_S)
            else:
                hub.slips(told)
            await asyncio.sleep(_EVERY_S)

    def next(self) -> list[Told]:
        """The newest step of each slip since the last call; the first call only finds out where the chain ends."""
        with reading(self._sessions) as session:
            length = session.scalars(select(SlipHead.length)).one()
            if self._seq is None or length <= self._seq:
                # Shorter than it was: the records were restored from a copy.
                self._seq = length
                return []
            # scope: node-internal because the hub gives each page only what lies in its scope
            rows = session.execute(
                select(SlipStep.id, SlipStep.slip, SlipStep.number, SlipStep.action, SlipStep.after, SlipStep.path)
                .where(SlipStep.id > self._seq)
                .order_by(SlipStep.id)
                .limit(_AT_ONCE)
            ).all()
        self._seq = rows[-1].id if rows else length
        newest = {r.slip: r for r in rows}
        return [
            (r.path, {"id": r.slip, "number": r.number, "action": r.action, "state": r.after}) for r in newest.values()
        ]
