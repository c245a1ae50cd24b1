"""Set points of all gas detectors in scope, beside their limits; and the proposal that puts them right."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import reading
from hazwatch.records.paging import contains
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.limits import service as limits
from hazwatch.registry.limits.model import THRESHOLDS, LimitSet
from hazwatch.registry.limits.tables import RegulatorLimit
from hazwatch.registry.queries import PointFilter
from hazwatch.registry.setpoints.model import Detector, Difference, GasFacts, SetPoints, differences, propose
from hazwatch.registry.tables import Enterprise, Equipment, Point, Source

#: What is known of a gas, by CAS number and name; None where it is not certain. Handed in by the composition root.
FactsOf = Callable[[str | None, str | None], GasFacts | None]
#: Differences that the standard does not allow.
AGAINST = ("missing", "laxer")
_CHUNK = 500
#: Code, and all that decides what a detector is worth (``_Judged.key``).
_COLUMNS = (
    Point.code, Point.unit, Point.range_low, Point.range_high, Equipment.cas, Equipment.medium, Point.ll, Point.l,
    Point.h, Point.hh, RegulatorLimit.ll, RegulatorLimit.l, RegulatorLimit.h, RegulatorLimit.hh,
)  # fmt: skip
_SHOWN = ("all", "differing", "against", "problems")


@dataclass(frozen=True, slots=True)
class Detectors:
    """Detectors that were asked for: how many, and the rows of one part of them."""

    total: int
    items: list[dict[str, Any]]


def detectors(
    session: Session, who: Principal, wanted: PointFilter, facts_of: FactsOf, show: str = "all",
    codes: Collection[str] | None = None, part: slice = slice(None),
) -> Detectors:  # fmt: skip
    """Gas detectors with proposal, both sets and what differs, by code.

    A province has 20,000 of them: all are judged, from plain columns and each kind once, and only a part is dressed.

    Args:
        session: a reading unit.
        who: who asks.
        wanted: filters of points; the quantity is always gas.
        facts_of: what is known of gases.
        show: ``all``, ``differing``, ``against`` the standard, or ``problems``: nothing can be proposed.
        codes: only these points.
        part: which of them are wanted as rows.

    Raises:
        ApiError: 422 an unknown ``show``.
    """
    if show not in _SHOWN:
        raise invalid("show", f"应为 {'、'.join(_SHOWN)} 之一")
    statement = (
        scoped(select(*_COLUMNS).where(Point.quantity == "QT"), who, Point)
        .outerjoin(RegulatorLimit, RegulatorLimit.point == Point.index)
        .join(Equipment, Equipment.code == Point.equipment)
        .order_by(Point.code)
    )
    if wanted.q:
        statement = statement.where(contains(wanted.q, Point.code, Point.name, Point.tag, Equipment.medium))
    for column, value in ((Point.source, wanted.source), (Point.enterprise, wanted.enterprise)):
        if value:
            statement = statement.where(column == value)
    if codes is not None:
        statement = statement.where(Point.code.in_(sorted(codes)))
    judged: dict[tuple[Any, ...], _Judged] = {}
    chosen = []
    for code, *kind in session.execute(statement):
        key = tuple(kind)
        if key not in judged:
            judged[key] = _judge(key, facts_of)
        if judged[key].shown(show):
            chosen.append((code, judged[key]))
    shown = chosen[part]
    names = _names(session, who, [code for code, _ in shown])
    return Detectors(len(chosen), [names[code] | one.form() for code, one in shown])


def put_right(desk: RegistryDesk, who: Principal, codes: Collection[str], facts_of: FactsOf, reason: str) -> int:
    """Propose the standard's set points for the enterprise's set; a second person decides. Returns the number.

    Raises:
        ApiError: 403, 404, 422 as ``limits.service.propose``; 422 a point for which nothing can be proposed.
    """
    with reading(desk.sessions) as session:
        found = detectors(session, who, PointFilter(), facts_of, codes=codes)
    seen = {form["code"]: form for form in found.items}
    wanted: dict[str, dict[str, float | None]] = {}
    for code in codes:
        values = seen[code]["proposed"]["values"] if code in seen else {}
        if code in seen and not values:
            raise invalid("codes", f"{code}:{';'.join(seen[code]['proposed']['problems'])}")
        wanted[code] = dict(values)
    return limits.propose(desk, who, LimitSet.ENTERPRISE, wanted, reason or "按 GB/T 50493-2019 设定气体报警值")


@dataclass(frozen=True, slots=True)
class _Judged:
    """What holds for all detectors of one kind: same unit, range, medium and limits."""

    key: tuple[Any, ...]
    gas: GasFacts | None
    proposed: SetPoints
    differences: tuple[Difference, ...]

    def shown(self, show: str) -> bool:
        """Whether a list shows them."""
        if show == "problems":
            return bool(self.proposed.problems)
        return show == "all" or any(show == "differing" or one.kind in AGAINST for one in self.differences)

    def form(self) -> dict[str, Any]:
        """Their part of a row."""
        unit, low, high, cas, medium, *values = self.key
        half = len(THRESHOLDS)
        return {
            "unit": unit, "range_low": low, "range_high": high, "cas": cas, "medium": medium,
            "gas": self.gas.name if self.gas else None, "proposed": asdict(self.proposed),
            "own": dict(zip(THRESHOLDS, values[:half], strict=True)),
            "regulator": dict(zip(THRESHOLDS, values[half:], strict=True)),
            "differences": [asdict(one) for one in self.differences],
        }  # fmt: skip


def _judge(key: tuple[Any, ...], facts_of: FactsOf) -> _Judged:
    unit, low, high, cas, medium, *values = key
    gas = facts_of(cas, medium)
    proposed = propose(Detector(unit, low, high), gas)
    half = len(THRESHOLDS)
    own, theirs = (dict(zip(THRESHOLDS, part, strict=True)) for part in (values[:half], values[half:]))
    return _Judged(key, gas, proposed, tuple(differences(proposed.values, own, theirs)))


def _names(session: Session, who: Principal, codes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Names around the points of a part."""
    found: dict[str, dict[str, Any]] = {}
    ordered = sorted(codes)
    keys = ("code", "name", "tag", "source", "enterprise", "equipment_name", "source_name", "enterprise_name")
    for start in range(0, len(ordered), _CHUNK):
        statement = (
            scoped(
                select(
                    Point.code,
                    Point.name,
                    Point.tag,
                    Point.source,
                    Point.enterprise,
                    Equipment.name,
                    Source.name,
                    Enterprise.name,
                ),
                who,
                Point,
            )
            .join(Equipment, Equipment.code == Point.equipment)
            .join(Source, Source.code == Point.source)
            .join(Enterprise, Enterprise.code == Point.enterprise)
            .where(Point.code.in_(ordered[start : start + _CHUNK]))
        )
        found |= {row[0]: dict(zip(keys, row, strict=True)) for row in session.execute(statement)}
    return found
