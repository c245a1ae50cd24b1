"""The state of one Sparkplug edge node: certificates, aliases, sequence numbers. Pure: bytes in, frames out.

* A birth certificate (NBIRTH, DBIRTH) names the metrics; data messages carry aliases, which one sorted look-up turns
  into point indices for the whole message.
* A hole in the sequence numbers, or data before a birth, asks for a rebirth (at most one request per ``rebirth_s``).
  A node that needs one again and again gets it more and more rarely, down to every five minutes: its certificates would
  cost more than its data. A number that repeats the one before leaves no hole.
* ``is_historical`` metrics go to the background lane, the others live: one payload may become two frames.
* A death certificate (its bdSeq must be that of the birth) marks every point of the node DISCONNECTED: the source
  cannot be seen, which is different from a value.

A metric is addressed as ``device/metric`` or, when no point has that address, as ``metric``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hazwatch.access.accept import accepted
from hazwatch.access.directory import LinkConfig, Resolved, resolve
from hazwatch.access.sparkplug import decode as wire
from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import Refusal
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.quality import Quality

_SEQUENCES: Final = 256
#: Longest time between two births that are asked for, and how long a node must be without trouble to start anew, ms.
_MOST_PATIENT_MS: Final = 300_000
_CALM_MS: Final = 600_000
#: Metrics that steer or describe the node itself and are no measurements.
_HOUSEKEEPING: Final = ("Node Control/", "Device Control/", "Node Info/", "Properties/", "bdSeq")


@dataclass(slots=True)
class Result:
    """What a message brought.

    Attributes:
        frames: to submit, in this order.
        refusals: (reason, detail in Chinese).
        rebirth: ask the node for a rebirth now.
        gap: data is missing before this message.
    """

    frames: list[Frame] = field(default_factory=list)
    refusals: list[tuple[Refusal, str]] = field(default_factory=list)
    rebirth: bool = False
    gap: bool = False


class _Born:
    """The metrics of one certificate: N names, alias int64[N] (own negative keys where there is none), data types."""

    def __init__(self, names: list[str], alias: NDArray[np.int64], datatype: NDArray[np.int64]) -> None:
        self.names = names
        self.alias = alias
        self.datatype = datatype
        self._by_name: dict[str, int] | None = None

    def alias_of(self, name: str) -> int | None:
        """The alias of a name. Few nodes ever ask, so the dictionary is made when one does."""
        if self._by_name is None:
            self._by_name = dict(zip(self.names, self.alias.tolist(), strict=True))
        return self._by_name.get(name)


class _Table:
    """Aliases of a node, sorted, with what belongs to each; of an alias given twice the later stands.

    Attributes:
        alias: int64[N]. datatype: int64[N]. point: dense index or −1, int64[N]. scale, offset: float64[N].
    """

    def __init__(self, alias: NDArray[np.int64], datatype: NDArray[np.int64], found: Resolved) -> None:
        last = len(alias) - 1 - np.unique(alias[::-1], return_index=True)[1]
        self.alias, self.datatype = alias[last], datatype[last]
        self.point, self.scale, self.offset = found.index[last], found.scale[last], found.offset[last]

    @classmethod
    def empty(cls) -> _Table:
        """Nothing is known."""
        none = np.zeros(0, np.int64)
        return cls(none, none, Resolved(none, np.zeros(0), np.zeros(0)))

    def rows(self, alias: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each alias, −1 = unknown."""
        if not len(self.alias):
            return np.full(len(alias), -1, np.int64)
        return wire.places(self.alias, alias)


