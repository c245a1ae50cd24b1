"""Rules that need a second person: a version is drafted by one and put in force or turned down by another.

A room mixes ``Drafted`` into its table of versions and calls ``decide`` and ``withdraw`` inside its own unit of work.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.errors import conflict, forbidden, invalid
from hazwatch.identity.model import Principal
from hazwatch.vocabulary.moments import iso

DRAFT, APPROVED, RETIRED, REJECTED, WITHDRAWN = "draft", "approved", "retired", "rejected", "withdrawn"
LONGEST_WHY = 1000


class Drafted:
    """Mixin of a table of versions. ``base``: digest of what was in force when the draft was made."""

    state: Mapped[str] = mapped_column(String(12))
    base: Mapped[str] = mapped_column(String(12))
    digest: Mapped[str] = mapped_column(String(12))
    why: Mapped[str] = mapped_column(String(LONGEST_WHY))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_why: Mapped[str | None] = mapped_column(String(LONGEST_WHY))


def form(row: Drafted) -> dict[str, Any]:
    """Who drafted and decided a version, when and why."""
    return {
        "state": row.state, "base": row.base, "digest": row.digest, "why": row.why, "by": row.by, "at": iso(row.at),
        "decided_by": row.decided_by, "decided_at": iso(row.decided_at) if row.decided_at else None,
        "decided_why": row.decided_why,
    }  # fmt: skip


def reason(why: str, field: str = "why") -> str:
    """The reason, trimmed.

    Raises:
        ApiError: 422 there is none.
    """
    if not why.strip():
        raise invalid(field, "请写明原因")
    return why.strip()


def decide(row: Drafted, who: Principal, now: int, *, approve: bool, why: str, in_force: str) -> None:
    """A second person approves or rejects a draft; retiring what it replaces is the caller's.

    Args:
        row: the draft, held by the running unit of work.
        who: decides.
        now: epoch ms.
        approve: or reject.
        why: opinion.
        in_force: digest of what is in force now.

    Raises:
        ApiError: 403 the author approves; 409 it is no draft, or grew from what is no longer in force; 422 no reason.
    """
    _open(row)
    if approve and row.by == who.username:
        raise forbidden("起草人不能审批自己的草案", "请由另一人审批")
    if approve and row.base != in_force:
        raise conflict("草案起草后现行规则已经变化", "请否决或撤回后,在现行规则上重新起草")
    _decided(row, APPROVED if approve else REJECTED, who, now, why)


def withdraw(row: Drafted, who: Principal, now: int, why: str) -> None:
    """The author takes a draft back; it stays on the list.

    Raises:
        ApiError: 403 somebody else's; 409 it is no draft; 422 no reason.
    """
    _open(row)
    if row.by != who.username:
        raise forbidden("只有起草人可以撤回草案", "请由起草人撤回,或由有权的人否决")
    _decided(row, WITHDRAWN, who, now, why)


def _open(row: Drafted) -> None:
    if row.state != DRAFT:
        raise conflict("该版本已经审批或撤回", "请查看最新内容")


def _decided(row: Drafted, state: str, who: Principal, now: int, why: str) -> None:
    row.decided_why = reason(why)
    row.state, row.decided_by, row.decided_at = state, who.username, now
