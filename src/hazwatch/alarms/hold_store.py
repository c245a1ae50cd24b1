"""Reading and writing holds and what hangs on the tree. Runs inside the transaction of a use case."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from hazwatch.alarms.facts import FactsOf
from hazwatch.alarms.holds import ACTIVE, REQUESTED, Hold
from hazwatch.alarms.inherit import POLICY
from hazwatch.alarms.model import After
from hazwatch.alarms.rules import Rule, parse
from hazwatch.alarms.store import Owns, everything, iso_or_none
from hazwatch.alarms.tables import Alarm, AlarmHold, AlarmSetting, SuppressionRule
from hazwatch.vocabulary.levels import Level


def hold_of(row: AlarmHold) -> Hold:
    """The hold that a row holds."""
    return Hold(
        row.id, After(row.kind), row.point, row.alarm_kind, frozenset(Level.parse(word) for word in row.levels.split()),
        row.status, row.mode, row.reason, row.by, row.at, row.until, row.approved_by, row.approved_at, row.ended_by,
        row.ended_at, row.end_note, row.rule, row.rule_version,
    )  # fmt: skip


def standing_holds(session: Session, owns: Owns = everything) -> list[Hold]:
    """Every hold that is active or waits for its approval, of the enterprises that are ours."""
    # scope: node-internal because the alarm desk sets alarms of the whole node aside
    rows = session.scalars(select(AlarmHold).where(AlarmHold.status.in_([ACTIVE, REQUESTED])).order_by(AlarmHold.at))
    return [hold_of(row) for row in rows if owns(row.enterprise)]


def save_holds(session: Session, holds: Iterable[Hold], facts: FactsOf) -> None:
    """Write holds as they are now."""
    rows = [_columns(hold, facts) for hold in holds]
    if rows:
        # scope: node-internal because the desk writes what it decided; the asker's scope was checked before
        session.execute(delete(AlarmHold).where(AlarmHold.id.in_([row["id"] for row in rows])))
        session.execute(insert(AlarmHold), rows)


def _columns(hold: Hold, facts: FactsOf) -> dict[str, Any]:
    place = facts(hold.point)
    return {
        "id": hold.id, "kind": hold.kind.value, "point": hold.point, "alarm_kind": hold.alarm_kind,
        "levels": " ".join(level.word for level in sorted(hold.levels)), "status": hold.status, "mode": hold.mode,
        "reason": hold.reason, "by": hold.by, "at": hold.at, "until": hold.until, "approved_by": hold.approved_by,
        "approved_at": hold.approved_at, "ended_by": hold.ended_by, "ended_at": hold.ended_at,
        "end_note": hold.end_note, "rule": hold.rule, "rule_version": hold.rule_version, "point_code": place.code,
        "point_name": place.name, "source": place.source, "source_name": place.source_name,
        "enterprise": place.enterprise, "enterprise_name": place.enterprise_name, "path": place.path,
    }  # fmt: skip


def ended(session: Session, hold_id: str) -> dict[str, object] | None:
    """Who ended a hold that no longer stands; None when there is none."""
    # scope: node-internal because the page has checked the scope of the id before it asked the desk
    row = session.get(AlarmHold, hold_id)
    if row is None:
        return None
    reason = f"已由 {row.ended_by} 解除" if row.ended_by else (row.end_note or "已结束")
    return {"id": hold_id, "reason": reason, "by": row.ended_by or None, "at": iso_or_none(row.ended_at)}


def policies(session: Session) -> dict[tuple[str, str], dict[str, Any]]:
    """What is said of annunciation, by (node, part)."""
    # scope: node-internal because the desk annunciates for the whole node
    rows = session.scalars(select(AlarmSetting).where(AlarmSetting.topic == POLICY))
    return {(row.node, row.part): orjson.loads(row.body) for row in rows}


def rules_in_force(session: Session) -> list[Rule]:
    """The newest version of every enabled rule."""
    # scope: node-internal because the engine suppresses for the whole node
    rows = session.scalars(select(SuppressionRule).where(SuppressionRule.newest, SuppressionRule.enabled))
    return [parse(row.id, row.version, {**orjson.loads(row.body), "name": row.name}) for row in rows]


def hold_form(row: AlarmHold) -> dict[str, Any]:
    """A hold in the form of the API (docs/api.md)."""
    return {
        "id": row.id, "kind": row.kind, "status": row.status, "mode": row.mode, "point": row.point_code,
        "point_name": row.point_name, "alarm_kind": row.alarm_kind, "levels": row.levels.split(), "source": row.source,
        "source_name": row.source_name, "enterprise": row.enterprise, "enterprise_name": row.enterprise_name,
        "reason": row.reason, "by": row.by, "at": iso_or_none(row.at), "until": iso_or_none(row.until),
        "approved_by": row.approved_by, "approved_at": iso_or_none(row.approved_at), "ended_by": row.ended_by,
        "ended_at": iso_or_none(row.ended_at), "end_note": row.end_note, "rule": row.rule or None,
        "rule_version": row.rule_version or None,
    }  # fmt: skip


def owners_of(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Enterprise of records and holds, by id; those that are not known are missing."""
    found: dict[str, str] = {}
    for table in (Alarm, AlarmHold):
        # scope: node-internal because a command goes to whoever keeps the record; its scope was checked before
        found |= dict(session.execute(select(table.id, table.enterprise).where(table.id.in_(ids))).tuples().all())
    return found
