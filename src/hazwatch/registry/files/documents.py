"""Documents and drawings of a file: uploaded, typed, versioned.

A version that was there stays; a document that is withdrawn can still be viewed as on a past day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.documents.sniff import INLINE, MAX_DOCUMENT, RefusedDocumentError, sniff
from hazwatch.identity import audit
from hazwatch.identity.errors import ApiError, conflict, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.registry import write
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.files.model import BadValueError, Field, Kind, checked
from hazwatch.registry.files.service import need_engineer
from hazwatch.registry.files.store import Owner, owner_in_scope
from hazwatch.registry.files.tables import FileBlob, FileDocument
from hazwatch.vocabulary.moments import iso

#: Documents of one file, versions counted: enough for every drawing of a refinery, no more than a database likes.
MAX_DOCUMENTS = 2_000
_TITLE = Field("title", "标题")
_VALID_TO = Field("valid_to", "有效期止", Kind.DATE)


@dataclass(frozen=True, slots=True)
class Upload:
    """What comes with an uploaded document; ``series``: the document of which it is a new version."""

    kind: str
    title: str
    file_name: str
    why: str
    valid_to: str = ""
    series: int | None = None


def upload(desk: RegistryDesk, who: Principal, code: str, content: bytes, given: Upload) -> int:
    """Keep a document; returns its number.

    Raises:
        ApiError: 403; 404; 413 too large; 422 a kind, title or date, or a content that is not taken.
    """
    need_engineer(who)
    if not given.why.strip():
        raise invalid("why", "请写明上传原因")
    try:
        found = sniff(content, given.file_name)
    except RefusedDocumentError as error:
        status = 413 if len(content) > MAX_DOCUMENT else 422
        raise ApiError(status, "bad_document", str(error), "请另存为 PDF 或图片后重试", {"file": str(error)}) from error
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        owner = owner_in_scope(session, who, code)
        number = keep(session, desk, who, owner, content, found.media, given)
        store.refresh(session, [code], desk.clock())
        return number


def keep(
    session: Session, desk: RegistryDesk, who: Principal, owner: Owner, content: bytes, media: str, given: Upload
) -> int:
    """The same inside a writing unit that holds ``write.lock``; the content was sniffed, the score is the caller's.

    Raises:
        ApiError: 404, 409, 422.
    """
    title, valid_to = check_words(given)
    if given.kind not in {kind.key for kind in owner.schema.documents}:
        raise invalid("kind", "没有这种文件类型")
    _room(session, owner)
    digest = hashlib.sha256(content).hexdigest()
    if session.get(FileBlob, digest) is None:
        session.add(FileBlob(sha256=digest, content=content))
        session.flush()
    row = FileDocument(
        owner=owner.code, path=owner.path, kind=given.kind, title=title, file_name=safe_name(given.file_name),
        media=media, size=len(content), sha256=digest, valid_to=valid_to, at=desk.clock(),
        who=who.username, why=given.why.strip()[:1000], series=0, version=1,
    )  # fmt: skip
    if given.series is not None:
        before = _newest(session, owner, given.series)
        row.series, row.version, row.kind = before.series, before.version + 1, before.kind
    session.add(row)
    session.flush()
    if given.series is None:
        row.series = row.id
    session.flush()
    detail = {"document": row.id, "title": title, "sha256": digest, "version": row.version, "why": row.why}
    audit.record(session, desk.clock(), who, "file.document", owner.code, owner.path, detail)
    return row.id


def put_first(session: Session, owner: Owner, series: int, numbers: Sequence[int]) -> None:
    """Count versions of a document as those from before all others, in the order given: the newest stays the newest.

    Versions are numbered anew from 1; the number of a document itself, which links name, stays.
    """
    # scope: node-internal because the owner was found in scope
    same = select(FileDocument).where(FileDocument.owner == owner.code, FileDocument.series == series)
    rows = {row.id: row for row in session.scalars(same.order_by(FileDocument.version))}
    order = [*numbers, *(number for number in rows if number not in set(numbers))]
    for version, number in enumerate(order, 1):
        rows[number].version = version
    session.flush()


def withdraw_document(desk: RegistryDesk, who: Principal, code: str, number: int, why: str) -> None:
    """Take a document with all its versions away from the present file. Nothing is deleted.

    Raises:
        ApiError: 403, 404, 409 it was withdrawn before, 422 no reason.
    """
    need_engineer(who)
    if not why.strip():
        raise invalid("why", "请写明撤下原因")
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        owner = owner_in_scope(session, who, code)
        row = _document(session, who, code, number)
        if row.withdrawn_at is not None:
            raise conflict("文件已经撤下")
        now = desk.clock()
        # scope: node-internal because the document was found in scope, and its versions lie with it
        same = select(FileDocument).where(FileDocument.series == row.series)
        for version in session.scalars(same):
            version.withdrawn_at, version.withdrawn_by = now, who.username
        session.flush()
        store.refresh(session, [code], now)
        detail = {"document": number, "title": row.title, "why": why.strip()}
        audit.record(session, now, who, "file.document.withdraw", code, owner.path, detail)


def documents(session: Session, who: Principal, code: str, at: int | None = None) -> list[dict[str, Any]]:
    """Documents of a file with all their versions, newest version first.

    Raises:
        ApiError: 404 there is no such owner in scope.
    """
    owner_in_scope(session, who, code)
    statement = scoped(select(FileDocument).where(FileDocument.owner == code), who, FileDocument)
    if at is None:
        statement = statement.where(FileDocument.withdrawn_at.is_(None))
    else:
        there = FileDocument.withdrawn_at.is_(None) | (FileDocument.withdrawn_at > at)
        statement = statement.where(FileDocument.at <= at, there)
    found: dict[int, dict[str, Any]] = {}
    for row in session.scalars(statement.order_by(FileDocument.series, FileDocument.version.desc())):
        form = _form(row)
        if row.series in found:
            found[row.series]["older"].append(form)
        else:
            found[row.series] = {**form, "older": []}
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Sent:
    """A document on its way out; only a picture may be shown in place."""

    content: bytes
    media: str
    file_name: str
    sha256: str
    inline: bool


def content_of(desk: RegistryDesk, who: Principal, code: str, number: int) -> Sent:
    """The bytes of one version.

    Raises:
        ApiError: 404 there is none in scope.
    """
    with reading(desk.sessions) as session:
        owner_in_scope(session, who, code)
        row = _document(session, who, code, number)
        blob = session.get_one(FileBlob, row.sha256)
        return Sent(blob.content, row.media, row.file_name, row.sha256, row.media in INLINE)


def _document(session: Session, who: Principal, code: str, number: int) -> FileDocument:
    statement = scoped(
        select(FileDocument).where(FileDocument.id == number, FileDocument.owner == code), who, FileDocument
    )
    row = session.scalar(statement)
    if row is None:
        raise not_found("文件", str(number))
    return row


def _newest(session: Session, owner: Owner, series: int) -> FileDocument:
    # scope: node-internal because the owner was found in scope
    same = select(FileDocument).where(FileDocument.owner == owner.code, FileDocument.series == series)
    row = session.scalar(same.order_by(FileDocument.version.desc()).limit(1))
    if row is None:
        raise not_found("文件", str(series))
    if row.withdrawn_at is not None:
        raise conflict("文件已经撤下,不能再上传新版本", "请作为新文件上传")
    return row


def _room(session: Session, owner: Owner) -> None:
    # scope: node-internal because the owner was found in scope
    held = select(func.count()).select_from(FileDocument).where(FileDocument.owner == owner.code)
    if (session.scalar(held) or 0) >= MAX_DOCUMENTS:
        raise conflict(f"一份档案最多 {MAX_DOCUMENTS} 个文件版本")


def check_words(given: Upload) -> tuple[str, str | None]:
    """Title and last day of validity (ISO, None without one) as they are kept.

    Raises:
        ApiError: 422 with every wrong field.
    """
    wrong = {}
    title, valid_to = None, None
    try:
        title = checked(_TITLE, given.title or given.file_name.rpartition(".")[0])
    except BadValueError as error:
        wrong["title"] = str(error)
    try:
        valid_to = checked(_VALID_TO, given.valid_to)
    except BadValueError as error:
        wrong["valid_to"] = str(error)
    if wrong or title is None:
        raise ApiError(422, "invalid", "请求内容不合要求", "请改正所列字段后重试", wrong or {"title": "必填"})
    return title, valid_to


def safe_name(given: str) -> str:
    """A file name without folders and without what a terminal or a header could stumble over."""
    bare = given.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in bare if letter.isprintable() and letter not in '"<>:|?*')[-200:] or "document"


def _form(row: FileDocument) -> dict[str, Any]:
    return {
        "id": row.id, "series": row.series, "version": row.version, "kind": row.kind, "title": row.title,
        "file_name": row.file_name, "media": row.media, "size": row.size, "sha256": row.sha256,
        "valid_to": row.valid_to, "at": iso(row.at), "who": row.who, "why": row.why, "inline": row.media in INLINE,
    }  # fmt: skip
