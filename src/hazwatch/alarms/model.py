"""Pure: the states of an alarm record and what moves it from one to the other.

States are those of ISA-18.2 / IEC 62682. This cut knows A–D (the others are the alarm room's own issue):

    A normal                    the excursion is over and somebody has seen it (or nobody needed to): closed
    B unacknowledged            it stands and nobody has seen it: this one rings
    C acknowledged              it stands and somebody has seen it
    D returned_unacknowledged   it is over, and nobody has seen it

One record covers one excursion, from leaving normal to coming back. Escalation (H → HH, or over to the other side) is a
new annunciation in the same record: it re-opens an acknowledgement. Easing (HH → H) is not. What is found late never
rings: a late excursion that is already over is recorded as closed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from hazwatch.vocabulary.levels import Level

_NAMESPACE = uuid.UUID("6f2a1c1e-5d0b-5f5e-9a52-7a5d6b1e9c11")
KIND_PROCESS, KIND_QUALITY = "process", "quality"


class State(StrEnum):
    """State of an alarm record; the words are part of the API."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned_unacknowledged"


class Cause(StrEnum):
    """What can happen to a record."""

    RAISE = "raise"
    ESCALATE = "escalate"
    EASE = "ease"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"
    REVOKE = "revoke"


#: (state, cause) → state. What is not here cannot happen.
TABLE: dict[tuple[State, Cause], State] = {
    (State.NORMAL, Cause.RAISE): State.UNACKNOWLEDGED,
    (State.UNACKNOWLEDGED, Cause.ESCALATE): State.UNACKNOWLEDGED,
    (State.UNACKNOWLEDGED, Cause.EASE): State.UNACKNOWLEDGED,
    (State.UNACKNOWLEDGED, Cause.RETURN): State.RETURNED,
    (State.UNACKNOWLEDGED, Cause.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Cause.ESCALATE): State.UNACKNOWLEDGED,
    (State.ACKNOWLEDGED, Cause.EASE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Cause.RETURN): State.NORMAL,
    (State.RETURNED, Cause.ACKNOWLEDGE): State.NORMAL,
}

OPEN = (State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED)


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a point's current level, as the judge found it.

    Attributes:
        point: dense index.
        event_ts, arrived_at: epoch ms UTC.
        before, after: levels.
        value, limit: of the level concerned; limit NaN where there is none.
        limit_version: version of the limits in force.
        late: found late; never rings.
    """

    point: int
    event_ts: int
    arrived_at: int
    before: Level
    after: Level
    value: float
    limit: float
    limit_version: int
    late: bool = False


@dataclass(slots=True)
class Record:
    """One alarm record. Names as in docs/api.md; ``point`` is the dense index, ``level_since`` the newest level's."""

    id: str
    point: int
    kind: str
    level: Level
    worst_level: Level
    state: State
    value: float
    limit: float
    limit_version: int
    event_time: int
    arrived_at: int
    level_since: int
    found_late: bool
    returned_at: int | None = None
    closed_at: int | None = None
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    note: str | None = None
    revoked: bool = False

    @property
    def active(self) -> bool:
        """Whether the excursion still stands."""
        return self.state in (State.UNACKNOWLEDGED, State.ACKNOWLEDGED)

    @property
    def priority(self) -> int:
        """1 urgent (second set point) · 2 high (first set point) · 3 quality."""
        if self.kind == KIND_QUALITY:
            return 3
        return 1 if self.worst_level.severity > 1 else 2


@dataclass(frozen=True, slots=True)
class Event:
    """One line in the life of a record."""

    alarm_id: str
    event_time: int
    arrived_at: int
    cause: Cause
    from_state: State
    to_state: State
    level: Level
    value: float
    limit: float
    limit_version: int
    who: str | None = None
    note: str | None = None
    found_late: bool = False


@dataclass(slots=True)
class Change:
    """What a use case did: the records as they are now, and the lines to add."""

    records: dict[str, Record] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


def record_id(point_code: str, event_ts: int, kind: str = KIND_PROCESS) -> str:
    """The id of the excursion that began then. It is born where the point is and is the same on every replay."""
    return str(uuid.uuid5(_NAMESPACE, f"{point_code}/{kind}/{event_ts}"))


def cause_of(before: Level, after: Level) -> Cause:
    """What a change of level is to the record."""
    if after is Level.NORMAL:
        return Cause.RETURN
    if before is Level.NORMAL:
        return Cause.RAISE
    other_side = before.value * after.value < 0
    return Cause.ESCALATE if other_side or after.severity > before.severity else Cause.EASE


def begin(change: Transition, alarm_id: str, kind: str = KIND_PROCESS) -> tuple[Record, Event]:
    """A new record for an excursion that begins."""
    record = Record(
        alarm_id, change.point, kind, change.after, change.after, State.UNACKNOWLEDGED, change.value, change.limit,
        change.limit_version, change.event_ts, change.arrived_at, change.event_ts, change.late,
    )  # fmt: skip
    return record, _event(record, change, Cause.RAISE, State.NORMAL)


def go_on(record: Record, change: Transition) -> Event:
    """Take a change of level into the record of its excursion.

    Raises:
        KeyError: a cause that the state does not know.
    """
    cause = cause_of(change.before, change.after)
    before = record.state
    record.state = TABLE[before, cause]
    record.level = change.after
    record.level_since = change.event_ts
    if cause is Cause.RETURN:
        record.returned_at = change.event_ts
        if record.found_late and record.state is State.RETURNED:
            record.state = State.NORMAL
        if record.state is State.NORMAL:
            record.closed_at = change.event_ts
    elif cause is Cause.ESCALATE:
        record.value, record.limit, record.limit_version = change.value, change.limit, change.limit_version
        if change.after.severity >= record.worst_level.severity:
            record.worst_level = change.after
    return _event(record, change, cause, before)


def acknowledge(record: Record, who: str, note: str, at: int) -> Event | None:
    """A person has seen it. None when the record is not waiting for that."""
    after = TABLE.get((record.state, Cause.ACKNOWLEDGE))
    if after is None:
        return None
    before, record.state = record.state, after
    record.acknowledged_by, record.acknowledged_at, record.note = who, at, note or None
    if after is State.NORMAL:
        record.closed_at = at
    return Event(
        record.id, at, at, Cause.ACKNOWLEDGE, before, after, record.level, record.value, record.limit,
        record.limit_version, who, note or None,
    )  # fmt: skip


def revoke(record: Record, at: int) -> Event:
    """Late data showed that the excursion was none. The record stays, closed and marked."""
    before, record.state = record.state, State.NORMAL
    record.revoked, record.closed_at = True, at
    return Event(
        record.id, record.event_time, at, Cause.REVOKE, before, State.NORMAL, record.level, record.value, record.limit,
        record.limit_version, note="迟到数据更正", found_late=True,
    )  # fmt: skip


def _event(record: Record, change: Transition, cause: Cause, before: State) -> Event:
    return Event(
        record.id, change.event_ts, change.arrived_at, cause, before, record.state, change.after, change.value,
        change.limit, change.limit_version, found_late=change.late,
    )  # fmt: skip
