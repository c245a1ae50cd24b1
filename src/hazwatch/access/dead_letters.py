"""Keeping and listing refusals. Bounded: the oldest go when there are too many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from hazwatch.access.tables import DeadLetterRow
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, unit_of_work
from hazwatch.records.paging import Page, PageRequest, contains, count
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.vocabulary.moments import iso

#: Letters kept at most.
MOST = 100_000


def keep(sessions: Sessions, letters: Sequence[DeadLetter], path_of: Callable[[str], str]) -> None:
    """Write letters.

    Args:
        sessions: of the records.
        letters: what was refused.
        path_of: link code → path of its owner; the root for what nobody owns.
    """
    rows = [
        {
            "at": l.at, "link": l.link[:64], "reason": l.reason.value, "detail": l.detail, "count": l.count,
            "excerpt": l.excerpt, "path": path_of(l.link),
        }
        for l in letters  # noqa: E741  # a letter
    ]  # fmt: skip
    with unit_of_work(sessions) as session:
        session.execute(insert(DeadLetterRow), rows)
        # scope: node-internal because the list is bounded as a whole
        newest = session.scalar(select(func.max(DeadLetterRow.id))) or 0
        session.execute(delete(DeadLetterRow).where(DeadLetterRow.id <= newest - MOST))


def page(
    session: Session, who: Principal, request: PageRequest, *, link: str, reason: str, q: str
) -> Page[dict[str, Any]]:
    """Refusals in scope, newest first."""
    statement = scoped(select(DeadLetterRow), who, DeadLetterRow)
    if link:
        statement = statement.where(DeadLetterRow.link == link)
    if reason:
        statement = statement.where(DeadLetterRow.reason == Refusal(reason).value)
    if q:
        statement = statement.where(contains(q, DeadLetterRow.detail))
    total = count(session, statement)
    rows = session.scalars(statement.order_by(DeadLetterRow.id.desc()).offset(request.offset).limit(request.page_size))
    items = [
        {
            "id": r.id, "at": iso(r.at), "link": r.link, "reason": r.reason, "detail": r.detail, "count": r.count,
            "excerpt": r.excerpt,
        }
        for r in rows
    ]  # fmt: skip
    return Page(items, total, request.page, request.page_size)
