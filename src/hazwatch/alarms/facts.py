"""What an alarm record says about its point besides the measurement. Handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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


class FactsOf(Protocol):
    """Gives the facts of a point by dense index."""

    def __call__(self, index: int) -> PointFacts:
        """Return the facts.

        Raises:
            KeyError: no such point.
        """
