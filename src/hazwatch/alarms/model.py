"""Pure: the nine states of an alarm record and what moves it from one to the other.

States are those of ISA-18.2 / IEC 62682:

    A normal                    the excursion is over and somebody has seen it (or nobody needed to): closed
    B unacknowledged            it stands and nobody has seen it: this one rings
    C acknowledged              it stands and somebody has seen it
    D returned_unacknowledged   it is over, and nobody has seen it
    E latched_unacknowledged    it is over but held by its latch, and nobody has seen it
    F latched_acknowledged      it is over but held by its latch until a person resets it
    G shelved                   set aside by a person, for a reason and until a moment
    H suppressed                set aside by design: a declared rule over other points says that it means nothing now
    I out_of_service            set aside for maintenance, with approval, until a return date

One record covers one excursion, from leaving normal to coming back. Escalation (H → HH, or over to the other side) is a
new annunciation in the same record: it re-opens an acknowledgement. Easing (HH → H) is not. G, H and I are judged on
underneath: leaving them shows the state of now, unacknowledged if it stands. What is found late never rings: a late
excursion that is already over is recorded as closed.

``TABLE`` is the whole of it: (state, cause, what holds after it) → state. What is not there cannot happen.
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
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


class Cause(StrEnum):
    """What can happen to a record."""

    RAISE = "raise"
    ESCALATE = "escalate"
    EASE = "ease"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    REALARM = "realarm"
    SILENCE = "silence"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    REMOVE = "remove"
    RESTORE = "restore"
    REVOKE = "revoke"


class After(StrEnum):
    """What holds of the alarm after an event: the process, its latch, or the strongest hold that covers its level."""

    STANDS = "stands"
    OVER = "over"
    LATCHED = "latched"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


#: Causes that come from the judge. Late data replaces their lines; what people did stays.
JUDGED = (Cause.RAISE, Cause.ESCALATE, Cause.EASE, Cause.RETURN)

#: The three ways to set an alarm aside, weakest first: the state, and how it is entered and left.
HELD: dict[After, tuple[State, Cause, Cause]] = {
    After.SHELVED: (State.SHELVED, Cause.SHELVE, Cause.UNSHELVE),
    After.SUPPRESSED: (State.SUPPRESSED, Cause.SUPPRESS, Cause.UNSUPPRESS),
    After.OUT_OF_SERVICE: (State.OUT_OF_SERVICE, Cause.REMOVE, Cause.RESTORE),
}
STRENGTH = {after: n for n, after in enumerate(HELD)}

Key = tuple[State, Cause, After]


def _annunciated() -> dict[Key, State]:
    """A–F: the alarm is in its own hands."""
    a, b, c, d = State.NORMAL, State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED
    e, f = State.LATCHED_UNACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED
    stands, over, latched = After.STANDS, After.OVER, After.LATCHED
    return {
        (a, Cause.RAISE, stands): b,
        (b, Cause.ESCALATE, stands): b,
        (b, Cause.EASE, stands): b,
        (b, Cause.RETURN, over): d,
        (b, Cause.RETURN, latched): e,
        (b, Cause.ACKNOWLEDGE, stands): c,
        (b, Cause.SILENCE, stands): b,
        (c, Cause.ESCALATE, stands): b,
        (c, Cause.EASE, stands): c,
        (c, Cause.RETURN, over): a,
        (c, Cause.RETURN, latched): f,
        (c, Cause.REALARM, stands): b,
        (d, Cause.ACKNOWLEDGE, over): a,
        (e, Cause.ACKNOWLEDGE, latched): f,
        (e, Cause.RESET, latched): d,
        (f, Cause.RESET, latched): a,
    }


def _set_aside() -> dict[Key, State]:
    """G, H and I: entering, judging on underneath, leaving into the state of now."""
    b, c = State.UNACKNOWLEDGED, State.ACKNOWLEDGED
    e, f = State.LATCHED_UNACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED
    rows: dict[Key, State] = {}
    for hold, (held, enter, leave) in HELD.items():
        rows[State.NORMAL, Cause.RAISE, hold] = held
        rows |= {(state, enter, hold): held for state in (b, c, e, f)}
        # Grown into a level that is set aside it goes there; eased into one, it stays where people know it.
        rows |= {(state, Cause.ESCALATE, hold): held for state in (b, c)}
        rows |= {(state, Cause.EASE, hold): state for state in (b, c)}
        rows[held, Cause.RETURN, After.OVER] = State.NORMAL
        rows[held, Cause.RETURN, After.LATCHED] = held
        for cause in (Cause.ESCALATE, Cause.EASE):
            rows[held, cause, After.STANDS] = b
            rows |= {(held, cause, other): HELD[other][0] for other in HELD}
        rows[held, leave, After.STANDS] = b
        rows[held, leave, After.LATCHED] = e
        for other, (state, enter_other, _) in HELD.items():
            if STRENGTH[other] < STRENGTH[hold]:
                rows[held, leave, other] = state
            if STRENGTH[other] > STRENGTH[hold]:
                rows[held, enter_other, other] = state
    return rows


#: (state, cause, what holds after it) → state. What is not here cannot happen.
TABLE: dict[Key, State] = _annunciated() | _set_aside()

#: Set aside: in lists of their own.
ASIDE = (State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE)
#: A person has to acknowledge.
WAITING = (State.UNACKNOWLEDGED, State.RETURNED, State.LATCHED_UNACKNOWLEDGED)
#: On the operator's list.
LISTED = (*WAITING, State.ACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED)
#: Not closed.
OPEN = (*LISTED, *ASIDE)


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


@dataclass(frozen=True, slots=True)
class Aside:
    """Why a record is set aside now, as its list shows it.

    Attributes:
        by: who shelved it or asked for it to be taken out of service; name of the rule that suppresses it.
        why: the reason.
        until: when it ends by itself, epoch ms; None for a rule.
        mode: of shelving: ``timed`` or ``one_shot``.
    """

    by: str = ""
    why: str = ""
    until: int | None = None
    mode: str = ""


@dataclass(slots=True)
class Record:
    """One alarm record. Names as in docs/api.md; ``point`` is the dense index, ``level_since`` the newest level's.

    ``latched``: its latch holds it after the return. ``silenced_in``: codes of the control rooms that silenced it.
    ``first_out``: id of the record that began the burst it belongs to. ``seq``: number of its newest change; ``rose``:
    that change annunciates it (anew).
    """

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
    latched: bool = False
    silenced_in: tuple[str, ...] = ()
    first_out: str = ""
    aside: Aside | None = None
    seq: int = field(default=0, compare=False)
    rose: bool = field(default=False, compare=False)

    @property
    def active(self) -> bool:
        """Whether the excursion still stands, seen or not, set aside or not."""
        return self.returned_at is None and self.state is not State.NORMAL

    @property
    def standing(self) -> After:
        """What holds of it, as far as the process and its latch go."""
        if self.active:
            return After.STANDS
        return After.LATCHED if self.latched else After.OVER

    @property
    def priority(self) -> int:
        """1 urgent (second set point) · 2 high (first set point) · 3 quality."""
        return priority_of(self.kind, self.worst_level)


def priority_of(kind: str, level: Level) -> int:
    """1 urgent (second set point) · 2 high (first set point) · 3 quality."""
    if kind == KIND_QUALITY:
        return 3
    return 1 if level.severity > 1 else 2


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

    @property
    def rises(self) -> bool:
        """Whether it annunciates the alarm: newly, at a worse level, again, or back from being set aside."""
        to_b = self.to_state is State.UNACKNOWLEDGED and not self.found_late
        return to_b and (self.from_state is not State.UNACKNOWLEDGED or self.cause is Cause.ESCALATE)


@dataclass(slots=True)
class Change:
    """What a use case did: the records as they are now, those that began in it, and the lines to add.

    The first ``redrawn`` lines come from late data: they tell the past anew, and nothing rises by them.
    """

    records: dict[str, Record] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    redrawn: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person, a rule or the passing of time does to a record."""

    cause: Cause
    at: int
    who: str | None = None
    note: str | None = None


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


