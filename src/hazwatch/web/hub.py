"""The live stream's hub: what the node tells goes to every page whose scope it lies in.

A page that cannot keep up is closed by the rule ``slow_page``: when 500 events wait for it, it is told so (``shed``)
and its stream ends; it comes back and reloads its lists, so it never shows a picture with holes in it. Nobody waits
for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from hazwatch.log.client import Log
from hazwatch.stream import packed, wire
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
        wanted: dense indices of points whose values are asked for.
    """

    scope: str
    wanted: frozenset[int] = frozenset()
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(_QUEUE))
    closed: bool = False

    def put(self, event: bytes) -> None:
        """Hand over an event, or give the page up."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.closed = True


class Audience:
    """Who hears what: pages by the point they asked for and by their scope, so that an event costs only its hearers."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self._by_point: dict[int, set[Client]] = {}
        self._by_scope: dict[str, set[Client]] = {}
        self._asked = np.zeros(0, np.bool_)

    def add(self, client: Client) -> None:
        """A page opens."""
        self.clients.add(client)
        self._by_scope.setdefault(client.scope, set()).add(client)
        for point in client.wanted:
            self._by_point.setdefault(point, set()).add(client)
        top = max(client.wanted, default=-1) + 1
        if top > len(self._asked):
            self._asked = np.concatenate([self._asked, np.zeros(top - len(self._asked), np.bool_)])
        self._asked[list(client.wanted)] = True

    def discard(self, client: Client) -> None:
        """A page is gone."""
        if client not in self.clients:
            return
        self.clients.discard(client)
        _drop(self._by_scope, client.scope, client)
        for point in client.wanted:
            _drop(self._by_point, point, client)
            self._asked[point] = point in self._by_point

    def asked(self, points: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of some points anybody asked for."""
        known = points < len(self._asked)
        return known & self._asked[np.where(known, points, 0)] if len(self._asked) else known

    def of_point(self, point: int) -> Iterable[Client]:
        """Pages that asked for a point."""
        return self._by_point.get(point, ())

    def of_path(self, path: str) -> Iterator[Client]:
        """Pages whose scope something at this path lies in: scopes are its prefixes that end in a slash."""
        at = path.find("/")
        while at >= 0:
            yield from self._by_scope.get(path[: at + 1], ())
            at = path.find("/", at + 1)


_Key = TypeVar("_Key")


def _drop(table: dict[_Key, set[Client]], key: _Key, client: Client) -> None:
    clients = table.get(key, set())
    clients.discard(client)
    if not clients:
        table.pop(key, None)


class Hub:
    """Listens to the node and fans out."""

    def __init__(self, log: Log, mirror: Mirror, places: Places, clock: Clock) -> None:
        self._log = log
        self._mirror = mirror
        self._places = places
        self._clock = clock
        self.audience = Audience()
        #: Pages that were given up because they did not read; see ``slow_page``.
        self.shed = 0

    async def begin(self) -> None:
        """Listen first, then load, so that nothing falls between."""
        await self._log.listen(wire.SUBJECT_VALUES, self._values)
        await self._log.listen(wire.SUBJECT_ALARMS, self._alarms)
        await self._log.listen(wire.SUBJECT_GRADES, self._grades)
        await self._log.listen(wire.SUBJECT_WARNINGS, self._warnings)
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
            for client in self.audience.clients:
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
            "backlog": mirror.beat.get("backlog", {}),
            "intake": mirror.intake,
            "history": {"waiting": mirror.beat.get("waiting", 0), "fault": mirror.beat.get("history", "")},
            "disk": mirror.disk,
            "log": "ok" if self._log.connected else "down",
            "engine": "ok" if mirror.engine_up else "down",
            "access": "ok" if mirror.access_up else "down",
        }

    async def _values(self, data: bytes) -> None:
        rows = packed.unpack(data)
        self._mirror.take_values(rows)
        told: dict[Client, list[orjson.Fragment]] = {}
        for row in rows[self.audience.asked(rows["point"])]:
            text = orjson.Fragment(orjson.dumps(self._value(row)))
            for client in self.audience.of_point(int(row["point"])):
                told.setdefault(client, []).append(text)
        for client, texts in told.items():
            client.put(_event("values", texts))

    def _value(self, row: np.void) -> list[Any]:
        value = float(row["value"])
        return [
            self._places.code(int(row["point"])), None if np.isnan(value) else value, int(row["quality"]),
            int(row["ts"]), int(row["received"]), _LEVELS[int(row["level"])],
        ]  # fmt: skip

    async def _alarms(self, data: bytes) -> None:
        told: dict[Client, list[dict[str, Any]]] = {}
        for one in orjson.loads(data):
            for client in self.audience.of_path(one["path"]):
                told.setdefault(client, []).append(one["alarm"])
        for client, mine in told.items():
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
            self._send("grade", told["path"], told["grade"])
            self._mirror.take_grade(told)

    async def _warnings(self, data: bytes) -> None:
        for told in orjson.loads(data):
            self._send("warning", told["path"], told["warning"])

    def slips(self, told: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Slips that something happened to, with the paths where they lie: one event for each page."""
        mine: dict[Client, list[dict[str, Any]]] = {}
        for path, slip in told:
            for client in self.audience.of_path(path):
                mine.setdefault(client, []).append(slip)
        for client, slips in mine.items():
            client.put(_event("slips", {"count": len(slips), "items": slips[:_ALONE]}))

    async def _links(self, data: bytes) -> None:
        told = orjson.loads(data)
        before = self._mirror.links
        fresh = {row["code"]: row for row in told["links"]}
        self._mirror.links = fresh if told["whole"] else before | fresh
        self._mirror.intake = told["intake"]
        self._mirror.links_at = self._clock()
        for code, row in fresh.items():
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
        for client in self.audience.of_path(path):
            client.put(event)

    async def stream(
        self, client: Client, hello: dict[str, Any], welcome: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[bytes]:
        """The events of one page until it leaves, is given up, or is no longer ``welcome`` (signed out, revoked)."""
        self.audience.add(client)
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
            self.shed += 1
            yield _event("shed", {"rule": "slow_page", "waiting": _QUEUE})
        finally:
            self.audience.discard(client)


_LEVELS = {-2: "LL", -1: "L", 0: "normal", 1: "H", 2: "HH"}


def _event(name: str, data: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
