"""Control records on the log: what must happen at one place between two samples, on every replay the same.

tick    event time has passed up to ``until``
limits  a version of limits for some points comes into force; the numbers themselves stand in the record
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from hazwatch.judge.limits import Limits

_TICK, _LIMITS = b"HZT1", b"HZL1"
#: Points in one limits record; keeps it below the log's message size.
_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Tick:
    """Event time has passed up to ``until``, epoch ms."""

    until: int


@dataclass(frozen=True, slots=True)
class LimitsRecord:
    """New limits of some points.

    Attributes:
        version: of the set.
        at: event time at which they come into force, epoch ms.
        points: how many points there are now.
        index: which points, int64[M].
        threshold, deadband, on_delay_ms, off_delay_ms: as in ``Limits``, M rows.
    """

    version: int
    at: int
    points: int
    index: NDArray[np.int64]
    threshold: NDArray[np.float64]
    deadband: NDArray[np.float64]
    on_delay_ms: NDArray[np.int64]
    off_delay_ms: NDArray[np.int64]

    def applied(self, old: Limits) -> Limits:
        """The full set after this record."""
        grown = Limits.none(max(self.points, len(old)), self.version)
        n = len(old)
        for name in ("threshold", "deadband", "on_delay_ms", "off_delay_ms"):
            getattr(grown, name)[:n] = getattr(old, name)
            getattr(grown, name)[self.index] = getattr(self, name)
        return grown


def encode_tick(until: int) -> bytes:
    """A tick as bytes."""
    return _TICK + orjson.dumps(until)


def encode_limits(old: Limits, new: Limits, at: int) -> list[bytes]:
    """The records that lead from one set to another; at least one, so that the version is noted."""
    changed = old.changed(new)
    records = []
    for start in range(0, max(1, len(changed)), _CHUNK):
        index = changed[start : start + _CHUNK].astype(np.int64)
        file = io.BytesIO()
        np.savez(
            file, head=np.array([new.version, at, len(new)], np.int64), index=index, threshold=new.threshold[index],
            deadband=new.deadband[index], on_delay_ms=new.on_delay_ms[index], off_delay_ms=new.off_delay_ms[index],
        )  # fmt: skip
        records.append(_LIMITS + file.getvalue())
    return records


def decode(data: bytes) -> Tick | LimitsRecord:
    """Read a control record.

    Raises:
        ValueError: not one of ours.
    """
    if data[:4] == _TICK:
        return Tick(int(orjson.loads(data[4:])))
    if data[:4] == _LIMITS:
        try:
            return _limits_record(data[4:])
        except (KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"damaged limits record: {error}") from error
    raise ValueError("unknown control record")


def _limits_record(data: bytes) -> LimitsRecord:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        version, at, points = (int(n) for n in kept["head"])
        return LimitsRecord(
            version, at, points, kept["index"], kept["threshold"], kept["deadband"], kept["on_delay_ms"],
            kept["off_delay_ms"],
        )  # fmt: skip