def begin(
    change: Transition, alarm_id: str, kind: str = KIND_PROCESS, hold: After | None = None
) -> tuple[Record, Event]:
    """A new record for an excursion that begins; ``hold`` is the strongest hold that covers its level."""
    record = Record(
        alarm_id, change.point, kind, change.after, change.after,
        TABLE[State.NORMAL, Cause.RAISE, hold or After.STANDS], change.value, change.limit, change.limit_version,
        change.event_ts, change.arrived_at, change.event_ts, change.late,
    )  # fmt: skip
    return record, _event(record, change, Cause.RAISE, State.NORMAL)


def go_on(record: Record, change: Transition, *, latching: bool = False, hold: After | None = None) -> Event:
    """Take a change of level into the record of its excursion.

    Args:
        record: changed in place.
        change: what the judge found.
        latching: the alarm is configured to latch.
        hold: the strongest hold that covers the new level.

    Raises:
        KeyError: a cause that the state does not know.
    """
    cause = cause_of(change.before, change.after)
    before = record.state
    if cause is Cause.RETURN:
        after = After.LATCHED if latching and not record.found_late else After.OVER
    else:
        after = hold or After.STANDS
    record.state = TABLE[before, cause, after]
    record.level = change.after
    record.level_since = change.event_ts
    if cause is Cause.RETURN:
        record.returned_at = change.event_ts
        record.latched = after is After.LATCHED
        if record.found_late and record.state is State.RETURNED:
            record.state = State.NORMAL
        if record.state is State.NORMAL:
            _close(record, change.event_ts)
    elif cause is Cause.ESCALATE:
        record.value, record.limit, record.limit_version = change.value, change.limit, change.limit_version
        record.silenced_in = ()
        if change.after.severity >= record.worst_level.severity:
            record.worst_level = change.after
    if record.state not in ASIDE:
        record.aside = None
    return _event(record, change, cause, before)


