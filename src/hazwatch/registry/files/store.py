"""Reading files and keeping their scores. The owner was found in the caller's scope before anything here is called."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.registry.files.merge import Op, put
from hazwatch.registry.files.model import SINGLE, Content, Group, OwnerKind, Schema, Value
from hazwatch.registry.files.schemas import SCHEMAS, kind_of
from hazwatch.registry.files.score import Score, score
from hazwatch.registry.files.tables import FileChange, FileDocument, FileHead, FileRow, RowChange
from hazwatch.registry.tables import Enterprise, Equipment, Park, Source
from hazwatch.vocabulary.moments import CHINA, from_ms, to_ms

Rows = dict[str, dict[str, Value]]
Contents = dict[str, dict[str, Rows]]

#: The last character that a code may hold, so that a prefix is a range.
_LAST = "~"
_FOREVER = 1 << 62
_CHUNK = 300
_TABLES: Mapping[str, type[Any]] = {
    "enterprises": Enterprise, "parks": Park, "sources": Source, "equipment": Equipment,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is."""

    code: str
    kind: OwnerKind
    name: str
    path: str
    simulated: bool

    @property
    def schema(self) -> Schema:
        """The declaration of the file."""
        return SCHEMAS[self.kind]


def owner_in_scope(session: Session, who: Principal, code: str) -> Owner:
    """The owner of a file.

    Raises:
        ApiError: 404 there is none in scope.
    """
    kind = kind_of(code)
    if kind is OwnerKind.PARK:
        row: Enterprise | Park | None = session.scalar(scoped(select(Park).where(Park.code == code), who, Park))
    else:
        row = session.scalar(scoped(select(Enterprise).where(Enterprise.code == code), who, Enterprise))
    if row is None:
        raise not_found(kind.zh, code)
    return Owner(code, kind, row.name, row.path, row.simulated)


def today(now: int) -> date:
    """The day in China."""
    return from_ms(now).astimezone(CHINA).date()


def load(session: Session, code: str) -> dict[str, Rows]:
    """Everything of a file that is in force."""
    return load_many(session, [code])[code]


def load_many(session: Session, codes: Collection[str]) -> Contents:
    """The same of several files of one kind."""
    # scope: node-internal because the owners were found in scope, or the node keeps its own scores
    found: Contents = {code: defaultdict(dict) for code in codes}
    wanted = sorted(codes)
    if not wanted:
        return found
    for group in SCHEMAS[kind_of(wanted[0])].groups:
        if group.table:
            _registry_rows(session, group, wanted, found)
    low, high = wanted[0], wanted[-1]
    columns = (FileRow.owner, FileRow.group, FileRow.row, FileRow.body)
    for owner, key, row, body in session.execute(select(*columns).where(FileRow.owner.between(low, high))):
        if owner in found:
            found[owner][key].setdefault(row, {}).update(body)
    return found


def _registry_rows(session: Session, group: Group, wanted: list[str], found: Contents) -> None:
    # scope: node-internal because the owners were found in scope
    table = _TABLES[group.table]
    length = len(wanted[0])
    fields = [field for field in group.fields if field.column]
    columns = [table.code, *(getattr(table, field.column) for field in fields)]
    between = table.code.between(wanted[0], wanted[-1] + _LAST)
    for code, *values in session.execute(select(*columns).where(between)):
        owner = code[:length] if group.many else code
        if owner not in found:
            continue
        row = {field.key: value for field, value in zip(fields, values, strict=True) if value is not None}
        found[owner][group.key][code if group.many else SINGLE] = row


def load_at(session: Session, owner: Owner, at: int) -> dict[str, Rows]:
    """Everything of a file as it was in force at a moment: the present with later changes taken back, newest first."""
    # scope: node-internal because the owner was found in scope
    content = load(session, owner.code)
    later = or_(FileChange.decided_at > at, FileChange.decided_at.is_(None) & (FileChange.at > at))
    changes = session.scalars(
        select(FileChange)
        .where(FileChange.owner == owner.code, FileChange.version.is_not(None), later)
        .order_by(FileChange.version.desc())
    )
    for change in changes:
        for op in reversed(ops_of(change)):
            group = owner.schema.group(op.group)
            field = group.field(op.field) if group else None
            if group is not None and not (field and field.column):
                put(content[op.group], op, back=True)
    _undo_registry(session, owner, content, at)
    return content


def _undo_registry(session: Session, owner: Owner, content: dict[str, Rows], at: int) -> None:
    # scope: node-internal because the owner was found in scope
    groups = {group.table: group for group in owner.schema.groups if group.table}
    prefix = RowChange.code.between(owner.code, owner.code + _LAST)
    statement = select(RowChange).where(prefix, RowChange.at > at, RowChange.sheet.in_(groups))
    for change in session.scalars(statement.order_by(RowChange.version.desc())):
        group = groups[change.sheet]
        if not group.many and change.code != owner.code:
            continue
        key = change.code if group.many else SINGLE
        if change.old is None:
            content[group.key].pop(key, None)
            continue
        old = json.loads(change.old)
        row = content[group.key].setdefault(key, {})
        for field in group.fields:
            if field.column in old:
                row[field.key] = old[field.column]
                if old[field.column] is None:
                    del row[field.key]


