"""How frames lie in one message of the log: a small header, a table of origins, then the columns of all samples.

    magic "HZS1" | frames u32 | samples u32 | origins[frames] | ts i64[] | value f64[] | point u32[] | quality u8[]

Little-endian throughout. The columns of all frames are contiguous, so decoding makes four views of one copy.
One message is one group commit of the intake: it is on disk as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.vocabulary.lanes import Lane

MAGIC = b"HZS1"
#: By number: making a member of an enumeration anew for every frame costs more than the frame.
_LANES = {int(lane): lane for lane in Lane}
_HEADER = np.dtype([("magic", "S4"), ("frames", "<u4"), ("samples", "<u4"), ("spare", "<u4")])
_ORIGIN = np.dtype(
    [
        ("gateway", "<u4"),
        ("lane", "<u4"),
        ("sequence", "<i8"),
        ("received_at", "<i8"),
        ("samples", "<u4"),
        ("spare", "<u4"),
    ]
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Samples of one gateway with their origin."""

    origin: Origin
    batch: SampleBatch


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded log message: all samples in order, and where each frame's part begins.

    Attributes:
        batch: all samples of the message.
        origins: one per frame.
        counts: samples per frame, int64[frames].
    """

    batch: SampleBatch
    origins: tuple[Origin, ...]
    counts: NDArray[np.int64]

    def frames(self) -> Iterator[Frame]:
        """The frames in the order in which they were committed."""
        start = 0
        for origin, count in zip(self.origins, self.counts.tolist(), strict=True):
            yield Frame(origin, self.batch.take(slice(start, start + count)))
            start += count

    def received_at(self) -> NDArray[np.int64]:
        """Arrival time of every sample, epoch ms, int64[N]."""
        return np.repeat(np.array([o.received_at for o in self.origins], np.int64), self.counts)


def encode(frames: Sequence[Frame]) -> bytes:
    """One log message of one or more frames."""
    batch = SampleBatch.concat([f.batch for f in frames])
    header = np.zeros(1, _HEADER)
    header["magic"] = MAGIC
    header["frames"] = len(frames)
    header["samples"] = len(batch)
    origins = np.zeros(len(frames), _ORIGIN)
    for row, frame in zip(origins, frames, strict=True):
        row["gateway"] = frame.origin.gateway
        row["lane"] = frame.origin.lane
        row["sequence"] = frame.origin.sequence
        row["received_at"] = frame.origin.received_at
        row["samples"] = len(frame.batch)
    columns = (
        batch.ts.astype("<i8", copy=False),
        batch.value.astype("<f8", copy=False),
        batch.point.astype("<u4", copy=False),
        batch.quality,
    )
    return b"".join([header.tobytes(), origins.tobytes(), *(c.tobytes() for c in columns)])


def decode(data: bytes) -> Message:
    """Read one log message.

    Raises:
        ValueError: not a message of ours, or cut short.
    """
    if len(data) < _HEADER.itemsize or data[:4] != MAGIC:
        raise ValueError("not a sample message: wrong magic")
    header = np.frombuffer(data, _HEADER, 1)[0]
    frames, n = int(header["frames"]), int(header["samples"])
    expected = _HEADER.itemsize + frames * _ORIGIN.itemsize + n * 21
    if len(data) != expected:
        raise ValueError(f"sample message has {len(data)} bytes, its header promises {expected}")
    # One copy, so that the columns are writable: compiled loops know one kind of array, not two.
    buffer = bytearray(data)
    offset = _HEADER.itemsize
    table = np.frombuffer(buffer, _ORIGIN, frames, offset)
    offset += frames * _ORIGIN.itemsize
    ts = np.frombuffer(buffer, "<i8", n, offset)
    value = np.frombuffer(buffer, "<f8", n, offset + 8 * n)
    point = np.frombuffer(buffer, "<u4", n, offset + 16 * n)
    quality = np.frombuffer(buffer, "u1", n, offset + 20 * n)
    counts = table["samples"].astype(np.int64)
    if int(counts.sum()) != n:
        raise ValueError(f"frames of the message hold {int(counts.sum())} samples, its header promises {n}")
    columns = (table[name].tolist() for name in ("gateway", "sequence", "received_at", "lane"))
    if int(table["lane"].max(initial=0)) not in _LANES:
        raise ValueError("a frame of the message lies in no lane")
    origins = tuple(Origin(g, s, at, _LANES[lane]) for g, s, at, lane in zip(*columns, strict=True))
    return Message(SampleBatch(point, ts, value, quality), origins, counts)
