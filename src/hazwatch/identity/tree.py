"""The tree of nodes: placing, moving, looking up.

A move rewrites the path of every row below, in every table that carries one. Moves are rare (an enterprise joins a
park); reads by prefix are everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from hazwatch.identity.model import ROOT, NodeKind, Principal, child_path, covers
from hazwatch.identity.scope import Scoped, scoped, within
from hazwatch.identity.tables import Node
from hazwatch.records.base import Base


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node to be placed below ``parent`` (None = at the top)."""

    code: str
    name: str
    kind: NodeKind
    parent: str | None
    lon: float | None = None
    lat: float | None = None


def place(session: Session, rows: list[NodeRow]) -> dict[str, str]:
    """Add or change nodes; parents stand before children or exist already. Returns the path of each.

    Raises:
        LookupError: a parent is neither among the rows above nor in the tree.
    """
    # scope: node-internal because the caller has checked each row against its own scope
    paths = {node.code: node.path for node in session.execute(select(Node.code, Node.path))}
    fresh: list[dict[str, object]] = []
    for row in rows:
        if row.parent is not None and row.parent not in paths:
            raise LookupError(f"上级节点 {row.parent} 不存在")
        path = child_path(paths[row.parent] if row.parent else ROOT, row.code)
        values = {"name": row.name, "kind": row.kind.value, "parent": row.parent, "lon": row.lon, "lat": row.lat}
        if row.code not in paths:
            fresh.append({"code": row.code, "path": path, **values})
            paths[row.code] = path
            continue
        # A node may move below one that is new in this very call, so the new ones go in first.
        _insert(session, fresh)
        old = paths[row.code]
        if old != path:
            if covers(old, path):
                raise LookupError(f"节点 {row.code} 不能移到自己之下")
            relocate(session, old, path)
            paths = {code: path + at[len(old) :] if covers(old, at) else at for code, at in paths.items()}
        session.execute(update(Node).where(Node.code == row.code).values(**values))
    _insert(session, fresh)
    # Rows may have been rewritten below objects that the session remembers.
    session.expire_all()
    return {row.code: paths[row.code] for row in rows}


def _insert(session: Session, fresh: list[dict[str, object]]) -> None:
    if fresh:
        session.execute(insert(Node), fresh)
        fresh.clear()


def relocate(session: Session, old: str, new: str) -> None:
    """Give every row at or below the path ``old`` its new place, in all tables."""
    # scope: node-internal because the rows below a node follow it wherever the one who moves it may look
    for mapper in Base.registry.mappers:
        table = mapper.class_
        if issubclass(table, Scoped):
            moved = new + func.substr(table.path, len(old) + 1)
            statement = update(table).where(within(table.path, old)).values(path=moved)
            session.execute(statement, execution_options={"synchronize_session": False})


def nodes(session: Session, principal: Principal) -> list[Node]:
    """The tree in scope, parents before children."""
    return list(session.scalars(scoped(select(Node), principal, Node).order_by(Node.path)))


def node_in_scope(session: Session, principal: Principal, code: str) -> Node | None:
    """The node of this code, None when there is none in scope."""
    return session.scalar(scoped(select(Node).where(Node.code == code), principal, Node))