def ops_of(change: FileChange) -> list[Op]:
    """The edits of a change."""
    return [Op(*parts) for parts in json.loads(change.ops)]


def ops_text(ops: Iterable[Op]) -> str:
    """Edits as they are kept."""
    return json.dumps([[op.group, op.row, op.field, op.before, op.after] for op in ops], ensure_ascii=False)


def documents_present(session: Session, codes: Collection[str], day: date) -> dict[str, set[str]]:
    """Kinds of which a file has a valid document, by owner."""
    # scope: node-internal because the owners were found in scope, or the node keeps its own scores
    found: dict[str, set[str]] = {code: set() for code in codes}
    wanted = sorted(codes)
    if not wanted:
        return found
    columns = (FileDocument.owner, FileDocument.kind, FileDocument.series, FileDocument.valid_to)
    statement = (
        select(*columns)
        .where(FileDocument.owner.between(wanted[0], wanted[-1]), FileDocument.withdrawn_at.is_(None))
        .order_by(FileDocument.series, FileDocument.version)
    )
    newest = {series: (owner, kind, to) for owner, kind, series, to in session.execute(statement)}
    for owner, kind, valid_to in newest.values():
        if owner in found and (valid_to is None or date.fromisoformat(valid_to) >= day):
            found[owner].add(kind)
    return found


def score_of(session: Session, owner: Owner, content: Content, now: int) -> Score:
    """The score of one file."""
    day = today(now)
    return score(owner.schema, content, documents_present(session, [owner.code], day)[owner.code], day)


def refresh_due(session: Session, now: int) -> int:
    """Score anew the files whose score no longer holds, and those that were never scored; how many there were."""
    # scope: node-internal because the node keeps its own scores
    due = set(session.scalars(select(FileHead.owner).where(FileHead.due <= now)))
    for table in (Enterprise, Park):
        bare = select(table.code).outerjoin(FileHead, FileHead.owner == table.code)
        due.update(session.scalars(bare.where(FileHead.owner.is_(None))))
    refresh(session, due, now)
    return len(due)


def is_due(session: Session, now: int) -> bool:
    """Whether ``refresh_due`` would find anything."""
    # scope: node-internal because the node keeps its own scores
    if session.scalar(select(FileHead.owner).where(FileHead.due <= now).limit(1)) is not None:
        return True
    for table in (Enterprise, Park):
        bare = select(table.code).outerjoin(FileHead, FileHead.owner == table.code)
        if session.scalar(bare.where(FileHead.owner.is_(None)).limit(1)) is not None:
            return True
    return False


def refresh(session: Session, codes: Collection[str], now: int) -> None:
    """Score files anew."""
    by_kind: dict[OwnerKind, list[str]] = defaultdict(list)
    for code in sorted(codes):
        by_kind[kind_of(code)].append(code)
    for kind, own in by_kind.items():
        for start in range(0, len(own), _CHUNK):
            _refresh(session, kind, own[start : start + _CHUNK], now)


def _refresh(session: Session, kind: OwnerKind, codes: list[str], now: int) -> None:
    # scope: node-internal because the node keeps its own scores
    table = Park if kind is OwnerKind.PARK else Enterprise
    paths = dict(session.execute(select(table.code, table.path).where(table.code.in_(codes))).tuples().all())
    heads = {head.owner: head for head in session.scalars(select(FileHead).where(FileHead.owner.in_(codes)))}
    contents = load_many(session, list(paths))
    day = today(now)
    documents = documents_present(session, list(paths), day)
    fresh = []
    for code, path in paths.items():
        found = score(SCHEMAS[kind], contents[code], documents[code], day)
        expired = sum(one.days < 0 for one in found.endings)
        values = {
            "score": found.percent, "gaps": len(found.gaps), "expired": expired,
            "ending": len(found.endings) - expired, "due": _due(found, day),
        }  # fmt: skip
        head = heads.get(code)
        if head is None:
            fresh.append({"owner": code, "kind": kind.value, "version": 0, "changed_at": None, "path": path, **values})
            continue
        for name, value in values.items():
            setattr(head, name, value)
    if fresh:
        session.execute(insert(FileHead), fresh)
    session.flush()


def _due(found: Score, day: date) -> int:
    """When the score must be looked at again: the day after a validity ends, or when one begins to end soon."""
    if found.next_end is None and not found.endings:
        return _FOREVER
    # Endings slide into and out of the warning window by the day, so such a file is looked at every day.
    return to_ms(datetime.combine(day + timedelta(days=1), time(0), CHINA))
