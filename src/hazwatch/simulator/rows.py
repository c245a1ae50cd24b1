"""Rows of the described park. Field names are those of the registry's rows, so that they carry over one to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ParkRow:
    """A chemical park."""

    code: str
    name: str
    region: str
    lon: float
    lat: float
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """An enterprise in the park."""

    code: str
    name: str
    region: str
    park: str
    address: str
    lon: float
    lat: float
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class Substance:
    """What a hazard source holds by design, with the figures of GB 18218-2018.

    Attributes:
        name, cas: of the substance.
        q: design maximum, t.
        critical: critical quantity Q, t.
        beta: correction factor β.
    """

    name: str
    cas: str
    q: float
    critical: float
    beta: float


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A hazard source. ``level`` and ``r`` follow from substances and α (GB 18218-2018, 4.3)."""

    code: str
    name: str
    kind: str
    level: int
    r: float
    lon: float
    lat: float
    simulated: bool = True
    alpha: float = 1.0
    substances: tuple[Substance, ...] = ()


@dataclass(frozen=True, slots=True)
class EquipmentRow:
    """A tank, plant, store or group of detectors."""

    code: str
    name: str
    medium: str | None = None
    cas: str | None = None
    form: str | None = None
    capacity_m3: float | None = None
    diameter_m: float | None = None
    height_m: float | None = None
    design_t: float | None = None


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway."""

    code: str
    name: str
    protocol: str
    address: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    stale_after_s: float = 300.0
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class PointRow:
    """A measured point."""

    code: str
    name: str
    gateway: str
    tag: str
    unit: str
    range_low: float
    range_high: float
    ll: float | None = None
    l: float | None = None  # noqa: E741 -- the name of the limit in the trade
    h: float | None = None
    hh: float | None = None
    deadband: float | None = None
    on_delay_s: float | None = None
    off_delay_s: float | None = None
    address: str = ""
    scale: float = 1.0
    offset: float = 0.0
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class ParkDescription:
    """The whole park as rows."""

    parks: tuple[ParkRow, ...]
    enterprises: tuple[EnterpriseRow, ...]
    sources: tuple[SourceRow, ...]
    equipment: tuple[EquipmentRow, ...]
    gateways: tuple[GatewayRow, ...]
    points: tuple[PointRow, ...]


def risk_index(alpha: float, substances: tuple[Substance, ...]) -> float:
    """R = α · Σ β·q/Q (GB 18218-2018, 4.3.2)."""
    return round(alpha * sum(s.beta * s.q / s.critical for s in substances), 2)


def level_of(r: float) -> int:
    """Level of a hazard source: R ≥ 100 一级, 50–100 二级, 10–50 三级, below 四级 (GB 18218-2018, table 6)."""
    return 1 if r >= 100 else 2 if r >= 50 else 3 if r >= 10 else 4  # noqa: PLR2004  # the table itself
