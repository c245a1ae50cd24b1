"""Who gets a warning, and whether they have it: 送达 and 已阅 of every tier."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from hazwatch.identity.errors import ApiError, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import Tier, tiers_of
from hazwatch.warnings.book import Step
from hazwatch.warnings.model import Deed
from hazwatch.warnings.rules import Rules
from hazwatch.warnings.tables import WarningEvent, WarningReceipt, WarningRow

BY_TABLE = "table"
_PART = 5_000
_ANEW = {"delivered_at": None, "delivered_by": None, "seen_at": None, "seen_by": None}


def address(session: Session, steps: Sequence[Step], rules: Rules, fresh: Collection[str], now: int) -> None:
    """Write the recipients of warnings that got a colour. A worse colour has to be delivered and seen anew.

    Args:
        session: the running unit of work.
        steps: what happened, in order.
        rules: in force.
        fresh: ids of warnings that are new in this transaction.
        now: epoch ms.
    """
    known = _known(session, {s.warning.id for s in steps} - set(fresh))
    new: dict[tuple[str, int], dict[str, Any]] = {}
    for step in steps:
        if step.deed not in (Deed.RAISED, Deed.UPGRADED, Deed.REOPENED):
            continue
        w = step.warning
        nodes, to = tiers_of(w.path), rules.recipients(w.path, w.colour)
        for tier in sorted(to.act | to.inform):
            if tier not in nodes:
                continue
            key, act = (w.id, int(tier)), tier in to.act
            if key in new:
                new[key]["act"] |= act
            elif key not in known:
                new[key] = {
                    "warning": w.id, "tier": int(tier), "node": nodes[tier], "act": act, "why": BY_TABLE, "at": now,
                    "path": w.path, **_ANEW,
                }  # fmt: skip
        if w.id not in fresh:
            _again(session, w.id, to.act, now)
    if new:
        session.execute(insert(WarningReceipt), list(new.values()))


def _again(session: Session, warning: str, act: Collection[Tier], now: int) -> None:
    # scope: node-internal because the desk writes the warnings of every object of the node
    mine = update(WarningReceipt).where(WarningReceipt.warning == warning)
    session.execute(mine.values(at=now, **_ANEW))
    session.execute(mine.where(WarningReceipt.tier.in_([int(t) for t in act])).values(act=True))


def _known(session: Session, ids: Collection[str]) -> set[tuple[str, int]]:
    wanted, found = sorted(ids), set()
    for start in range(0, len(wanted), _PART):
        # scope: node-internal because the desk writes the warnings of every object of the node
        rows = select(WarningReceipt.warning, WarningReceipt.tier)
        part = rows.where(WarningReceipt.warning.in_(wanted[start : start + _PART]))
        found |= set(session.execute(part).tuples())
    return found


def escalate(session: Session, warning_id: str, tier: Tier, why: str, now: int) -> bool:
    """A clock ran out: one more tier has to act. Within the caller's transaction; doing it again changes nothing.

    Args:
        session: the running unit of work.
        warning_id: of the warning.
        tier: that is to act now; of one that the object does not have only the history tells.
        why: a sentence.
        now: epoch ms.

    Returns:
        Whether the tier was not acting before.
    """
    # scope: node-internal because clocks run for the whole node
    row = session.scalar(select(WarningRow).where(WarningRow.id == warning_id))
    if row is None:
        return False
    receipt = session.scalar(
        select(WarningReceipt).where(WarningReceipt.warning == warning_id, WarningReceipt.tier == int(tier))
    )
    if receipt is not None and receipt.act:
        return False
    if receipt is not None:
        receipt.act, receipt.why, receipt.at = True, why[:300], now
        receipt.delivered_at = receipt.delivered_by = receipt.seen_at = receipt.seen_by = None
    elif (node := tiers_of(row.path).get(tier)) is not None:
        session.add(
            WarningReceipt(
                warning=warning_id, tier=int(tier), node=node, act=True, why=why[:300], at=now, path=row.path, **_ANEW
            )
        )
    _add_event(session, row, Deed.ESCALATED, f"{tier.zh}:{why}", now)
    return True


def _add_event(session: Session, row: WarningRow, deed: Deed, reason: str, now: int) -> None:
    session.add(
        WarningEvent(
            warning=row.id, deed=deed.value, at=now, written_at=now, was=row.colour,
            colour=int(Colour.NONE) if row.cleared_at else row.colour, cause=row.cause, grade=None, reason=reason,
            path=row.path,
        )
    )  # fmt: skip


def delivered(session: Session, ids: Collection[str], node: str, by: str, now: int) -> int:
    """A tier has these warnings: its channel took the message, or an account of it has them on its page.

    Args:
        session: the running unit of work.
        ids: of warnings.
        node: path of the node of the tier.
        by: the channel or account.
        now: epoch ms.
    """
    # scope: node-internal because only receipts of the tier's own node are written
    mine = update(WarningReceipt).where(
        WarningReceipt.warning.in_(list(ids)), WarningReceipt.node == node, WarningReceipt.delivered_at.is_(None)
    )
    result = session.execute(mine.values(delivered_at=now, delivered_by=by[:100]))
    return int(result.rowcount)  # type: ignore[attr-defined]  # an update's result has it


def seen(session: Session, who: Principal, warning_id: str, now: int) -> bool:
    """Somebody of a tier has read a warning. The first one stands; whoever comes second changes nothing.

    Raises:
        ApiError: 404 no such warning in scope; 409 the asker's tier is no recipient.
    """
    row = session.scalar(scoped(select(WarningRow).where(WarningRow.id == warning_id), who, WarningRow))
    if row is None:
        raise not_found("预警", warning_id)
    mine = scoped(select(WarningReceipt).where(WarningReceipt.warning == warning_id), who, WarningReceipt)
    receipt = session.scalar(mine.where(WarningReceipt.node == who.scope).with_for_update())
    if receipt is None:
        raise ApiError(409, "no_recipient", "本级不是该预警的接收方", "只有接收层级的账号可以签收")
    if receipt.seen_at is not None:
        return False
    receipt.seen_at, receipt.seen_by = now, who.username
    if receipt.delivered_at is None:
        receipt.delivered_at, receipt.delivered_by = now, who.username
    _add_event(session, row, Deed.SEEN, f"{Tier(receipt.tier).zh}:{who.name}", now)
    return True
