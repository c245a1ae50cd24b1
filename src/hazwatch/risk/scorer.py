"""Pure: scoring a batch of objects, and what comes out of it. A model service elsewhere does the same (``remote``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hazwatch.risk.configuration import Configuration
from hazwatch.risk.features import Service
from hazwatch.risk.model import evaluate
from hazwatch.risk.objects import Asked, told


class AwayError(RuntimeError):
    """The model service does not answer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """N scored objects; ``answer`` tells one of them whole. ``refused``: what the model said against it, by place."""

    score: NDArray[np.float64]
    sure: NDArray[np.float64]
    colour: NDArray[np.int64]
    floor: NDArray[np.int64]
    confidence: NDArray[np.float64]
    unknown: NDArray[np.bool_]
    active: list[bytes]
    answer: Callable[[int], dict[str, Any]]
    refused: Mapping[int, str]


class Scorer(Protocol):
    """Computes grades."""

    def score(self, service: Service, asked: Sequence[Asked], k: Configuration) -> Batch:
        """Score objects.

        Raises:
            AwayError: the model service does not answer.
        """


class InProcess:
    """The models as functions."""

    def score(self, service: Service, asked: Sequence[Asked], k: Configuration) -> Batch:
        """Score objects."""
        value, age = np.array([a.value for a in asked]), np.array([a.age for a in asked])
        s = evaluate(service, value, age, k)
        digest = k.digest()
        floor = np.array([int(s.floor(n)) if s.floors[n].any() else 0 for n in range(len(asked))], np.int64)
        active = [row.tobytes() for row in s.x > 0]
        return Batch(
            s.score, s.sure, s.colour, floor, s.confidence, s.unknown, active,
            lambda n: told(s, n, asked[n], k, digest), {},
        )  # fmt: skip
