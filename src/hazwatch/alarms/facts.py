"""What an alarm record says about its point besides the measurement. Handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hazwatch.vocabulary.levels import Level


@dataclass(frozen=True, slots=True)
class PointFacts:
    """Names and place of a point."""

    index: int
    code: str
    name: str
    quantity: str
    unit: str
    source: str
    source_name: str
    enterprise: str
    enterprise_name: str
    path: str
    simulated: bool
    #: Whose threshold is judged: 低低 低 高 高高, each ``enterprise``, ``regulator``, ``both`` or empty.
    limit_sets: tuple[str, str, str, str] = ("", "", "", "")

    def limit_set(self, level: Level) -> str | None:
        """Whose threshold of this level is judged; None where there is none."""
        column = level.value + 2 if level.value < 0 else level.value + 1
        return (self.limit_sets[column] or None) if level is not Level.NORMAL else None


class FactsOf(Protocol):
    """Gives the facts of a point by dense index."""

    def __call__(self, index: int) -> PointFacts:
        """Return the facts.

        Raises:
            KeyError: no such point.
        """
