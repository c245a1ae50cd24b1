"""Tables of the registry. Codes are the national ones; ``path`` is the place on the tree of the owner.

Rows are never deleted by an import: a point that once had an index keeps it, because the history knows it by no other
name.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class Counter(Base):
    """Running numbers that have no gaps and are never given twice. Importers queue on these rows."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    next: Mapped[int] = mapped_column(BigInteger)


class Park(Scoped, Base):
    """A chemical park. Name and place stand here for the file, and in the tree for the scope."""

    __tablename__ = "park"

    code: Mapped[str] = mapped_column(code_text(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    region: Mapped[str] = mapped_column(ForeignKey("node.code"))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    simulated: Mapped[bool]


class Enterprise(Scoped, Base):
    """An enterprise, 9-digit code."""

    __tablename__ = "enterprise"

    code: Mapped[str] = mapped_column(code_text(9), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    region: Mapped[str] = mapped_column(ForeignKey("node.code"))
    park: Mapped[str | None] = mapped_column(ForeignKey("park.code"))
    credit_code: Mapped[str | None] = mapped_column(String(18))
    address: Mapped[str | None] = mapped_column(String(300))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    simulated: Mapped[bool]


class Source(Scoped, Base):
    """A hazard source 重大危险源, 12-digit code. ``level`` 1–4, 1 worst; ``r`` the R value of GB 18218."""

    __tablename__ = "source"

    code: Mapped[str] = mapped_column(code_text(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    enterprise: Mapped[str] = mapped_column(ForeignKey("enterprise.code"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    level: Mapped[int] = mapped_column(Integer)
    r: Mapped[float | None]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    simulated: Mapped[bool]


class Equipment(Scoped, Base):
    """A tank, plant, store or detector, 17-character code."""

    __tablename__ = "equipment"

    code: Mapped[str] = mapped_column(code_text(17), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(ForeignKey("source.code"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    medium: Mapped[str | None] = mapped_column(String(100))
    cas: Mapped[str | None] = mapped_column(String(20))
    form: Mapped[str | None] = mapped_column(String(40))
    capacity_m3: Mapped[float | None]
    diameter_m: Mapped[float | None]
    height_m: Mapped[float | None]
    design_t: Mapped[float | None]


class Gateway(Scoped, Base):
    """A gateway, 11-digit code. ``number`` is dense, from 1; 0 is the node itself."""

    __tablename__ = "gateway"

    number: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(code_text(11), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    protocol: Mapped[str] = mapped_column(String(20))
    enterprise: Mapped[str] = mapped_column(ForeignKey("enterprise.code"), index=True)
    address: Mapped[str] = mapped_column(String(300))
    options: Mapped[str] = mapped_column(Text)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_shown_at: Mapped[int | None] = mapped_column(BigInteger)
    stale_after_s: Mapped[float]
    simulated: Mapped[bool]


class Point(Scoped, Base):
    """A measured point, 22-character code. ``index`` is dense, from 0, given once and never again."""

    __tablename__ = "point"

    index: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(code_text(22), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    tag: Mapped[str | None] = mapped_column(String(100))
    quantity: Mapped[str] = mapped_column(String(2))
    unit: Mapped[str] = mapped_column(String(20))
    range_low: Mapped[float]
    range_high: Mapped[float]
    ll: Mapped[float | None]
    l: Mapped[float | None]  # noqa: E741 -- the name of the limit in the trade
    h: Mapped[float | None]
    hh: Mapped[float | None]
    deadband: Mapped[float]
    on_delay_s: Mapped[float]
    off_delay_s: Mapped[float]
    equipment: Mapped[str] = mapped_column(ForeignKey("equipment.code"), index=True)
    source: Mapped[str] = mapped_column(ForeignKey("source.code"), index=True)
    enterprise: Mapped[str] = mapped_column(ForeignKey("enterprise.code"), index=True)
    gateway: Mapped[str] = mapped_column(ForeignKey("gateway.code"), index=True)
    address: Mapped[str] = mapped_column(String(300))
    scale: Mapped[float]
    offset: Mapped[float]
    simulated: Mapped[bool]
    limit_fault: Mapped[str | None] = mapped_column(String(500))


class RegistryVersion(Scoped, Base):
    """One successful import: who, when, from which file, what it changed. ``path`` is the importer's scope."""

    __tablename__ = "registry_version"

    version: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    counts: Mapped[str] = mapped_column(Text)


class LimitChange(Scoped, Base):
    """One point's limits changed. All changes of one import or proposal carry one version.

    ``old`` is empty for a new point. ``which`` is the set (None = the enterprise's), ``why`` the proposal's reason.
    """

    __tablename__ = "limit_change"

    version: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    point: Mapped[int] = mapped_column(ForeignKey("point.index"), primary_key=True, autoincrement=False, index=True)
    at: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String(64))
    old: Mapped[str] = mapped_column(Text)
    new: Mapped[str] = mapped_column(Text)
    which: Mapped[str | None] = mapped_column(String(12))
    why: Mapped[str | None] = mapped_column(String(1000))
    proposal: Mapped[int | None] = mapped_column(Integer)
