"""Carrying a plan out inside the running unit of work."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from hazwatch.identity.model import NodeKind, Principal
from hazwatch.identity.secrets import seal
from hazwatch.identity.tree import NodeRow, place
from hazwatch.registry.complete import limits_text
from hazwatch.registry.files.tables import RowChange
from hazwatch.registry.model import LIMIT_FIELDS, WITH_KEY, WITH_SECRET
from hazwatch.registry.plan import TABLES, Plan
from hazwatch.registry.tables import Counter, Gateway, LimitChange

KEY_BYTES = 64


def lock(session: Session) -> None:
    """Queue behind other importers. Everything that is compared afterwards is still true when it is written."""
    session.scalars(select(Counter).order_by(Counter.name).with_for_update()).all()


def take(session: Session, name: str, count: int = 1) -> range:
    """The next numbers of a counter, given to nobody else ever."""
    counter = session.get_one(Counter, name)
    first = counter.next
    counter.next = first + count
    return range(first, first + count)


def carry_out(session: Session, plan: Plan, who: Principal, now: int, master_key: bytes, version: int) -> None:
    """Write all rows of a plan, what they were before, and the history of limits.

    ``version``: that of the registry which the plan makes.
    """
    _place_nodes(session, plan)
    _number(session, plan, "gateways", "gateway", "number")
    _number(session, plan, "points", "point", "index")
    for values in plan.sheets["gateways"].new:
        values["secret"] = new_secret(values["protocol"], values["code"], master_key)
        values["secret_shown_at"] = None
    for key, table in TABLES.items():
        _insert(session, table, plan.sheets[key].new)
    for key, table in TABLES.items():
        _update(session, table, plan.sheets[key].changed)
    _complete_secrets(session, plan, master_key)
    _note_limits(session, plan, who, now)
    _note_rows(session, plan, now, version)


def new_secret(protocol: str, code: str, master_key: bytes) -> bytes | None:
    """Fresh key material for a gateway, sealed; None for protocols that have none.

    National and raw-frame gateways get 64 random bytes, Sparkplug clients an MQTT password of printable characters.
    """
    if protocol not in WITH_SECRET:
        return None
    plain = secrets.token_bytes(KEY_BYTES) if protocol in WITH_KEY else secrets.token_urlsafe(24).encode()
    return seal(master_key, plain, code)


def _place_nodes(session: Session, plan: Plan) -> None:
    rows = [_node(NodeKind.PARK, values, values["region"]) for values in _touched(plan, "parks")]
    rows.extend(
        _node(NodeKind.ENTERPRISE, values, values["park"] or values["region"])
        for values in _touched(plan, "enterprises")
    )
    if rows:
        place(session, rows)


def _touched(plan: Plan, key: str) -> list[dict[str, Any]]:
    return plan.sheets[key].new + plan.sheets[key].changed


def _node(kind: NodeKind, values: dict[str, Any], parent: str) -> NodeRow:
    return NodeRow(values["code"], values["name"], kind, parent, values["lon"], values["lat"])


def _number(session: Session, plan: Plan, key: str, counter: str, column: str) -> None:
    fresh = plan.sheets[key].new
    for values, number in zip(fresh, take(session, counter, len(fresh)), strict=True):
        values[column] = number


def _insert(session: Session, table: type[Any], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table.__table__), rows)


def _update(session: Session, table: type[Any], rows: list[dict[str, Any]]) -> None:
    """Change rows by code. The path is left alone: when an owner moved, the tree has moved everything below it."""
    # scope: node-internal because the plan has checked every row against the importer's scope
    if not rows:
        return
    columns = table.__table__.columns
    names = [name for name in rows[0] if name not in {"code", "path"}]
    statement = (
        update(table.__table__)
        .where(columns["code"] == bindparam("b_code"))
        .values({name: bindparam(f"b_{name}") for name in names})
    )
    session.execute(statement, [{f"b_{name}": row[name] for name in [*names, "code"]} for row in rows])


def _complete_secrets(session: Session, plan: Plan, master_key: bytes) -> None:
    """A gateway that changed to a protocol with key material gets its own now."""
    # scope: node-internal because the plan has checked every row against the importer's scope
    for values in plan.sheets["gateways"].changed:
        if plan.sheets["gateways"].old[values["code"]]["protocol"] != values["protocol"]:
            sealed = new_secret(values["protocol"], values["code"], master_key)
            statement = update(Gateway).where(Gateway.code == values["code"])
            session.execute(statement.values(secret=sealed, secret_shown_at=None))


def _note_limits(session: Session, plan: Plan, who: Principal, now: int) -> None:
    """One limit version for all limits that this import sets or changes."""
    sheet = plan.sheets["points"]
    rows = [
        {"point": values["index"], "path": values["path"], "old": "", "new": limits_text(values, LIMIT_FIELDS)}
        for values in sheet.new
    ]
    for values in sheet.changed:
        old = sheet.old[values["code"]]
        before, after = limits_text(old, LIMIT_FIELDS), limits_text(values, LIMIT_FIELDS)
        if before != after:
            rows.append({"point": old["index"], "path": values["path"], "old": before, "new": after})
    if rows:
        version = take(session, "limit_version")[0]
        common = {"version": version, "at": now, "who": who.username}
        session.execute(insert(LimitChange), [row | common for row in rows])


def _note_rows(session: Session, plan: Plan, now: int, version: int) -> None:
    """What the rows were, so that a past day can be viewed."""
    rows: list[dict[str, Any]] = []
    for key, sheet in plan.sheets.items():
        common = {"version": version, "sheet": key, "at": now}
        rows.extend({**common, "code": new["code"], "path": new["path"], "old": None} for new in sheet.new)
        for values in sheet.changed:
            before = sheet.old[values["code"]]
            old = {name: before[name] for name, value in values.items() if name != "path" and before[name] != value}
            text = json.dumps(old, ensure_ascii=False)
            rows.append({**common, "code": values["code"], "path": values["path"], "old": text})
    if rows:
        session.execute(insert(RowChange), rows)
