"""The slip room inside the node: hooks of the warnings, the calendar of the messages, and the clockwork."""

from __future__ import annotations

import asyncio
import logging
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.alarms.model import State
from hazwatch.alarms.tables import Alarm
from hazwatch.app.node import clock
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.notify import desk as notices
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.records.paging import count
from hazwatch.settings import Settings
from hazwatch.slips.model import State as SlipState
from hazwatch.slips.service import SlipDesk
from hazwatch.slips.store import hold
from hazwatch.slips.tables import SlipRow
from hazwatch.slips.views import MOST_DUTY
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import MINUTE, iso
from hazwatch.vocabulary.moments import Clock as Moments
from hazwatch.vocabulary.warnings import Tier, tier_of
from hazwatch.warnings import receipts
from hazwatch.warnings.service import Hooks
from hazwatch.warnings.tables import WarningReceipt, WarningRow

_log = logging.getLogger(__name__)
_EVERY_S = 1.0
#: Slips whose receipts one round notes.
_AT_ONCE = 500
#: 高高/低低 of an enterprise is answered within five minutes (docs/slips.md).
_ALARM_MS = 5 * MINUTE


def slip_desk(settings: Settings, sessions: Sessions, now: Moments = clock) -> SlipDesk:
    """The desk of the slips on this node."""

    def escalate(session: Session, warning: str, tier: Tier, why: str) -> None:
        receipts.escalate(session, warning, tier, why, now())

    return SlipDesk(sessions, now, escalate, _special, ZoneInfo(settings.zone))


def hooks(desk: SlipDesk) -> Hooks:
    """What a warning does to its slip, in the warning's own transaction."""
    return Hooks(desk.opened, desk.changed, desk.cleared, desk.appended, hold)


def _special(session: Session) -> dict[str, bool]:
    return {day["day"]: day["working"] for day in notices.calendar(session)}


def note_receipts(desk: SlipDesk) -> int:
    """Slips whose owner has its warning by now (a channel took it, or it was read) are delivered; returns how many."""
    # scope: node-internal because the receipts of the whole node are followed here
    waiting = (
        select(SlipRow.warning)
        .join(WarningReceipt, (WarningReceipt.warning == SlipRow.warning) & (WarningReceipt.node == SlipRow.path))
        .where(SlipRow.state == SlipState.MADE.value, WarningReceipt.delivered_at.is_not(None))
        .limit(_AT_ONCE)
    )
    with reading(desk.sessions) as session:
        found = session.scalars(waiting).all()
    for warning in found:
        with unit_of_work(desk.sessions) as session:
            desk.delivered(session, warning)
    return len(found)


async def run_clocks(desk: SlipDesk) -> None:
    """Let clocks climb until cancelled. Whatever is wrong with slips, alarms go on."""
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            climbed = await asyncio.to_thread(desk.tick, desk.clock())
            await asyncio.to_thread(note_receipts, desk)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001  # what was not done is still due
            _log.exception("slips: trying again")
            await asyncio.sleep(5.0)
        else:
            if climbed:
                _log.info("slips: %d clocks ran out", climbed)


def other_needs(session: Session, who: Principal, now: int) -> tuple[list[dict[str, object]], dict[str, int]]:
    """What else needs a duty officer: warnings not seen by their tier; at an enterprise, 高高/低低 not acknowledged."""
    both = scoped(
        select(WarningRow, WarningReceipt).join(WarningReceipt, WarningReceipt.warning == WarningRow.id),
        who,
        WarningRow,
    )
    mine = WarningReceipt.node == who.scope
    unseen = both.where(mine, WarningReceipt.seen_at.is_(None), WarningRow.cleared_at.is_(None))
    rows = session.execute(unseen.order_by(WarningRow.colour.desc(), WarningRow.id).limit(MOST_DUTY))
    items: list[dict[str, object]] = [_warning_need(row, receipt) for row, receipt in rows]
    counts = {"warnings": count(session, unseen.with_only_columns(WarningRow.id)), "alarms": 0}
    if tier_of(who.scope) is Tier.ENTERPRISE:
        alarms = scoped(select(Alarm), who, Alarm).where(
            Alarm.state == State.UNACKNOWLEDGED.value, Alarm.level.in_([Level.HH.value, Level.LL.value])
        )
        counts["alarms"] = count(session, alarms)
        found = session.scalars(alarms.order_by(Alarm.event_time, Alarm.id).limit(MOST_DUTY))
        items += [_alarm_need(row, now) for row in found]
    return items, counts


def _warning_need(row: WarningRow, receipt: WarningReceipt) -> dict[str, object]:
    return {
        "type": "warning", "id": row.id, "why": "请阅知预警", "name": row.name, "object": row.object,
        "colour": Colour(row.colour).word, "due_at": None, "due_zh": "", "overdue": False,
        "opened_at": iso(receipt.at), "state_zh": "未阅", "text": row.reason,
    }  # fmt: skip


def _alarm_need(row: Alarm, now: int) -> dict[str, object]:
    due = row.event_time + _ALARM_MS
    value = "" if row.value is None else f" {row.value:g} {row.unit}"
    return {
        "type": "alarm", "id": row.id, "why": "请确认报警", "name": row.point_name, "object": row.source,
        "colour": "", "due_at": iso(due), "due_zh": "确认", "overdue": due < now, "opened_at": iso(row.event_time),
        "state_zh": Level(row.level).zh, "text": f"{row.source_name}{value}",
    }  # fmt: skip
