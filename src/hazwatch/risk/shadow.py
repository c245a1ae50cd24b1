"""A configuration that runs beside the one in force and changes nothing: what colours it would have shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from hazwatch.records.engine import Sessions, unit_of_work
from hazwatch.risk.configuration import Configuration
from hazwatch.risk.features import Service
from hazwatch.risk.model import Held, hold
from hazwatch.risk.objects import Asked
from hazwatch.risk.scorer import InProcess
from hazwatch.risk.tables import ShadowGrade
from hazwatch.vocabulary.colours import Colour

#: A source as graded by the configuration in force: code, path, colour, score.
Live = tuple[str, str, Colour, float]


class Shadow:
    """Keeps the shadow's colours; writes where they part from the live ones and where they meet again."""

    def __init__(self, number: int, configuration: Configuration) -> None:
        self.number = number
        self.configuration = configuration
        self._scorer = InProcess()
        self._held: dict[str, Held] = {}
        self._said: dict[str, tuple[Colour, Colour]] = {}
        self._rows: list[dict[str, Any]] = []

    def look(self, service: Service, asked: Sequence[Asked], live: Sequence[Live], now: int) -> None:
        """Score the same objects with the shadow's numbers."""
        batch = self._scorer.score(service, asked, self.configuration)
        for n, (code, path, colour, score) in enumerate(live):
            if batch.unknown[n]:
                continue
            own, floor = Colour(int(batch.colour[n])), Colour(int(batch.floor[n]))
            before = self._held.get(code)
            held = (
                hold(before, float(batch.score[n]), own, floor, now, self.configuration) if before
                else Held(max(own, colour))
            )  # fmt: skip
            self._held[code] = held
            pair = (held.colour, colour)
            if pair == self._said.get(code, (colour, colour)):
                continue
            self._said[code] = pair
            self._rows.append(
                {
                    "configuration": self.number, "object": code, "at": now, "colour": int(held.colour),
                    "score": float(batch.score[n]), "live_colour": int(colour), "live_score": score, "path": path,
                }
            )  # fmt: skip

    def write(self, sessions: Sessions) -> None:
        """Write what was noticed since."""
        rows, self._rows = self._rows, []
        if rows:
            with unit_of_work(sessions) as session:
                session.execute(insert(ShadowGrade), rows)