class EdgeNode:
    """State of one edge node.

    Args:
        link: its gateway.
        rebirth_s: least time between two rebirth requests, seconds.
    """

    def __init__(self, link: LinkConfig, rebirth_s: float = 1.0) -> None:
        self.link = link
        self.alive = False
        self._rebirth_ms = int(rebirth_s * 1000)
        self._patience_ms = self._rebirth_ms
        self._asked_at: int | None = None
        self._answered = False  # a birth came since the last request
        self._seq: int | None = None
        self._bd_seq: int | None = None
        self._born: dict[str, _Born] = {}  # by device, "" = the node itself
        self._table = _Table.empty()
        self._reported: set[str] = set()
        self._unaliased = -1  # the decoder's word for "no alias"; our own keys lie below it
        self.incomplete = True  # something was missed since the last birth: ask until a new one comes

    def relink(self, link: LinkConfig) -> None:
        """Take over a changed registry; the names of the birth certificate stay valid."""
        self.link = link
        self._build()

    def expect_birth(self) -> None:
        """The connection is new: what was sent meanwhile is missing, so a birth is needed."""
        self.incomplete = True

    def wants_rebirth(self, now: int) -> bool:
        """Whether a rebirth may be asked for now; remembers that it was."""
        if self._asked_at is not None:
            since = now - self._asked_at
            if since < self._patience_ms:
                return False
            if since > _CALM_MS:
                self._patience_ms = self._rebirth_ms
            elif self._answered:
                self._patience_ms = max(self._rebirth_ms, min(4 * self._patience_ms, _MOST_PATIENT_MS))
        self._asked_at, self._answered = now, False
        return True

    def birth(self, payload: bytes, device: str, now: int) -> Result:
        """NBIRTH (device "") or DBIRTH: learn the metrics; their present values are data like any other."""
        try:
            message = pb.Payload.FromString(payload)
        except Exception as error:  # noqa: BLE001  # protobuf raises its own error type, which depends on its engine
            return Result(refusals=[(Refusal.MALFORMED, f"出生证书无法解析: {error}")])
        result = Result()
        if not device:
            self._born.clear()
            self._reported.clear()
            self._bd_seq = next((m.long_value or m.int_value for m in message.metrics if m.name == "bdSeq"), None)
            self._seq = message.seq % _SEQUENCES
            self.alive = self._answered = True
            self.incomplete = False
        else:
            if not self.alive:
                return self._unborn(now)
            self._follow(message.seq, result)
        metrics = message.metrics
        self._born[device] = _Born(
            [m.name for m in metrics],
            np.array([self._key(m) for m in metrics], np.int64),
            np.array([m.datatype for m in metrics], np.int64),
        )
        self._build()
        self._report_unknown(result)
        self._samples(wire.decode(np.frombuffer(payload, np.uint8)), payload, device, now, result, born=True)
        result.rebirth = self.incomplete and self.wants_rebirth(now)
        return result

    def data(self, payload: bytes, device: str, now: int, *, repeated: bool = False) -> Result:
        """NDATA or DDATA.

        Args:
            payload: protobuf bytes.
            device: "" for the node itself.
            now: arrival, epoch ms.
            repeated: the broker marked it as a re-delivery, so its sequence number says nothing.
        """
        metrics = wire.decode(np.frombuffer(payload, np.uint8))
        if metrics.status != wire.OK:
            self._missed_one()
            return Result(refusals=[(Refusal.MALFORMED, "数据报文不是有效的 Sparkplug B 载荷")])
        if not self.alive:
            return self._unborn(now)
        result = Result()
        if not repeated:
            self._follow(int(metrics.seq), result)
        self._samples(metrics, payload, device, now, result)
        result.rebirth = self.incomplete and self.wants_rebirth(now)
        return result

    def death(self, payload: bytes, device: str, now: int) -> Result:
        """NDEATH or DDEATH: the points behind it are DISCONNECTED from now on."""
        result = Result()
        if not device:
            try:
                message = pb.Payload.FromString(payload)
            except Exception as error:  # noqa: BLE001  # as in birth
                return Result(refusals=[(Refusal.MALFORMED, f"死亡证书无法解析: {error}")])
            bd_seq = next((m.long_value or m.int_value for m in message.metrics if m.name == "bdSeq"), None)
            if None not in (bd_seq, self._bd_seq) and bd_seq != self._bd_seq:
                return result  # the will of an older session: the node lives
            if not self.alive:
                return result
            self.alive = False
            self._seq = None
        found = [self._resolve(d).index for d in self._born if device in ("", d)]
        points = sorted({int(p) for index in found for p in index if p >= 0})
        if points:
            n = len(points)
            batch = SampleBatch.of(points, [now] * n, np.full(n, np.nan), [Quality.DISCONNECTED] * n)
            result.frames.append(Frame(Origin(self.link.gateway, -1, now, Lane.LIVE), batch))
        return result

    def _key(self, metric: pb.Payload.Metric) -> int:
        """The alias, or a negative key of our own for a metric that is known by name only."""
        if metric.HasField("alias") and metric.alias < 1 << 63:
            return metric.alias
        self._unaliased -= 1
        return self._unaliased

    def _resolve(self, device: str) -> Resolved:
        """What stands behind the metrics of a certificate: by device and name, else by name."""
        names, points = self._born[device].names, self.link.points
        found = resolve(points, names)
        if not device:
            return found
        own = resolve(points, [f"{device}/{name}" for name in names])
        mine = own.index >= 0
        return Resolved(*(np.where(mine, a, b) for a, b in zip(own.columns, found.columns, strict=True)))

    def _build(self) -> None:
        born = list(self._born.values())
        found = [self._resolve(device).columns for device in self._born]
        if born:
            self._table = _Table(
                np.concatenate([b.alias for b in born]), np.concatenate([b.datatype for b in born]),
                Resolved(*(np.concatenate(column) for column in zip(*found, strict=True))),
            )  # fmt: skip

    def _report_unknown(self, result: Result) -> None:
        names = [
            f"{d}/{born.names[i]}" if d else born.names[i]
            for d, born in self._born.items()
            for i in np.flatnonzero(self._resolve(d).index < 0).tolist()
            if not born.names[i].startswith(_HOUSEKEEPING)
        ]
        fresh = [n for n in names if n not in self._reported]
        if fresh:
            self._reported.update(fresh)
            result.refusals.append(
                (Refusal.UNKNOWN_POINT, f"出生证书中有 {len(fresh)} 个未登记指标: {'、'.join(fresh[:20])}")
            )

    def _unborn(self, now: int) -> Result:
        return Result(rebirth=self.wants_rebirth(now), gap=True)

    def _missed_one(self) -> None:
        """A message that cannot be read had a number of its own; what it said is missing until the next birth."""
        self.incomplete = True
        if self._seq is not None:
            self._seq = (self._seq + 1) % _SEQUENCES

    def _follow(self, seq: int, result: Result) -> None:
        before = self._seq
        if seq < 0:
            return
        self._seq = seq % _SEQUENCES
        if before is not None and self._seq not in (before, (before + 1) % _SEQUENCES):
            result.gap = True
            self.incomplete = True

    def _rows(self, metrics: wire.Metrics, payload: bytes, device: str, *, born: bool) -> NDArray[np.int64]:
        """Row in the table of every metric. Aliases go in one look-up; names (allowed without alias) one by one."""
        alias = metrics.alias
        if born:
            return self._table.rows(self._born[device].alias)
        named = np.flatnonzero(metrics.name_len >= 0)
        if len(named) and device in self._born:
            alias = alias.copy()
            for i in named.tolist():
                at, size = int(metrics.name_at[i]), int(metrics.name_len[i])
                known = self._born[device].alias_of(payload[at : at + size].decode("utf-8", "replace"))
                if known is not None:
                    alias[i] = known
        return self._table.rows(alias)

    def _samples(
        self, metrics: wire.Metrics, payload: bytes, device: str, now: int, result: Result, *, born: bool = False
    ) -> None:
        rows = self._rows(metrics, payload, device, born=born)
        unknown = int((rows < 0).sum())
        if unknown:
            self.incomplete = True
            if "" not in self._reported:  # once per birth
                self._reported.add("")
                result.refusals.append((Refusal.UNKNOWN_POINT, f"数据报文中有 {unknown} 个出生证书未列出的指标"))
        if not len(self._table.alias):
            return
        table = self._table
        found = wire.assembled(metrics, rows, table, now if metrics.timestamp < 0 else metrics.timestamp)
        if found.texts and "\0text" not in self._reported:
            self._reported.add("\0text")
            result.refusals.append((Refusal.WRONG_TYPE, f"{found.texts} 个指标的值不是数值类型"))
        for lane, columns in ((Lane.LIVE, found.live), (Lane.BACKGROUND, found.historical)):
            batch, wrong = accepted(SampleBatch(*columns), now)
            if wrong:
                result.refusals.append((Refusal.BAD_TIME, wrong))
            if len(batch):
                result.frames.append(Frame(Origin(self.link.gateway, -1, now, lane), batch))
