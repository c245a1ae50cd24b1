"""The directory: names as the field writes them become dense point indices, once, here.

It is an immutable picture of the registry at one version. ``DirectoryHolder`` swaps the picture when the registry
changes; adapters look at ``holder.current`` for every message and keep nothing of an old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PointAddress:
    """Where a point stands behind its gateway.

    Attributes:
        index: dense point index.
        code: 22-character point code.
        address: the protocol's own name: OPC UA NodeId, Modbus register spec, Sparkplug metric name; the point code
            for the national gateway and recorded files.
        scale, offset: engineering value = raw · scale + offset.
    """

    index: int
    code: str
    address: str
    scale: float = 1.0
    offset: float = 0.0


class PointTable(Mapping[str, PointAddress]):
    """The points of one gateway by address, in flat arrays.

    A nation has 460,000 points, and an object for each would cost more than everything else that access remembers.
    A ``PointAddress`` is made when somebody asks for it.

    Args:
        address: N protocol addresses, each once.
        code: N point codes.
        index: dense indices, int64[N].
        scale, offset: float64[N].
    """

    __slots__ = ("_address", "_code", "_index", "_offset", "_scale")

    def __init__(
        self, address: Sequence[str], code: Sequence[str], index: NDArray[np.int64], scale: NDArray[np.float64],
        offset: NDArray[np.float64],
    ) -> None:  # fmt: skip
        keys = _bytes(address)
        order = np.argsort(keys, kind="stable")
        self._address = keys[order]
        self._code = _bytes(code)[order]
        self._index, self._scale, self._offset = index[order], scale[order], offset[order]

    def _row(self, address: object) -> int:
        row = int(self.rows([address])[0]) if isinstance(address, str) else -1
        if row < 0:
            raise KeyError(address)
        return row

    def rows(self, address: Sequence[str]) -> NDArray[np.int64]:
        """Row of each address, −1 = unknown, int64[M]."""
        wanted = _bytes(address)
        if not len(self._address):
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(self._address, wanted), len(self._address) - 1)
        return np.where(self._address[at] == wanted, at, -1)

    def resolved(self, address: Sequence[str]) -> Resolved:
        """What stands behind each of M addresses."""
        at = self.rows(address)
        known = at >= 0
        return Resolved(
            np.where(known, self._index[at], -1) if len(self) else at,
            np.where(known, self._scale[at], 1.0) if len(self) else np.ones(len(at)),
            np.where(known, self._offset[at], 0.0) if len(self) else np.zeros(len(at)),
        )

    def __getitem__(self, address: str) -> PointAddress:
        row = self._row(address)
        return PointAddress(
            int(self._index[row]), self._code[row].decode(), address, float(self._scale[row]), float(self._offset[row])
        )

    def __contains__(self, address: object) -> bool:
        return isinstance(address, str) and bool(self.rows([address])[0] >= 0)

    def __iter__(self) -> Iterator[str]:
        return (address.decode() for address in self._address.tolist())

    def __len__(self) -> int:
        return len(self._index)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PointTable):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # compared by value


@dataclass(frozen=True, slots=True)
class Resolved:
    """What stands behind M addresses: index int64[M] (−1 = unknown), scale and offset float64[M]."""

    index: NDArray[np.int64]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """The three, in their order."""
        return self.index, self.scale, self.offset


def resolve(points: Mapping[str, PointAddress], address: Sequence[str]) -> Resolved:
    """What stands behind M addresses of a link."""
    if isinstance(points, PointTable):
        return points.resolved(address)
    found = [points.get(a) for a in address]
    return Resolved(
        np.array([-1 if p is None else p.index for p in found], np.int64),
        np.array([1.0 if p is None else p.scale for p in found]),
        np.array([0.0 if p is None else p.offset for p in found]),
    )


def _bytes(texts: Sequence[str]) -> NDArray[np.bytes_]:
    """UTF-8 in a fixed width: sorts and compares as the texts do by code point."""
    return np.array([text.encode() for text in texts] or [b""], np.bytes_)[: len(texts)]


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """One gateway: how it is reached and what it may send.

    Attributes:
        gateway: dense number, stable for ever.
        code: 11-digit gateway code.
        name: name on screen.
        protocol: ``opcua modbus sparkplug sparkplug-external national recorded``.
        enterprise: 9-digit code of the owner.
        address: URL to dial; empty for gateways that call us.
        options: protocol settings (documented in the adapter's module).
        secret: key material of the link, raw bytes; empty when it has none.
        stale_after_s: grace time after which silence makes its points stale.
        simulated: everything it sends is marked simulated.
        points: by protocol address.
    """

    gateway: int
    code: str
    name: str
    protocol: str
    enterprise: str
    address: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    secret: bytes = field(default=b"", repr=False)
    stale_after_s: float = 300.0
    simulated: bool = False
    points: Mapping[str, PointAddress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Directory:
    """All gateways at one version of the registry, by gateway code."""

    version: int
    links: Mapping[str, LinkConfig]


@dataclass(slots=True)
class DirectoryHolder:
    """Holds the directory that is in force."""

    current: Directory
