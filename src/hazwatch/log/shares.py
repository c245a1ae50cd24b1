"""Shares of the stream: enterprises are dealt out over a fixed number of shares, each with a stream of its own.

With one share everything is as on a single machine: ``HZ_SAMPLES`` and plain subjects. With more, share 3 of 8 has the
stream ``HZ_SAMPLES_3``, its subjects end in ``.3``, and so do the requests that only its owner can answer. A share has
its own leader in a NATS cluster, its own judge and its own offsets, so shares do not wait for each other.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from hazwatch.vocabulary.lanes import Lane

SAMPLES = "HZ_SAMPLES"
LIVE, BACKGROUND, CONTROL = "hz.samples.live", "hz.samples.background", "hz.samples.control"
_LANES = {Lane.LIVE: LIVE, Lane.BACKGROUND: BACKGROUND}


@dataclass(frozen=True, slots=True)
class Share:
    """One share of ``count``, from 0."""

    number: int = 0
    count: int = 1

    @property
    def stream(self) -> str:
        """Name of its stream."""
        return SAMPLES if self.count == 1 else f"{SAMPLES}_{self.number}"

    @property
    def subjects(self) -> str:
        """What its stream takes in."""
        return "hz.samples.>" if self.count == 1 else f"hz.samples.*.{self.number}"

    def named(self, name: str) -> str:
        """A subject, or the name of something kept, of this share."""
        return name if self.count == 1 else f"{name}.{self.number}"

    def lane(self, lane: Lane) -> str:
        """Subject of a lane."""
        return self.named(_LANES[lane])

    def owns(self, enterprise: str) -> bool:
        """Whether an enterprise, by its code, lies in this share."""
        return share_of(enterprise, self.count).number == self.number


def share_of(enterprise: str, count: int) -> Share:
    """The share that an enterprise lies in: decided by its code alone, so everybody agrees and nothing is kept."""
    return Share(zlib.crc32(enterprise.encode()) % count, count)


def all_shares(count: int) -> list[Share]:
    """Every share."""
    return [Share(number, count) for number in range(count)]


#: The whole stream of a node that deals nothing out.
WHOLE = Share()
