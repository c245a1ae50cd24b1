"""Warnings as messages: what the notify room asks of the warning room."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.notify.model import Handed, Told
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import WarningKind
from hazwatch.warnings import receipts
from hazwatch.warnings.model import Deed
from hazwatch.warnings.tables import WarningEvent, WarningReceipt, WarningRow

#: How the ids of warnings begin; those of alarms never do.
PREFIX = "YJ"
_PUSHED = [
    d.value
    for d in (Deed.RAISED, Deed.UPGRADED, Deed.DOWNGRADED, Deed.CLEARED, Deed.REOPENED, Deed.ESCALATED)
]  # fmt: skip
_LONGEST = 120


def after(session: Session, seq: int, most: int) -> Sequence[Handed]:
    """For whom there is something new after an event: all tiers; of a clock that ran out the silent ones that act."""
    # scope: node-internal because messages are made for the whole node; each goes to the channels of one node of it
    if most == 0:
        newest = session.scalar(select(func.max(WarningEvent.id)).where(WarningEvent.deed.in_(_PUSHED)))
        return [] if newest is None else [Handed(newest, "", "")]
    events = (
        select(WarningEvent.id, WarningEvent.warning, WarningEvent.deed)
        .where(WarningEvent.id > seq, WarningEvent.deed.in_(_PUSHED))
        .order_by(WarningEvent.id)
        .limit(most)
    ).subquery()
    rows = session.execute(
        select(events.c.id, events.c.warning, events.c.deed, WarningReceipt.node, WarningReceipt.act,
               WarningReceipt.seen_at)
        .join(WarningReceipt, WarningReceipt.warning == events.c.warning, isouter=True)
        .order_by(events.c.id)
    )  # fmt: skip
    found = []
    for number, warning, deed, node, act, seen_at in rows:
        escalated = deed == Deed.ESCALATED.value
        # A tier that has to hear nothing still moves the offset along: nobody has channels at "".
        wanted = node is not None and (not escalated or (act and seen_at is None))
        found.append(Handed(number, warning, node if wanted else "", escalated))
    return found


def by_id(session: Session, ids: Collection[str]) -> dict[str, Told]:
    """Warnings as messages say them."""
    if not ids:
        return {}
    # scope: node-internal because messages are made for the whole node
    rows = session.scalars(select(WarningRow).where(WarningRow.id.in_(list(ids))))
    return {
        r.id: Told(
            r.id, 0, r.path, 1 + int(Colour.RED) - r.colour, r.changed_at,
            f"{Colour(r.colour).zh}色预警" + ("已解除" if r.cleared_at else ""), r.object, r.reason[:_LONGEST], r.name,
            WarningKind(r.kind).zh, None, "", open=False, simulated=r.simulated,
        )
        for r in rows
    }  # fmt: skip


def sent(session: Session, ids: Sequence[str], path: str, channel: str, at: int) -> None:
    """A channel took a message: its tier has the warnings in it."""
    mine = [i for i in ids if i.startswith(PREFIX)]
    if mine:
        receipts.delivered(session, mine, path, channel, at)