def acknowledge(record: Record, who: str, note: str, at: int) -> Event | None:
    """A person has seen it. None when the record is not waiting for that."""
    event = happen(record, Deed(Cause.ACKNOWLEDGE, at, who, note or None), record.standing)
    if event is not None:
        record.acknowledged_by, record.acknowledged_at, record.note = who, at, note or None
    return event


def happen(record: Record, deed: Deed, after: After) -> Event | None:
    """Something that the judge did not say: a person's deed, a rule, time. None when the state does not know it.

    Args:
        record: changed in place.
        deed: what happens.
        after: what holds of the alarm after it.
    """
    to = TABLE.get((record.state, deed.cause, after))
    if to is None:
        return None
    before, record.state = record.state, to
    if deed.cause is Cause.RESET:
        record.latched = False
    if to not in ASIDE:
        record.aside = None
    if to is State.UNACKNOWLEDGED and before is not to:
        # A new annunciation: whoever had silenced or seen the old one has not seen this one.
        record.silenced_in = ()
    if to is State.NORMAL:
        _close(record, deed.at)
    return Event(
        record.id, deed.at, deed.at, deed.cause, before, to, record.level, record.value, record.limit,
        record.limit_version, deed.who, deed.note,
    )  # fmt: skip


def revoke(record: Record, at: int) -> Event:
    """Late data showed that the excursion was none. The record stays, closed and marked."""
    before, record.state = record.state, State.NORMAL
    record.revoked = True
    _close(record, at)
    return Event(
        record.id, record.event_time, at, Cause.REVOKE, before, State.NORMAL, record.level, record.value, record.limit,
        record.limit_version, note="迟到数据更正", found_late=True,
    )  # fmt: skip


def _close(record: Record, at: int) -> None:
    record.closed_at, record.latched, record.aside = at, False, None


def _event(record: Record, change: Transition, cause: Cause, before: State) -> Event:
    return Event(
        record.id, change.event_ts, change.arrived_at, cause, before, record.state, change.after, change.value,
        change.limit, change.limit_version, found_late=change.late,
    )  # fmt: skip
