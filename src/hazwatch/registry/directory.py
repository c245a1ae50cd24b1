"""What access and the judge need of the registry: every gateway with its points, and the limits by dense index.

The dataclasses have the field names of ``access.directory``, so that the composition root converts them by name; rooms
do not import each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.secrets import unseal
from hazwatch.records.bulk import columns, figure, figures
from hazwatch.registry.limits.tables import RegulatorLimit
from hazwatch.registry.service import gateway_options, version
from hazwatch.registry.tables import Counter, Gateway, Point

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PointColumns:
    """The N points behind one gateway: addresses, codes, dense index int64[N], scale and offset float64[N]."""

    address: tuple[str, ...]
    code: tuple[str, ...]
    index: NDArray[np.int64]
    scale: Floats
    offset: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[int, str, str, float, float]]) -> PointColumns:
        """From rows (index, code, address, scale, offset)."""
        index, code, address, scale, offset = zip(*rows, strict=True) if rows else ((),) * 5
        return cls(address, code, np.array(index, np.int64), np.array(scale, float), np.array(offset, float))


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A gateway with its points; ``secret`` is in the clear here and nowhere in the database."""

    gateway: int
    code: str
    name: str
    protocol: str
    enterprise: str
    address: str
    options: Mapping[str, str]
    secret: bytes = field(repr=False)
    stale_after_s: float
    simulated: bool
    points: PointColumns


@dataclass(frozen=True, slots=True)
class DirectoryRecord:
    """All gateways at one version, by code."""

    version: int
    links: Mapping[str, LinkRecord]


@dataclass(frozen=True, slots=True)
class LimitArrays:
    """Limits of all points by dense index; NaN = not set. Indexes without a point are NaN throughout.

    Attributes:
        version: limit version, 0 before the first import.
        on_delay_ms, off_delay_ms: int64.
        gateway: dense number of the point's gateway, int64, −1 without a point.
        regulator: the regulator's 低低 低 高 高高, float64[P, 4]. The others are the enterprise's.
    """

    version: int
    ll: Floats
    l: Floats  # noqa: E741 -- the name of the limit in the trade
    h: Floats
    hh: Floats
    deadband: Floats
    range_low: Floats
    range_high: Floats
    on_delay_ms: NDArray[np.int64]
    off_delay_ms: NDArray[np.int64]
    gateway: NDArray[np.int64]
    regulator: Floats


def directory(session: Session, master_key: bytes) -> DirectoryRecord:
    """Everything access needs, at the present version.

    Raises:
        ValueError: key material cannot be decrypted with this master key.
    """
    # scope: node-internal because the node listens to all its gateways
    wanted = (Point.gateway, Point.index, Point.code, Point.address, Point.scale, Point.offset)
    rows = (
        row for part in columns(session, select(*wanted).order_by(Point.gateway)) for row in zip(*part, strict=True)
    )
    points = {gateway: PointColumns.of([row[1:] for row in own]) for gateway, own in groupby(rows, itemgetter(0))}
    nothing = PointColumns.of([])
    links = {row.code: _link(row, points.get(row.code, nothing), master_key) for row in _gateways(session)}
    return DirectoryRecord(version(session), links)


def gateways(session: Session, master_key: bytes, protocol: str) -> list[LinkRecord]:
    """The gateways of one protocol, without their points."""
    # scope: node-internal because the node listens to all its gateways
    nothing = PointColumns.of([])
    return [_link(row, nothing, master_key) for row in _gateways(session) if row.protocol == protocol]


def _gateways(session: Session) -> Iterable[Gateway]:
    # scope: node-internal because the node listens to all its gateways
    return session.scalars(select(Gateway).order_by(Gateway.number))


def _link(row: Gateway, points: PointColumns, master_key: bytes) -> LinkRecord:
    return LinkRecord(
        gateway=row.number,
        code=row.code,
        name=row.name,
        protocol=row.protocol,
        enterprise=row.enterprise,
        address=row.address,
        options=gateway_options(row.options),
        secret=unseal(master_key, row.secret, row.code) if row.secret else b"",
        stale_after_s=row.stale_after_s,
        simulated=row.simulated,
        points=points,
    )


def limits(session: Session) -> LimitArrays:
    """Limits of all points at the present limit version."""
    # scope: node-internal because the node judges all its points
    size = session.get_one(Counter, "point").next
    names = ("ll", "l", "h", "hh", "deadband", "range_low", "range_high", "on_delay_s", "off_delay_s")
    table = np.full((len(names), size), np.nan)
    gateway = np.full(size, -1, np.int64)
    statement = select(Point.index, Gateway.number, *(figure(getattr(Point, name)) for name in names))
    statement = statement.join(Gateway, Gateway.code == Point.gateway)
    for index, number, *found in columns(session, statement):
        at = np.array(index, np.int64)
        gateway[at] = number
        for k, values in enumerate(found):
            table[k, at] = figures(values)
    floats = dict(zip(names[:7], table[:7], strict=True))
    regulator = np.full((size, 4), np.nan)
    row = RegulatorLimit
    for index, *found in columns(session, select(row.point, *map(figure, (row.ll, row.l, row.h, row.hh)))):
        regulator[np.array(index, np.int64)] = np.column_stack([figures(values) for values in found])
    delays = np.rint(np.nan_to_num(table[7:]) * 1_000).astype(np.int64)
    at_version = session.get_one(Counter, "limit_version").next - 1
    return LimitArrays(
        version=at_version, on_delay_ms=delays[0], off_delay_ms=delays[1], gateway=gateway, regulator=regulator,
        **floats,
    )  # fmt: skip
