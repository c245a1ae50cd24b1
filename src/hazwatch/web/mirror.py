"""What the web process knows by heart: latest values, grades, links, how far the engine is.

It is filled from the engine at the start (and again whenever the engine comes back) and kept up to date by what the
engine and the access process tell. A page therefore never waits for the engine to show a list.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from hazwatch.access.port import BY_EXCEPTION
from hazwatch.disk import Space, room
from hazwatch.log.client import RpcError
from hazwatch.log.shares import Share
from hazwatch.registry.queries import PointView
from hazwatch.stream import packed, wire
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import Clock, iso
from hazwatch.vocabulary.quality import Quality
from hazwatch.web.engines import Engines
from hazwatch.web.places import Places

_log = logging.getLogger(__name__)
_PART = 100_000
_GRADES = 2_000
#: The engine beats once a second; silence longer than this means that it is down.
ENGINE_SILENCE_MS = 5_000
_DAY_S = 86_400
#: Figures of a beat that add up over the engines of all shares.
_ADDED = ("samples", "late", "older", "duplicates", "frames_twice", "damaged", "transitions", "owed", "waiting")


@dataclass(slots=True)
class Mirror:
    """The picture.

    Attributes:
        values: ``packed.VALUE`` rows by dense index; ts 0 = never.
        grades: ``{path, grade}`` by code of source or enterprise; without their terms, which the records have.
        links: rows of ``GET /links`` (without the name of the enterprise) by gateway code.
        intake: bytes that wait to be durable, and whether gateways are held back (``pending_bytes``, ``full``).
        engines: who is asked.
        beats: the last beat of the engine of every share.
        beat_at: our time of them, epoch ms.
        space: free and total bytes where the home folder lies; None = not looked at.
    """

    clock: Clock
    places: Places
    engines: Engines
    values: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, packed.VALUE))
    grades: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    links_at: int = 0
    intake: dict[str, int] = field(default_factory=dict)
    beats: dict[int, dict[str, Any]] = field(default_factory=dict)
    beat_at: dict[int, int] = field(default_factory=dict)
    space: Space | None = None
    loaded: set[int] = field(default_factory=set)

    async def load(self, share: Share) -> None:
        """Ask the engine of a share for everything."""
        ask = partial(self.engines.ask, share)
        try:
            told = await self._all_grades(share)
            self.grades = told if share.count == 1 else self.grades | told
            first = 0
            while True:
                rows = packed.unpack(await ask(wire.RPC_VALUES, orjson.dumps([first, _PART])))
                # The engine of a share has nothing to say of the points of others.
                self.take_values(rows if share.count == 1 else rows[rows["ts"] > 0])
                first += _PART
                if len(rows) < _PART:
                    break
            self.loaded.add(share.number)
        except RpcError as error:
            _log.info("engine does not answer yet: %s", error)

    async def _all_grades(self, share: Share) -> dict[str, dict[str, Any]]:
        """The grades of all objects of a share, asked for in parts that fit in a message."""
        grades: dict[str, dict[str, Any]] = {}
        first = 0
        while True:
            part = orjson.loads(await self.engines.ask(share, wire.RPC_GRADES, orjson.dumps([first, _GRADES])))
            grades |= {g["grade"]["code"]: _brief(g) for g in part}
            first += _GRADES
            if len(part) < _GRADES:
                return grades

    def take_beat(self, beat: dict[str, Any]) -> Share | None:
        """Note a beat; the share to load when its engine came back or begins to answer."""
        share = self.engines.shares[beat["share"]]
        before = self.beats.get(share.number, {})
        came_back = share.number not in self.loaded or beat["samples"] < before.get("samples", 0)
        self.beats[share.number] = beat
        self.beat_at[share.number] = self.clock()
        return share if came_back and beat["ready"] else None

    @property
    def beat(self) -> dict[str, Any]:
        """How far the engines are: counts together, of times and numbers the one that is furthest behind or ahead."""
        beats = list(self.beats.values())
        if len(beats) < 2:  # noqa: PLR2004  # one engine speaks for itself
            return beats[0] if beats else {}
        joined: dict[str, Any] = {name: sum(b[name] for b in beats) for name in _ADDED}
        joined |= {name: max(b[name] for b in beats) for name in ("lag_ms", "points", "alarm_seq", "server_time")}
        heard = [b["judged_to"] for b in beats if b["judged_to"]]
        return joined | {
            "judged_to": min(heard, default=0), "ready": all(b["ready"] for b in beats),
            "history": next((b["history"] for b in beats if b["history"]), ""),
            "backlog": {lane: sum(b["backlog"][lane] for b in beats) for lane in ("live", "background")},
        }  # fmt: skip

    def take_values(self, rows: NDArray[np.void]) -> None:
        """Newer values of some points."""
        if not len(rows):
            return
        top = int(rows["point"].max()) + 1
        if top > len(self.values):
            self.values = np.concatenate([self.values, np.zeros(top - len(self.values), packed.VALUE)])
        self.values[rows["point"]] = rows

    @property
    def engine_up(self) -> bool:
        """Whether the engine, or that of every share, was heard of lately."""
        now, shares = self.clock(), self.engines.shares
        return all(now - self.beat_at.get(share.number, 0) < ENGINE_SILENCE_MS for share in shares)

    @property
    def disk(self) -> dict[str, Any]:
        """How much room the node's disk has (``disk.room``); what cannot be asked counts as enough."""
        try:
            return room(*self.space()) if self.space else {"state": "ok", "free": None}
        except OSError:
            return {"state": "ok", "free": None}

    @property
    def ready(self) -> bool:
        """Whether the engine is up and has caught up with the log."""
        return self.engine_up and bool(self.beat.get("ready"))

    @property
    def access_up(self) -> bool:
        """Whether the access process was heard of lately."""
        return self.clock() - self.links_at < ENGINE_SILENCE_MS

    def grade(self, code: str) -> Mapping[str, Any] | None:
        """Grade of a source or enterprise, without its terms."""
        known = self.grades.get(code)
        return known["grade"] if known else None

    def take_grade(self, told: dict[str, Any]) -> None:
        """Note a newer grade, ``{path, grade}``."""
        self.grades[told["grade"]["code"]] = _brief(told)

    def _confirmed(self, gateway: str) -> int:
        """When a gateway that reports by exception last said anything: its silent points are unchanged, not lost."""
        link = self.links.get(gateway)
        if link is None or link["protocol"] not in BY_EXCEPTION or link["state"] != "online" or not self.access_up:
            return 0
        return int(link["last_data_at"])

    def hold_s(self, gateway: str, heartbeat_s: int) -> int:
        """How long a stored value holds: a gateway that reports by exception says nothing while nothing changes.

        When such a link is lost, that stands in the history as bad quality.
        """
        link = self.links.get(gateway)
        return _DAY_S if link is not None and link["protocol"] in BY_EXCEPTION else heartbeat_s

    def states(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        """State of some points: 0 good, 1 bad, 2 stale, 3 never (``STATES``)."""
        places = self.places
        placed = index < places.size
        gateway = np.where(placed, places.gateway_of[np.where(placed, index, 0)], -1) if places.size else index * 0 - 1
        codes = places.gateway_codes
        used = np.unique(gateway)
        # The last entry stands for "no gateway", which −1 reaches.
        grace, alive = np.zeros(len(codes) + 1, np.int64), np.zeros(len(codes) + 1, np.int64)
        grace[-1] = places.grace_ms("")
        for g in used[used >= 0].tolist():
            grace[g], alive[g] = places.grace_ms(codes[g]), self._confirmed(codes[g])
        stale_ms, confirmed = grace[gateway], alive[gateway]
        known = index < len(self.values)
        rows = self.values[np.where(known, index, 0)] if len(self.values) else np.zeros(len(index), packed.VALUE)
        state = np.zeros(len(index), np.uint8)
        state[rows["quality"] != Quality.GOOD] = 1
        state[self.clock() - np.maximum(rows["received"], confirmed) > stale_ms] = 2
        state[~known | (rows["ts"] == 0)] = 3
        return state

    def all_states(self) -> NDArray[np.uint8]:
        """State of every point of the registry."""
        return self.states(np.arange(self.places.size))

    def forms(self, points: Sequence[PointView]) -> list[dict[str, Any]]:
        """``point`` of the contract for each, in the same order."""
        index = np.array([p.index for p in points], np.int64)
        states = self.states(index)
        now = self.clock()
        return [p.form() | self._live(p.index, STATES[s], now) for p, s in zip(points, states, strict=True)]

    def _live(self, index: int, state: str, now: int) -> dict[str, Any]:
        if state == "never":
            nothing = dict.fromkeys(("value", "quality", "event_time", "received_at", "age_s"))
            return {**nothing, "state": state, "level": Level.NORMAL.word}
        row = self.values[index]
        value = float(row["value"])
        return {
            "value": None if np.isnan(value) else value,
            "quality": int(row["quality"]),
            "event_time": iso(int(row["ts"])),
            "received_at": iso(int(row["received"])),
            "age_s": round(max(0, now - int(row["ts"])) / 1000, 1),
            "state": state,
            "level": Level(int(row["level"])).word,
        }


STATES = ("good", "bad", "stale", "never")


def _brief(told: dict[str, Any]) -> dict[str, Any]:
    """``{path, grade}`` without the terms: a nation's worth of them would be hundreds of megabytes."""
    return told | {"grade": {name: v for name, v in told["grade"].items() if name != "terms"}}
