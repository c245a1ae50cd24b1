"""Weather warnings into the node: from a file, a drop folder, a polled address or the API; bad ones to dead letters."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from hazwatch.access import dead_letters
from hazwatch.alarms.settings import place
from hazwatch.app.node import clock
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import ROOT, SYSTEM, Principal
from hazwatch.records.engine import Sessions, reading
from hazwatch.risk import book as risk
from hazwatch.settings import Settings
from hazwatch.vocabulary.faults import DeadLetter
from hazwatch.vocabulary.moments import Clock
from hazwatch.warnings import weather, weather_book
from hazwatch.warnings.weather import Bad, Signal

_log = logging.getLogger(__name__)
LINK = "weather"
_FOLDER_EVERY_S = 2.0
_TIMEOUT_S, _CONNECT_S = 10.0, 5.0
#: One text field of a declared record.
_LONGEST = 200


class Weather:
    """Takes messages in.

    Args:
        sessions: of the records.
        now: the clock.
    """

    def __init__(self, sessions: Sessions, now: Clock = clock) -> None:
        self._sessions = sessions
        self._clock = now
        self._risk = risk.Desk(sessions, now, self._path, lambda _: True, lambda: None)
        self._desk = weather_book.Desk(sessions, self._declare, self._withdraw)

    def _path(self, who: Principal, code: str) -> str:
        with reading(self._sessions) as session:
            return place(session, who, code)[0]

    def _declare(self, who: Principal, area: str, signal: Signal) -> list[int]:
        """For the risk terms of what it concerns in the area: the colour; of 雷电 also the condition."""
        body = {"colour": signal.colour.word, "text": signal.title[:_LONGEST], "signal": signal.kind}
        made = [("weather", body)]
        if signal.kind == "lightning":
            made.append(("condition", {"condition": "lightning", "note": signal.title[:_LONGEST]}))
        return [
            int(risk.declare(self._risk, who, risk.NewRecord(area, kind, body, signal.begin, signal.end))["id"])
            for kind, body in made
        ]

    def _withdraw(self, who: Principal, numbers: Sequence[int], why: str) -> None:
        for number in numbers:
            try:
                risk.withdraw(self._risk, who, number, why)
            except ApiError as error:
                # It is over by itself, or somebody took it back by hand: nothing is left to take back.
                _log.info("weather record %d: %s", number, error)

    def take_in(self, who: Principal, message: bytes, origin: str) -> weather_book.Taken:
        """Take one message in; whatever is refused becomes a dead letter with its reason."""
        now = self._clock()
        found = weather.read(message, now)
        taken = weather_book.take_in(self._desk, who, found.signals, origin, now)
        taken.bad = [*found.bad, *taken.bad]
        self.refuse(taken.bad, who.scope)
        return taken

    def refuse(self, bad: Sequence[Bad], path: str = ROOT) -> None:
        """Keep what was refused where a person can see it."""
        if bad:
            letters = [DeadLetter(LINK, b.reason, b.detail, self._clock(), excerpt=b.excerpt) for b in bad]
            dead_letters.keep(self._sessions, letters, lambda _: path)


class WeatherSources:
    """The drop folder and the polled address of a node. Both are off unless they are set."""

    def __init__(self, settings: Settings, sessions: Sessions, changed: Callable[[], Awaitable[None]]) -> None:
        self._weather = Weather(sessions)
        self._settings = settings
        self._changed = changed
        self._seen = b""

    async def run(self) -> None:
        """Look for messages until cancelled."""
        await asyncio.gather(self._folder(), self._poll())

    async def _take(self, message: bytes, origin: str) -> bool:
        taken = await asyncio.to_thread(self._weather.take_in, SYSTEM, message, origin)
        if taken.new or taken.over:
            await self._changed()
        return not taken.bad

    async def _folder(self) -> None:
        folder = self._settings.weather_folder
        while folder is not None:
            try:
                files = sorted(await asyncio.to_thread(_waiting, folder))
            except OSError as error:
                _log.warning("weather folder: %s", error)
                files = []
            for file in files:
                await self._take_file(file)
            await asyncio.sleep(_FOLDER_EVERY_S)

    async def _take_file(self, file: Path) -> None:
        """Take one file in. Whatever is wrong with it, those behind it have their turn; it is tried again."""
        try:
            message = await asyncio.to_thread(_head, file)
            good = await self._take(message, f"文件 {file.name}")
            await asyncio.to_thread(_put_away, file, "done" if good else "refused")
        except OSError as error:
            _log.warning("weather file %s: %s", file.name, error)
        except Exception:  # noqa: BLE001  # as said
            _log.exception("weather file %s: trying again", file.name)

    async def _poll(self) -> None:
        url = self._settings.weather_url
        if not url:
            return
        import httpx

        while True:
            try:
                message = await _fetch(url)
                if message != self._seen:
                    await self._take(message, url)
                    self._seen = message
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                _log.warning("weather source: %s", error)
            except Exception:  # noqa: BLE001  # the source is asked again
                _log.exception("weather source: trying again")
            await asyncio.sleep(self._settings.weather_every_s)


def _waiting(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return [f for f in folder.iterdir() if f.suffix.lower() in (".json", ".xml") and f.is_file() and not f.is_symlink()]


def _head(file: Path) -> bytes:
    """A file, or as much of it as shows that it is too large."""
    with file.open("rb") as opened:
        return opened.read(weather.LARGEST + 1)


def _put_away(file: Path, where: str) -> None:
    target = file.parent / where
    target.mkdir(exist_ok=True)
    file.replace(target / file.name)


async def _fetch(url: str) -> bytes:
    """What an address says, no more than is taken in. Redirects are not followed."""
    import httpx

    timeout = httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S)
    async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client, client.stream("GET", url) as got:
        got.raise_for_status()
        message = b""
        async for part in got.aiter_bytes():
            message += part
            if len(message) > weather.LARGEST:
                break
        return message
