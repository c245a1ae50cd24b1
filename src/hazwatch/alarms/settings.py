"""What hangs on the tree: guidance and annunciation, inherited downwards, every change kept with what stood before."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from hazwatch.alarms.inherit import FIELDS, GUIDANCE, OFF, PARTS, POLICY, Said, inherited
from hazwatch.alarms.tables import AlarmSetting, AlarmSettingChange
from hazwatch.identity.errors import invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.tree import node_in_scope
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.codes import (
    ENTERPRISE_LENGTH,
    EQUIPMENT_LENGTH,
    POINT_LENGTH,
    SOURCE_LENGTH,
    check_equipment,
    check_source,
    parse_point,
)
from hazwatch.vocabulary.moments import iso

_BELOW = {SOURCE_LENGTH: check_source, EQUIPMENT_LENGTH: check_equipment, POINT_LENGTH: parse_point}
_LONGEST_TEXT = 2000
_LONGEST_S = 30 * 86_400


def place(session: Session, who: Principal, code: str) -> tuple[str, list[str]]:
    """Path and chain of a node of the tree, or of a source, equipment or point below an enterprise.

    Raises:
        ApiError: 404, there is none in scope.
    """
    owner = code
    if check := _BELOW.get(len(code)):
        try:
            check(code)
        except ValueError as error:
            raise not_found("节点", code) from error
        owner = code[:ENTERPRISE_LENGTH]
    node = node_in_scope(session, who, owner)
    if node is None:
        raise not_found("节点", code)
    below = [code[:n] for n in _BELOW if n <= len(code)] if owner != code else []
    return node.path, [*(part for part in node.path.split("/") if part), *below]


def said_along(session: Session, topic: str, nodes: list[str]) -> Said:
    """What is said on the nodes of a chain."""
    # scope: node-internal because what stands above is inherited by whoever stands below
    rows = session.scalars(select(AlarmSetting).where(AlarmSetting.topic == topic, AlarmSetting.node.in_(nodes)))
    return {(row.node, row.part): orjson.loads(row.body) for row in rows}


def resolved(session: Session, topic: str, nodes: list[str], part: str) -> dict[str, Any]:
    """Every field that holds for a part at the end of a chain: ``{field: {value, node}}``; node "" = default."""
    found = inherited(topic, nodes, part, said_along(session, topic, nodes))
    return {name: {"value": value, "node": node} for name, (value, node) in found.items()}


def show(session: Session, who: Principal, topic: str, code: str) -> dict[str, Any]:
    """What is said at a node, part by part, and what holds there."""
    _, nodes = place(session, who, code)
    said = said_along(session, topic, nodes)
    parts = ("", *PARTS[topic])
    return {
        "topic": topic,
        "node": code,
        "chain": nodes,
        "here": {part: dict(said.get((code, part), {})) for part in parts},
        "holds": {
            part: {name: {"value": v, "node": n} for name, (v, n) in inherited(topic, nodes, part, said).items()}
            for part in parts
        },
    }


def change(
    session: Session, who: Principal, topic: str, code: str, part: str, fields: dict[str, Any], at: int
) -> dict[str, Any]:
    """Say something at a node for a part; an empty field is inherited again.

    Raises:
        ApiError: 404 outside the scope, 422 a field or part that the topic does not know.
    """
    path, _ = place(session, who, code)
    if part and part not in PARTS[topic]:
        raise invalid("part", f"应为 {'、'.join(PARTS[topic])} 之一,或留空")
    after = {name: _checked(topic, name, value) for name, value in fields.items() if value is not None and value != ""}
    key = (AlarmSetting.topic == topic, AlarmSetting.node == code, AlarmSetting.part == part)
    row = session.scalar(scoped(select(AlarmSetting).where(*key), who, AlarmSetting))
    before = orjson.loads(row.body) if row else {}
    if before == after:
        return {"changed": False}
    version = row.version + 1 if row else 1
    # scope: node-internal because the place of the row was looked up within the scope above
    session.execute(delete(AlarmSetting).where(*key))
    values = {"topic": topic, "node": code, "part": part, "path": path}
    session.execute(insert(AlarmSetting), [{**values, "body": orjson.dumps(after).decode(), "version": version}])
    texts = {"before": orjson.dumps(before).decode(), "after": orjson.dumps(after).decode()}
    session.execute(insert(AlarmSettingChange), [{**values, **texts, "by": who.username, "at": at}])
    return {"changed": True, "before": before, "after": after, "version": version}


def _checked(topic: str, name: str, value: Any) -> Any:
    if name not in FIELDS[topic]:
        raise invalid(name, f"没有这一项,应为 {'、'.join(FIELDS[topic])}")
    if name == "latch":
        if not isinstance(value, bool):
            raise invalid(name, "应为是或否")
        return value
    if name.endswith("_s"):
        if value == OFF and topic == POLICY and name == "realarm_s":
            return value
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LONGEST_S:
            raise invalid(name, f"应为 1–{_LONGEST_S} 秒的整数")
        return value
    text = str(value).replace("\x00", "").strip()
    if len(text) > _LONGEST_TEXT:
        raise invalid(name, f"最长 {_LONGEST_TEXT} 字")
    return text


def history(session: Session, who: Principal, topic: str, code: str, request: PageRequest) -> Page[dict[str, Any]]:
    """Who changed what when at a node, newest first."""
    place(session, who, code)
    statement = scoped(
        select(AlarmSettingChange).where(AlarmSettingChange.topic == topic, AlarmSettingChange.node == code),
        who, AlarmSettingChange,
    )  # fmt: skip
    rows = session.scalars(
        statement.order_by(AlarmSettingChange.id.desc()).offset(request.offset).limit(request.page_size)
    )
    items = [
        {"at": iso(row.at), "by": row.by, "part": row.part, "before": orjson.loads(row.before),
         "after": orjson.loads(row.after)}
        for row in rows
    ]  # fmt: skip
    return Page(items, count(session, statement), request.page, request.page_size)


__all__ = ["GUIDANCE", "POLICY", "change", "history", "place", "resolved", "show"]
