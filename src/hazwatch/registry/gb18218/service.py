"""Use cases: identify, keep the result as a new version at a hazard source, look versions up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import unit_of_work
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.registry import write
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import service as files
from hazwatch.registry.files import store
from hazwatch.registry.files.merge import Op
from hazwatch.registry.gb18218.model import BetaChoice, Outcome, exact, grade
from hazwatch.registry.gb18218.reading import Unit, UnitError, unit_of
from hazwatch.registry.gb18218.standard import UNIT_KINDS
from hazwatch.registry.gb18218.tables import Identification
from hazwatch.registry.tables import Enterprise, Source
from hazwatch.vocabulary.moments import iso


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be kept: the unit as JSON gave it (numbers int or Decimal), how it is bounded, and why.

    ``adopt`` also enters level, R and people within 500 m into the enterprise's file, where a change of level waits for
    a second person.
    """

    unit: Mapping[str, Any]
    unit_kind: str
    boundary: str = ""
    note: str = ""
    adopt: bool = False


def judged(unit: Any, choice: BetaChoice) -> tuple[Unit, Outcome]:
    """Identify a unit.

    Raises:
        ApiError: 422 with all flaws by field, each with its candidates.
    """
    try:
        read = unit_of(unit)
    except UnitError as error:
        fields = {
            flaw.field: flaw.message + "".join(f"\n候选:{c.text} → {c.fill}" for c in flaw.candidates)
            for flaw in error.flaws
        }
        message = "单元数据有误,未作辨识"
        raise ApiError(422, "invalid", message, "请按所列字段改正;有候选时选其一", fields) from error
    return read, grade(read.entries, read.population, choice)


def result_of(outcome: Outcome) -> dict[str, Any]:
    """All of a result, numbers as Decimals."""
    return {
        "S": exact(outcome.s),
        "is_major_hazard": outcome.is_major,
        "R": None if outcome.r is None else exact(outcome.r),
        "level": outcome.level.name if outcome.level else None,
        "level_number": int(outcome.level.value) if outcome.level else None,
        "alpha": exact(outcome.alpha),
        "alpha_label": outcome.alpha_label,
        "terms": [
            {
                "name": t.name, "q_t": exact(t.quantity), "Q_t": exact(t.critical), "beta": exact(t.beta),
                "ratio": exact(t.ratio), "symbol": t.symbol, "clause": t.clause, "note": t.note,
            }
            for t in outcome.terms
        ],
    }  # fmt: skip


def keep(desk: RegistryDesk, who: Principal, code: str, wish: Wish, choice: BetaChoice) -> dict[str, Any]:
    """Keep an identification as the next version of a hazard source.

    Raises:
        ApiError: 404 outside the scope; 422 as ``judged``, or no such kind of unit, or nothing to adopt.
    """
    if wish.unit_kind not in UNIT_KINDS:
        raise invalid("unit_kind", f"应为 {'、'.join(UNIT_KINDS)} 之一")
    _, outcome = judged(wish.unit, choice)
    if wish.adopt and outcome.level is None:
        raise invalid("adopt", "S < 1,不构成重大危险源,没有级别可写入档案", "如该源已不构成,请按规定办理核销")
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        source = session.scalar(scoped(select(Source).where(Source.code == code), who, Source))
        if source is None:
            raise not_found("重大危险源", code)
        # scope: node-internal because the source was found in scope
        newest = session.scalar(select(func.max(Identification.version)).where(Identification.source == code)) or 0
        now = desk.clock()
        row = Identification(
            source=code, version=newest + 1, at=now, who=who.username, unit_kind=wish.unit_kind,
            boundary=wish.boundary, note=wish.note, beta_choice=choice.value, unit=_json(wish.unit),
            result=_json(result_of(outcome)), adopted=wish.adopt, path=source.path,
        )  # fmt: skip
        session.add(row)
        session.flush()
        detail = {
            "version": row.version, "level": outcome.level.name if outcome.level else None,
            "r": None if outcome.r is None else str(exact(outcome.r)), "adopted": wish.adopt,
        }  # fmt: skip
        audit.record(session, now, who, "source.identify", code, source.path, detail)
        filed, registry = _enter(session, desk, who, source, row, outcome) if wish.adopt else (None, None)
        version = row.version
    if registry is not None:
        desk.on_change(registry)
    return {"source": code, "version": version, "file_change": filed}


def _enter(
    session: Session, desk: RegistryDesk, who: Principal, source: Source, row: Identification, outcome: Outcome
) -> tuple[int | None, int | None]:  # fmt: skip
    """Enter a result into the file of the enterprise: number of the change that waits there, the registry's version."""
    assert outcome.level is not None  # noqa: S101 -- looked at by ``keep``
    assert outcome.r is not None  # noqa: S101 -- same
    owner = store.owner_in_scope(session, who, source.enterprise)
    held = store.load(session, owner.code).get("sources", {}).get(source.code, {})
    wanted = {
        "level": int(outcome.level.value), "r": float(exact(outcome.r)),
        "people_500m": int(json.loads(row.unit)["population_500m"]),
    }  # fmt: skip
    ops = [
        Op("sources", source.code, key, held.get(key), value) for key, value in wanted.items() if held.get(key) != value
    ]
    reason = files.Reason(f"按 GB 18218 辨识结果第 {row.version} 版", "重大危险源辨识")
    done, registry = files.enter(session, desk, who, owner, ops, reason)
    return done.proposal, registry


def versions(session: Session, who: Principal, code: str, request: PageRequest) -> Page[dict[str, Any]]:
    """Identifications of a source, newest first.

    Raises:
        ApiError: 404 no such source in scope.
    """
    if session.scalar(scoped(select(Source.code).where(Source.code == code), who, Source)) is None:
        raise not_found("重大危险源", code)
    statement = scoped(select(Identification).where(Identification.source == code), who, Identification)
    total = count(session, statement)
    shown = statement.order_by(Identification.version.desc()).offset(request.offset).limit(request.page_size)
    items = []
    for row in session.scalars(shown):
        result = json.loads(row.result)
        head = {key: result[key] for key in ("S", "is_major_hazard", "R", "level")}
        items.append(_head(row) | head)
    return Page(items, total, request.page, request.page_size)


def one(session: Session, who: Principal, code: str, version: int) -> dict[str, Any]:
    """One identification whole, with what the registry says of its source.

    Raises:
        ApiError: 404.
    """
    statement = (
        scoped(select(Identification, Source, Enterprise.name), who, Identification)
        .join(Source, Source.code == Identification.source)
        .join(Enterprise, Enterprise.code == Source.enterprise)
        .where(Identification.source == code, Identification.version == version)
    )
    found = session.execute(statement).first()
    if found is None:
        raise not_found("辨识记录", f"{code} 第 {version} 版")
    row, source, owner = found
    told = {
        "code": source.code, "name": source.name, "level": source.level, "r": source.r,
        "enterprise": source.enterprise, "enterprise_name": owner, "simulated": source.simulated,
    }  # fmt: skip
    return _head(row) | {"source": told, "unit": json.loads(row.unit), "result": json.loads(row.result)}


def _head(row: Identification) -> dict[str, Any]:
    names = ("version", "who", "unit_kind", "boundary", "note", "beta_choice", "adopted")
    return {name: getattr(row, name) for name in names} | {"at": iso(row.at)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_number)


def _number(value: Any) -> float | int:
    """Decimals become the nearest double; the exact figure can be had again from the unit."""
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return int(value) if value == value.to_integral_value() else float(value)
