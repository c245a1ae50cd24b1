"""Messages of the node: what the notify room asks of the alarm room, and the loop that sends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.alarms.model import OPEN, State
from hazwatch.alarms.tables import Alarm
from hazwatch.app import warning_told
from hazwatch.app.node import clock
from hazwatch.app.warning_told import PREFIX
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.secrets import master_key
from hazwatch.notify.cap import CapAlarm
from hazwatch.notify.model import Told
from hazwatch.notify.send import send
from hazwatch.notify.service import Notifier
from hazwatch.records.engine import Sessions
from hazwatch.settings import Settings
from hazwatch.vocabulary.levels import Level

_log = logging.getLogger(__name__)
_EVERY_S = 0.5
#: While no channel is enabled, only the offset moves along.
_NOBODY_S = 15.0
_LEVELS = {Level.LL: "低低", Level.L: "低", Level.H: "高", Level.HH: "高高", Level.NORMAL: "正常"}
#: Entries of the CAP feed; it tells what stands now, not history.
_CAP = 500
#: Ids in one question: databases have a limit.
_PART = 5_000


def _told(row: Alarm) -> Told:
    level = Level(row.level or row.worst_level)
    return Told(
        row.id, row.seq, row.path, row.priority, row.event_time, _LEVELS[level], row.point_code, row.point_name,
        row.source_name, row.enterprise_name, row.value, row.unit,
        row.state == State.UNACKNOWLEDGED.value and not row.found_late and not row.revoked, row.simulated,
    )  # fmt: skip


def alarms_after(session: Session, seq: int, most: int) -> Sequence[Told]:
    """Alarms whose newest change is after a number; with ``most`` 0 only the newest of all."""
    # scope: node-internal because messages are made for the whole node
    if most == 0:
        newest = session.scalar(select(func.max(Alarm.seq))) or 0
        statement = select(Alarm).where(Alarm.seq == newest).limit(1)
    else:
        statement = select(Alarm).where(Alarm.seq > seq).order_by(Alarm.seq).limit(most)
    return [_told(row) for row in session.scalars(statement)]


def by_id(session: Session, ids: Collection[str]) -> Mapping[str, Told]:
    """Alarms and warnings by id."""
    wanted = [i for i in ids if not i.startswith(PREFIX)]
    found = warning_told.by_id(session, [i for i in ids if i.startswith(PREFIX)])
    for start in range(0, len(wanted), _PART):
        # scope: node-internal because messages are made for the whole node
        rows = session.scalars(select(Alarm).where(Alarm.id.in_(wanted[start : start + _PART])))
        found |= {row.id: _told(row) for row in rows}
    return found


def cap_alarms(session: Session, who: Principal, alarm_id: str | None) -> Sequence[CapAlarm]:
    """Alarms in scope for CAP: those that are open, newest first, or the one of an id."""
    statement = scoped(select(Alarm), who, Alarm)
    if alarm_id is None:
        statement = statement.where(Alarm.state.in_([state.value for state in OPEN]))
    else:
        statement = statement.where(Alarm.id == alarm_id)
    rows = session.scalars(statement.order_by(Alarm.event_time.desc(), Alarm.id).limit(_CAP))
    return [
        CapAlarm(
            r.id, r.event_time,
            max(t for t in (r.event_time, r.level_since, r.returned_at, r.acknowledged_at, r.closed_at) if t),
            r.closed_at is not None or r.revoked, r.simulated, r.priority,
            _LEVELS[Level(r.level or r.worst_level)], r.point_code, r.point_name, r.source_name,
            r.enterprise_name, r.value, r.limit, r.unit,
        )
        for r in rows
    ]  # fmt: skip


class Notices:
    """The loop; runs in one engine of a node only."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._notifier = Notifier(
            sessions, alarms_after, by_id, send, master_key(settings.home), ZoneInfo(settings.zone),
            warning_told.after, warning_told.sent,
        )  # fmt: skip

    async def run(self) -> None:
        """Work until cancelled. Whatever is wrong with messages, the engine goes on."""
        sending: dict[str, asyncio.Task[bool]] = {}
        while True:
            try:
                await asyncio.sleep(_EVERY_S if await asyncio.to_thread(self._notifier.anybody) else _NOBODY_S)
                await asyncio.to_thread(self._notifier.take_in, clock())
                await asyncio.to_thread(self._notifier.take_over, clock())
                await asyncio.to_thread(self._notifier.group, clock())
                for number, channel in await asyncio.to_thread(self._notifier.waiting, clock()):
                    if channel not in sending or sending[channel].done():
                        # One at a time for each channel: a service that hangs holds back nobody else.
                        work = asyncio.to_thread(self._notifier.deliver, number, clock)
                        sending[channel] = asyncio.create_task(work)
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001  # whatever is wrong, alarms go on and messages are tried again
                _log.exception("messages: trying again")
                await asyncio.sleep(5.0)
