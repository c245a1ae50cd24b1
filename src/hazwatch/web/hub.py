"""The live stream's hub: what the node tells goes to every page whose scope it lies in.

A page that cannot keep up is closed by rule (its queue is full); it comes back and reloads its lists, so it never shows
a picture with holes in it. Nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from hazwatch.log.client import Log
from hazwatch.stream import wire
from hazwatch.vocabulary.moments import Clock, iso
from hazwatch.web.mirror import Mirror
from hazwatch.web.places import Places

_QUEUE = 500
#: Alarms of one message that are told one by one; more are told together.
_ALONE = 20
_BEAT_S = 2.0
#: How often a page's session or token is looked at again. A beat every two seconds keeps the loop turning.
_ASK_AGAIN_MS = 10_000


@dataclass(eq=False, slots=True)
class Client:
    """One open page.

    Attributes:
        scope: path of the node it may see.
        wanted: True where a point's values are asked for, bool[P].
    """

    scope: str
    wanted: NDArray[np.bool_]
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(_QUEUE))
    closed: bool = False

    def put(self, event: bytes) -> None:
        """Hand over an event, or give the page up."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.closed = True

    def sees(self, path: str) -> bool:
        """Whether something at this path lies in the scope."""
        return path.startswith(self.scope)


class Hub:
    """Listens to the node and fans out."""

    def __init__(self, log: Log, mirror: Mirror, places: Places, clock: Clock) -> None:
        self._log = log
        self._mirror = mirror
        self._places = places
        self._clock = clock
        self.clients: set[Client] = set()

    async def begin(self) -> None:
        """Listen first, then load, so that nothing falls between."""
        await self._log.listen(wire.SUBJECT_VALUES, self._values)
        await self._log.listen(wire.SUBJECT_ALARMS, self._alarms)
        await self._log.listen(wire.SUBJECT_GRADES, self._grades)
        await self._log.listen(wire.SUBJECT_LINKS, self._links)
        await self._log.listen(wire.SUBJECT_BEAT, self._beat)
        await self._log.listen(wire.SUBJECT_REGISTRY, self._registry)
        await self._places.load()
        await asyncio.gather(*(self._mirror.load(share) for share in self._mirror.engines.shares))

    @property
    def simulated(self) -> bool:
        """Whether anything on this node is simulated."""
        return self._places.simulated

    async def beats(self) -> None:
        """Every two seconds, tell every page how far we are."""
        while True:
            await asyncio.sleep(_BEAT_S)
            event = _event("beat", self.beat())
            for client in self.clients:
                client.put(event)

    def beat(self) -> dict[str, Any]:
        """How far we are."""
        mirror = self._mirror
        judged = mirror.beat.get("judged_to", 0)
        return {
            "server_time": iso(self._clock()),
            "judged_to": iso(judged) if judged else None,
            "lag_ms": mirror.beat.get("lag_ms", 0),
            "alarm_seq": mirror.beat.get("alarm_seq", 0),
            "log": "ok" if self._log.connected else "down",
            "engine": "ok" if mirror.engine_up else "down",
            "access": "ok" if mirror.access_up else "down",
        }

    async def _values(self, data: bytes) -> None:
        rows = wire.unpack(data)
        self._mirror.take_values(rows)
        for client in self.clients:
            known = rows["point"] < len(client.wanted)
            mine = rows[known & client.wanted[np.where(known, rows["point"], 0)]] if len(client.wanted) else rows[:0]
            if len(mine):
                client.put(_event("values", [self._value(row) for row in mine]))

    def _value(self, row: np.void) -> list[Any]:
        value = float(row["value"])
        return [
            self._places.code(int(row["point"])), None if np.isnan(value) else value, int(row["quality"]),
            int(row["ts"]), int(row["received"]), _LEVELS[int(row["level"])],
        ]  # fmt: skip

    async def _alarms(self, data: bytes) -> None:
        told = orjson.loads(data)
        for client in self.clients:
            mine = [one["alarm"] for one in told if client.sees(one["path"])]
            if len(mine) <= _ALONE:
                for alarm in mine:
                    client.put(_event("alarm", alarm))
            else:
                # A flood: the page is told how much there is and asks for what it shows.
                mine.sort(key=lambda alarm: (alarm["priority"], alarm["seq"]))
                seq = max(alarm["seq"] for alarm in mine)
                client.put(_event("alarms", {"count": len(mine), "seq": seq, "items": mine[:_ALONE]}))

    async def _grades(self, data: bytes) -> None:
        for told in orjson.loads(data):
            self._mirror.grades[told["grade"]["code"]] = told
            self._send("grade", told["path"], told["grade"])

    async def _links(self, data: bytes) -> None:
        before = self._mirror.links
        self._mirror.links = {row["code"]: row for row in orjson.loads(data)}
        self._mirror.links_at = self._clock()
        for code, row in self._mirror.links.items():
            if row["state"] != before.get(code, {}).get("state"):
                self._send("link", self._places.path(row["enterprise"]), self._places.link(row))

    async def _beat(self, data: bytes) -> None:
        share = self._mirror.take_beat(orjson.loads(data))
        if share is not None:
            await self._mirror.load(share)

    async def _registry(self, _: bytes) -> None:
        await self._places.load()

    def _send(self, name: str, path: str, data: Any) -> None:
        event = _event(name, data)
        for client in self.clients:
            if client.sees(path):
                client.put(event)

    async def stream(
        self, client: Client, hello: dict[str, Any], welcome: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[bytes]:
        """The events of one page until it leaves, is given up, or is no longer ``welcome`` (signed out, revoked)."""
        self.clients.add(client)
        asked = self._clock()
        try:
            yield _event("hello", hello)
            yield _event("beat", self.beat())
            while not client.closed:
                if self._clock() - asked > _ASK_AGAIN_MS:
                    asked = self._clock()
                    if not await asyncio.to_thread(welcome):
                        return
                parts = [await client.queue.get()]
                while not client.queue.empty():
                    parts.append(client.queue.get_nowait())
                yield b"".join(parts)
        finally:
            self.clients.discard(client)


_LEVELS = {-2: "LL", -1: "L", 0: "normal", 1: "H", 2: "HH"}


def _event(name: str, data: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
