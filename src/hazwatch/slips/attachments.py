"""Attachments of slips: taken in, and given back. What a deed names stays; nothing is ever deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.documents.photos import MAX_ATTACHMENT, accept
from hazwatch.documents.sniff import RefusedDocumentError
from hazwatch.identity import audit
from hazwatch.identity.errors import ApiError, conflict, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.slips.service import SlipDesk, found
from hazwatch.slips.store import slip_of
from hazwatch.slips.tables import SlipAttachment, SlipBlob
from hazwatch.vocabulary.moments import iso

#: Of one slip; a feedback has a handful.
MOST = 60


def attach(
    desk: SlipDesk, who: Principal, slip_id: str, content: bytes, file_name: str, declared: str
) -> dict[str, Any]:
    """Keep an attachment of an open slip; a deed may then name its number.

    Raises:
        ApiError: 404; 409 closed or full; 413 too large; 422 it is not taken, with the reason.
    """
    with reading(desk.sessions) as session:
        found(session, who, slip_id)
    try:
        taken = accept(content, file_name, declared)
    except RefusedDocumentError as error:
        status = 413 if len(content) > MAX_ATTACHMENT else 422
        hint = "请直接拍照或另存为 JPEG、PNG、PDF 后重试"
        raise ApiError(status, "bad_document", str(error), hint, {"file": str(error)}) from error
    with unit_of_work(desk.sessions) as session:
        row = found(session, who, slip_id)
        if not slip_of(row).open:
            raise conflict("报告单已关闭,不能再加附件")
        # scope: node-internal because the slip was found in scope
        held = select(func.count()).select_from(SlipAttachment).where(SlipAttachment.slip == slip_id)
        if (session.scalar(held) or 0) >= MOST:
            raise conflict(f"一张报告单最多 {MOST} 个附件")
        if session.get(SlipBlob, taken.sha256) is None:
            session.add(SlipBlob(sha256=taken.sha256, content=taken.content))
            session.flush()
        kept = SlipAttachment(
            slip=slip_id, sha256=taken.sha256, original=taken.original, file_name=_safe_name(file_name, taken.media),
            media=taken.media, size=len(taken.content), taken=taken.taken, at=desk.clock(), username=who.username,
            name=who.name, path=row.path,
        )  # fmt: skip
        session.add(kept)
        session.flush()
        detail = {"attachment": kept.id, "sha256": kept.sha256, "original": kept.original}
        audit.record(session, kept.at, who, "slip.attachment", slip_id, row.path, detail)
        return form(kept)


def listed(session: Session, slip_id: str) -> list[dict[str, Any]]:
    """Attachments of a slip that was found in scope."""
    # scope: node-internal because the slip was found in scope, and its attachments lie with it
    rows = session.scalars(select(SlipAttachment).where(SlipAttachment.slip == slip_id).order_by(SlipAttachment.id))
    return [form(row) for row in rows]


def one(session: Session, who: Principal, slip_id: str, number: int) -> tuple[SlipAttachment, bytes]:
    """An attachment with its bytes.

    Raises:
        ApiError: 404.
    """
    wanted = scoped(select(SlipAttachment).where(SlipAttachment.slip == slip_id), who, SlipAttachment)
    row = session.scalar(wanted.where(SlipAttachment.id == number))
    if row is None:
        raise not_found("附件", str(number))
    return row, session.get_one(SlipBlob, row.sha256).content


def form(row: SlipAttachment) -> dict[str, Any]:
    """An attachment for the API."""
    return {
        "id": row.id, "file_name": row.file_name, "media": row.media, "size": row.size, "sha256": row.sha256,
        "original": row.original, "taken": row.taken, "at": iso(row.at), "by": row.username, "by_name": row.name,
        "photo": row.media.startswith("image/"),
    }  # fmt: skip


def _safe_name(given: str, media: str) -> str:
    """A name without folders; the ending is that of what is kept."""
    bare = given.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    bare = "".join(letter for letter in bare if letter.isprintable() and letter not in '"<>:|?*')[:120] or "附件"
    return f"{bare}.{'pdf' if media.endswith('pdf') else 'jpg'}"
