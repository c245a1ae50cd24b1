"""The state of everything at once: the newest value of every point and the grade of every source, for one page.

A page asks once for the whole and then for what changed since. The state of a point (good, bad, stale, never) changes
by the passing of time too, so all of them are looked at again at most four times a second, in whole arrays.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hazwatch.vocabulary.colours import Colour
from hazwatch.web.mirror import Mirror
from hazwatch.web.places import Places

#: One point as told to the overview: dense index, value, alarm level −2…2, state 0 good 1 bad 2 stale 3 never.
ROW = np.dtype([("point", "<u4"), ("value", "<f4"), ("level", "i1"), ("state", "u1"), ("spare", "<u2")])
#: One source: its place in the list, its colour 0 none … 4 red, 1 when its grade rests on too little.
SOURCE_ROW = np.dtype([("source", "<u4"), ("colour", "u1"), ("stale", "u1"), ("score", "<f4"), ("spare", "<u2")])
_LOOK_MS = 250
_CONFIDENT = 0.5
_COLOUR = {colour.word: int(colour) for colour in Colour}


@dataclass(frozen=True, slots=True)
class Part:
    """An answer: rows of points and of sources, and the version to ask from next time."""

    version: str
    whole: bool
    points: NDArray[np.void]
    sources: NDArray[np.void]


class Overview:
    """Keeps the picture and which part of it changed when."""

    def __init__(self, mirror: Mirror, places: Places) -> None:
        self._mirror = mirror
        self._places = places
        #: Versions of another life of this process mean nothing.
        self._life = secrets.token_hex(4)
        self._clock = 0
        self._looked = 0
        self._rows = np.zeros(0, ROW)
        self._changed = np.zeros(0, np.int64)
        self._source_rows = np.zeros(0, SOURCE_ROW)
        self._source_changed = np.zeros(0, np.int64)
        self._grades: list[Any] = []
        self._registry = -1

    def listing(self, scope: str) -> dict[str, list[Any]]:
        """Sources in scope with their points' owner: what a page needs once to make sense of the rows."""
        places = self._places
        mine = np.flatnonzero(self._source_mask(scope))
        points = np.flatnonzero(self._point_mask(scope))
        return {
            "source": mine.tolist(),
            "code": [places.sources[i].code for i in mine],
            "name": [places.sources[i].name for i in mine],
            "enterprise": [places.name(places.sources[i].enterprise) for i in mine],
            "level": [places.sources[i].level for i in mine],
            "points": points.tolist(),
            "owner": places.source_of[points].tolist(),
        }

    def part(self, scope: str, since: str) -> Part:
        """What changed since a version; everything when the version is none of ours."""
        self._look()
        life, _, number = since.partition("-")
        whole = life != self._life or not number.isdigit()
        after = -1 if whole else int(number)
        points = self._rows[(self._changed > after) & self._point_mask(scope)]
        sources = self._source_rows[(self._source_changed > after) & self._source_mask(scope)]
        return Part(f"{self._life}-{self._clock}", whole, points, sources)

    # --- the picture -----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = self._mirror.clock()
        if now - self._looked < _LOOK_MS and self._registry == self._places.version:
            return
        self._looked = now
        self._clock += 1
        if self._registry != self._places.version:
            self._begin()
        self._look_at_points()
        self._look_at_sources()

    def _begin(self) -> None:
        """The registry is another: everything is told anew."""
        places = self._places
        self._registry = places.version
        self._life = secrets.token_hex(4)
        self._rows = np.zeros(places.size, ROW)
        self._rows["point"] = np.arange(places.size)
        self._changed = np.full(places.size, self._clock, np.int64)
        self._source_rows = np.zeros(len(places.sources), SOURCE_ROW)
        self._source_rows["source"] = np.arange(len(places.sources))
        self._source_changed = np.full(len(places.sources), self._clock, np.int64)
        self._grades = [None] * len(places.sources)

    def _look_at_points(self) -> None:
        rows, values = self._rows, self._mirror.values
        n = min(len(rows), len(values))
        state = np.full(len(rows), 3, np.uint8)
        state[:n] = self._mirror.all_states()[:n]
        fresh = {"value": values["value"][:n].astype(np.float32), "level": values["level"][:n], "state": state[:n]}
        moved = np.zeros(len(rows), np.bool_)
        for name, column in fresh.items():
            old = rows[name][:n]
            moved[:n] |= (old != column) & ~(np.isnan(old) & np.isnan(column)) if name == "value" else old != column
            rows[name][:n] = column
        self._changed[moved] = self._clock

    def _look_at_sources(self) -> None:
        for i, source in enumerate(self._places.sources):
            told = self._mirror.grades.get(source.code)
            if told is self._grades[i]:
                continue
            self._grades[i] = told
            grade = told["grade"] if told else None
            row = self._source_rows[i]
            row["colour"] = _COLOUR[grade["colour"]] if grade else 0
            row["score"] = grade["score"] if grade else 0.0
            row["stale"] = grade is None or grade["confidence"] < _CONFIDENT
            self._source_changed[i] = self._clock

    def _point_mask(self, scope: str) -> NDArray[np.bool_]:
        return self._places.points_in(scope)

    def _source_mask(self, scope: str) -> NDArray[np.bool_]:
        return np.array([s.path.startswith(scope) for s in self._places.sources], np.bool_)
