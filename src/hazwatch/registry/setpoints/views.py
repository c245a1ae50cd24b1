"""Set points of all gas detectors in scope, beside their limits; and the proposal that puts them right."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import reading
from hazwatch.records.paging import like
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.limits import service as limits
from hazwatch.registry.limits.model import THRESHOLDS, LimitSet
from hazwatch.registry.limits.tables import RegulatorLimit
from hazwatch.registry.queries import PointFilter
from hazwatch.registry.setpoints.model import Detector, GasFacts, differences, propose
from hazwatch.registry.tables import Enterprise, Equipment, Point, Source

#: What is known of a gas, by CAS number and name; None where it is not certain. Handed in by the composition root.
FactsOf = Callable[[str | None, str | None], GasFacts | None]
#: Differences that the standard does not allow.
AGAINST = ("missing", "laxer")
_SHOWN = ("all", "differing", "against", "problems")


def detectors(
    session: Session, who: Principal, wanted: PointFilter, facts_of: FactsOf, show: str = "all",
    codes: Collection[str] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Gas detectors with proposal, both sets and what differs, by code.

    Args:
        session: a reading unit.
        who: who asks.
        wanted: filters of points; the quantity is always gas.
        facts_of: what is known of gases.
        show: ``all``, ``differing``, ``against`` the standard, or ``problems``: nothing can be proposed.
        codes: only these points.

    Raises:
        ApiError: 422 an unknown ``show``.
    """
    if show not in _SHOWN:
        raise invalid("show", f"应为 {'、'.join(_SHOWN)} 之一")
    names = (Equipment.cas, Equipment.medium, Equipment.name, Source.name, Enterprise.name)
    statement = (
        scoped(select(Point, RegulatorLimit, *names).where(Point.quantity == "QT"), who, Point)
        .outerjoin(RegulatorLimit, RegulatorLimit.point == Point.index)
        .join(Equipment, Equipment.code == Point.equipment)
        .join(Source, Source.code == Point.source)
        .join(Enterprise, Enterprise.code == Point.enterprise)
        .order_by(Point.code)
    )
    if wanted.q:
        pattern = like(wanted.q.strip())
        columns = (Point.code, Point.name, Point.tag, Equipment.medium)
        statement = statement.where(or_(*(column.ilike(pattern, escape="\\") for column in columns)))
    for column, value in ((Point.source, wanted.source), (Point.enterprise, wanted.enterprise)):
        if value:
            statement = statement.where(column == value)
    if codes is not None:
        statement = statement.where(Point.code.in_(sorted(codes)))
    known: dict[tuple[str | None, str | None], GasFacts | None] = {}
    forms = []
    for point, regulator, cas, medium, *owners in session.execute(statement):
        if (cas, medium) not in known:
            known[cas, medium] = facts_of(cas, medium)
        form = _form(point, regulator, known[cas, medium])
        form |= dict(zip(("equipment_name", "source_name", "enterprise_name"), owners, strict=True))
        if _wanted(form, show):
            forms.append(form | {"medium": medium, "cas": cas})
    return forms


def put_right(desk: RegistryDesk, who: Principal, codes: Collection[str], facts_of: FactsOf, reason: str) -> int:
    """Propose the standard's set points for the enterprise's set; a second person decides. Returns the number.

    Raises:
        ApiError: 403, 404, 422 as ``limits.service.propose``; 422 a point for which nothing can be proposed.
    """
    with reading(desk.sessions) as session:
        found = detectors(session, who, PointFilter(), facts_of, codes=codes)
    seen = {form["code"]: form for form in found}
    wanted: dict[str, dict[str, float | None]] = {}
    for code in codes:
        values = seen[code]["proposed"]["values"] if code in seen else {}
        if code in seen and not values:
            raise invalid("codes", f"{code}:{';'.join(seen[code]['proposed']['problems'])}")
        wanted[code] = dict(values)
    return limits.propose(desk, who, LimitSet.ENTERPRISE, wanted, reason or "按 GB/T 50493-2019 设定气体报警值")


def _wanted(form: dict[str, Any], show: str) -> bool:
    if show == "problems":
        return bool(form["proposed"]["problems"])
    kinds = {one["kind"] for one in form["differences"]}
    return show == "all" or (bool(kinds & set(AGAINST)) if show == "against" else bool(kinds))


def _form(point: Point, regulator: RegulatorLimit | None, gas: GasFacts | None) -> dict[str, Any]:
    proposed = propose(Detector(point.unit, point.range_low, point.range_high), gas)
    own = {name: getattr(point, name) for name in THRESHOLDS}
    theirs = {name: getattr(regulator, name, None) for name in THRESHOLDS}
    return {
        "code": point.code, "name": point.name, "tag": point.tag, "unit": point.unit, "range_low": point.range_low,
        "range_high": point.range_high, "source": point.source, "enterprise": point.enterprise,
        "gas": gas.name if gas else None, "proposed": asdict(proposed), "own": own, "regulator": theirs,
        "differences": [asdict(one) for one in differences(proposed.values, own, theirs)],
    }  # fmt: skip
