"""What the engine needs to know of all points and sources of the node, in one read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.records.bulk import Texts, columns, fixed
from hazwatch.registry.tables import Enterprise, Gateway, Point, Source
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH, EQUIPMENT_LENGTH, SOURCE_LENGTH


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point with the names around it."""

    index: int
    code: str
    name: str
    quantity: str
    unit: str
    equipment: str
    source: str
    source_name: str
    enterprise: str
    enterprise_name: str
    path: str
    simulated: bool
    gateway: str


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway, as far as the age of its values goes."""

    code: str
    protocol: str
    stale_after_s: float


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A hazard source with the place of its enterprise."""

    code: str
    name: str
    enterprise: str
    path: str
    enterprise_path: str
    level: int
    r: float


class Points:
    """All points of the node in flat arrays, by dense index.

    A nation has 460,000 points, and a Python object with ten texts for each is half a gigabyte in every process that
    wants to name one. Here a row is made when somebody asks for it.

    Attributes:
        index: dense index of every row, rising, int64[N].
        code: 22-character codes, S22[N]; equipment, source and enterprise are prefixes of it (vocabulary/codes.py).
        quantity: S2[N].
        gateway: row of each point's gateway in ``gateways``, int32[N].
        gateways: codes of gateways.
        simulated: bool[N].
    """

    def __init__(self, owners: Mapping[str, tuple[str, str]], sources: Mapping[str, str]) -> None:
        self._owners = owners  # enterprise → name, path
        self._sources = sources  # source → name
        self._names, self._starts = b"", np.zeros(1, np.int64)
        self._units: list[str] = []
        self._unit = np.zeros(0, np.int32)
        self.index = np.zeros(0, np.int64)
        self.code, self.quantity = np.zeros(0, "S22"), np.zeros(0, "S2")
        self.gateway, self.gateways = np.zeros(0, np.int32), list[str]()
        self.simulated = np.zeros(0, np.bool_)
        self._at = np.zeros(0, np.int64)

    @classmethod
    def read(cls, session: Session, owns: Callable[[str], bool] | None = None) -> Points:
        """Read them, a part at a time; with ``owns`` only those of the enterprises for which it is true."""
        # scope: node-internal because the node names its points in alarm records, which carry the path themselves
        owners = {e.code: (e.name, e.path) for e in all_enterprises(session)}
        sources = dict(session.execute(select(Source.code, Source.name)).tuples().all())
        self = cls(owners, sources)
        names: list[Texts] = []
        units: dict[str, int] = {}
        gateways: dict[str, int] = {}
        parts: list[tuple[NDArray[Any], ...]] = []
        wanted = (Point.index, Point.code, Point.name, Point.quantity, Point.unit, Point.gateway, Point.simulated)
        statement = select(*wanted).order_by(Point.index)
        for part in columns(session, statement):
            if owns is not None:
                mine = {code[:ENTERPRISE_LENGTH] for code in part[1]}
                mine = {enterprise for enterprise in mine if owns(enterprise)}
                keep = [code[:ENTERPRISE_LENGTH] in mine for code in part[1]]
                if not any(keep):
                    continue
                part = tuple(tuple(compress(column, keep)) for column in part)  # noqa: PLW2901  # the same, less of it
            index, code, name, quantity, unit, gateway, simulated = part
            names.append(Texts.of(name))
            parts.append(
                (
                    np.array(index, np.int64), fixed(code, 22), fixed(quantity, 2),
                    np.array([units.setdefault(u, len(units)) for u in unit], np.int32),
                    np.array([gateways.setdefault(g, len(gateways)) for g in gateway], np.int32),
                    np.array(simulated, np.bool_),
                )
            )  # fmt: skip
        if parts:
            self.index, self.code, self.quantity, self._unit, self.gateway, self.simulated = (
                np.concatenate(column) for column in zip(*parts, strict=True)
            )
            self._at = np.full(int(self.index[-1]) + 1, -1, np.int64)
            self._at[self.index] = np.arange(len(self.index))
        self._names = b"".join(part.data for part in names)
        self._starts = np.cumsum(np.concatenate([[0], *(part.sizes for part in names)]))
        self._units, self.gateways = list(units), list(gateways)
        return self

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[PointRow]:
        return (self._row(n) for n in range(len(self)))

    def get(self, index: int) -> PointRow | None:
        """The row of a dense index; None when there is no such point."""
        n = int(self._at[index]) if 0 <= index < len(self._at) else -1
        return self._row(n) if n >= 0 else None

    def _row(self, n: int) -> PointRow:
        code = self.code[n].decode()
        owner, path = self._owners.get(code[:ENTERPRISE_LENGTH], ("", ""))
        source = code[:SOURCE_LENGTH]
        return PointRow(
            int(self.index[n]), code, self._names[self._starts[n] : self._starts[n + 1]].decode(),
            self.quantity[n].decode(), self._units[self._unit[n]], code[:EQUIPMENT_LENGTH], source,
            self._sources.get(source, ""), code[:ENTERPRISE_LENGTH], owner, path, bool(self.simulated[n]),
            self.gateways[self.gateway[n]],
        )  # fmt: skip


def all_gateways(session: Session) -> list[GatewayRow]:
    """Every gateway of the node."""
    # scope: node-internal because the age of a value is judged by its gateway, whoever may see the value
    rows = session.execute(select(Gateway.code, Gateway.protocol, Gateway.stale_after_s))
    return [GatewayRow(code, protocol, stale) for code, protocol, stale in rows.tuples()]


def all_sources(session: Session) -> list[SourceRow]:
    """Every hazard source of the node."""
    # scope: node-internal because the engine grades every source; grades carry the path themselves
    rows = session.execute(
        select(Source.code, Source.name, Source.enterprise, Source.path, Enterprise.path, Source.level, Source.r)
        .join(Enterprise, Enterprise.code == Source.enterprise)
        .order_by(Source.code)
    )
    return [SourceRow(*row[:6], row[6] or 0.0) for row in rows]


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """An enterprise and its place."""

    code: str
    name: str
    path: str


def all_enterprises(session: Session) -> list[EnterpriseRow]:
    """Every enterprise of the node."""
    # scope: node-internal because the web process looks up the place of what it is told before it shows it
    rows = session.execute(select(Enterprise.code, Enterprise.name, Enterprise.path))
    return [EnterpriseRow(*row) for row in rows]
