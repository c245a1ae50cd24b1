"""Use cases of the check of the chains as people run it: one at a time, with its progress, and what it found by slip.

The check itself is ``slips.verify``; here it is a row that every process of the node sees.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.audit import verify_audit
from hazwatch.identity.errors import conflict
from hazwatch.identity.model import ROOT, Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.records.paging import Page, PageRequest, count, like
from hazwatch.slips.model import State
from hazwatch.slips.service import SlipDesk
from hazwatch.slips.tables import SlipBlob, SlipCheck, SlipFinding, SlipHead, SlipRow, SlipStep
from hazwatch.slips.verify import SlipReport, verify_slips
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import SECOND, iso

RUNNING, DONE, FAILED = "running", "done", "failed"
#: A check that was not heard of for so long died with its process.
SILENT_MS = 60 * SECOND
_LONGEST = 500
_log = logging.getLogger(__name__)


def start(desk: SlipDesk, who: Principal) -> dict[str, Any]:
    """Begin a check in a thread of its own; returns it as ``state``.

    Raises:
        ApiError: 409 one is running.
    """
    now = desk.clock()
    with unit_of_work(desk.sessions) as session:
        head = session.scalars(select(SlipHead).with_for_update()).one()
        last = _last(session)
        if last is not None and _alive(last, now):
            raise conflict("核验正在进行", "请等它完成")
        # scope: node-internal because the check runs through all scopes; only its progress is told
        counted = (select(func.count()).select_from(SlipRow), select(func.count()).select_from(SlipBlob))
        more = sum(session.scalar(statement) or 0 for statement in counted)
        row = SlipCheck(
            state=RUNNING, by=who.username, at=now, seen_at=now, done=0, total=head.length + more, steps=0, slips=0,
            attachments=0, findings=0, head=head.digest, audit_length=0, audit="",
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record(session, now, who, "slip.verify", str(row.id), who.scope)
        form = _form(row, now)
    threading.Thread(target=run, args=(desk, row.id), name="verify", daemon=True).start()
    return form


def run(desk: SlipDesk, number: int) -> None:
    """Check, and keep what was found."""

    def told(done: int) -> None:
        _note(desk, number, {"done": done})

    try:
        with reading(desk.sessions) as session:
            report, log = verify_slips(session, told), verify_audit(session)
            paths = _paths(session, report)
    except Exception:  # noqa: BLE001  # told as failed; it can be run again
        _log.exception("the check of the slips failed")
        _note(desk, number, {"state": FAILED})
        return
    rows = [
        {
            "check": number,
            "slip": f.slip,
            "number": f.number,
            "text": f.text[:_LONGEST],
            "path": paths.get(f.slip, ROOT),
        }
        for f in report.findings
    ]
    with unit_of_work(desk.sessions) as session:
        # scope: node-internal because a new check replaces what the last one found, whole
        session.execute(delete(SlipFinding).where(SlipFinding.check != number))
        if rows:
            session.execute(insert(SlipFinding), rows)
        values = {
            "state": DONE, "steps": report.steps, "slips": report.slips, "attachments": report.attachments,
            "findings": len(rows), "audit_length": log.length, "audit": log.reason[:300], "seen_at": desk.clock(),
        }  # fmt: skip
        session.execute(update(SlipCheck).where(SlipCheck.id == number).values(values | {"done": SlipCheck.total}))


def _note(desk: SlipDesk, number: int, values: Mapping[str, Any]) -> None:
    with unit_of_work(desk.sessions) as session:
        noted = dict(values) | {"seen_at": desk.clock()}
        session.execute(update(SlipCheck).where(SlipCheck.id == number).values(noted))


def _paths(session: Session, report: SlipReport) -> dict[str, str]:
    """Where the slips with findings lie; of a slip that was deleted its steps say it."""
    wanted = sorted({f.slip for f in report.findings if f.slip})
    # scope: node-internal because findings get the path that decides who reads them
    found = dict(session.execute(select(SlipStep.slip, SlipStep.path).where(SlipStep.slip.in_(wanted))).tuples().all())
    found |= dict(session.execute(select(SlipRow.id, SlipRow.path).where(SlipRow.id.in_(wanted))).tuples().all())
    return found


def state(session: Session, now: int, *, whole: bool) -> dict[str, Any]:
    """The last check and how far it is; figures of the whole node only for who answers for it."""
    last = _last(session)
    finished = session.scalars(
        select(SlipCheck).where(SlipCheck.state == DONE).order_by(SlipCheck.id.desc()).limit(1)
    ).first()
    hidden = {} if whole else {"findings": None, "audit": "", "audit_ok": None, "audit_length": None}
    return {
        "current": _form(last, now) | hidden if last else None,
        "last": _form(finished, now) | hidden if finished else None, "may_run": whole,
    }  # fmt: skip


def of_slips(
    session: Session, who: Principal, request: PageRequest, *, wrong: bool = False, q: str = ""
) -> Page[dict[str, Any]]:
    """Slips in scope with what the last finished check said of each; ``wrong``: only those with findings."""
    check = session.scalars(
        select(SlipCheck).where(SlipCheck.state == DONE).order_by(SlipCheck.id.desc()).limit(1)
    ).first()
    number = check.id if check else 0
    if wrong:
        named = scoped(select(SlipFinding.slip).where(SlipFinding.check == number), who, SlipFinding)
        if q:
            named = named.where(SlipFinding.slip.like(like(q), escape="\\"))
        listed = named.group_by(SlipFinding.slip).order_by(SlipFinding.slip)
    else:
        listed = scoped(select(SlipRow.id), who, SlipRow)
        if q:
            text = like(q)
            columns = (SlipRow.id, SlipRow.name, SlipRow.object)
            listed = listed.where(or_(*(c.like(text, escape="\\") for c in columns)))
        listed = listed.order_by(SlipRow.opened_at.desc(), SlipRow.id.desc())
    ids = session.scalars(listed.offset(request.offset).limit(request.page_size)).all()
    rows = {r.id: r for r in session.scalars(scoped(select(SlipRow).where(SlipRow.id.in_(ids)), who, SlipRow))}
    its = (SlipFinding.check == number, SlipFinding.slip.in_(ids))
    found: dict[str, list[SlipFinding]] = {}
    for one in session.scalars(scoped(select(SlipFinding).where(*its), who, SlipFinding).order_by(SlipFinding.id)):
        found.setdefault(one.slip, []).append(one)
    digests = _digests(session, ids)
    at = check.at if check else 0
    items = [_result(i, rows.get(i), found.get(i, []), at, digests.get(i, "")) for i in ids]
    return Page(items, count(session, listed), request.page, request.page_size)


def _digests(session: Session, ids: Any) -> dict[str, str]:
    # scope: node-internal because the slips were found in scope
    last = select(func.max(SlipStep.id)).where(SlipStep.slip.in_(ids)).group_by(SlipStep.slip)
    return dict(session.execute(select(SlipStep.slip, SlipStep.digest).where(SlipStep.id.in_(last))).tuples().all())


def _result(slip: str, row: SlipRow | None, found: list[SlipFinding], at: int, digest: str) -> dict[str, Any]:
    told = [{"number": f.number, "text": f.text} for f in found]
    if row is None:
        kept = {"name": "", "object": "", "state_zh": "", "colour": "none", "opened_at": None, "steps": None}
        return {"id": slip, **kept, "digest": digest, "result": "wrong", "findings": told}
    result = "wrong" if told else "whole" if at and row.opened_at <= at else "unchecked"
    return {
        "id": slip, "name": row.name, "object": row.object, "state_zh": State(row.state).zh,
        "colour": Colour(row.worst).word, "opened_at": iso(row.opened_at), "steps": row.version, "digest": digest,
        "result": result, "findings": told,
    }  # fmt: skip


def _last(session: Session) -> SlipCheck | None:
    return session.scalars(select(SlipCheck).order_by(SlipCheck.id.desc()).limit(1)).first()


def _alive(row: SlipCheck, now: int) -> bool:
    return row.state == RUNNING and now - row.seen_at < SILENT_MS


def _form(row: SlipCheck, now: int) -> dict[str, Any]:
    died = row.state == RUNNING and not _alive(row, now)
    return {
        "id": row.id, "state": FAILED if died else row.state, "by": row.by, "at": iso(row.at), "done": row.done,
        "total": row.total, "steps": row.steps, "slips": row.slips, "attachments": row.attachments,
        "findings": row.findings, "head": row.head, "took_s": round((row.seen_at - row.at) / SECOND, 1),
        "audit_length": row.audit_length, "audit": row.audit, "audit_ok": row.state == DONE and not row.audit,
    }  # fmt: skip
