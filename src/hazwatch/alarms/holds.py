"""Pure: what sets an alarm aside, for how long, and which of its levels.

A hold lies on an alarm (point and kind), not on a record: the next excursion is set aside as well. It covers some
levels only: who shelves 高 has not seen 高高, and a pump that stands explains a low flow, not a high one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from hazwatch.alarms.model import HELD, STRENGTH, After, Aside, Cause, Deed, Event, Record, State, happen
from hazwatch.vocabulary.levels import Level

_NAMESPACE = uuid.UUID("0d5b8c1e-3f0a-5a7e-8a51-1f5f0a7b9c20")

#: The two ways to shelve (OPC UA Part 9 §5.8.10): until a moment, or until the alarm returns to normal.
TIMED, ONE_SHOT = "timed", "one_shot"
REQUESTED, ACTIVE, ENDED, REFUSED = "requested", "active", "ended", "refused"


@dataclass(slots=True)
class Hold:
    """One setting aside.

    Attributes:
        id: made of the alarm, the kind of hold and the moment.
        kind: shelved, suppressed or out of service.
        point, alarm_kind: the alarm.
        levels: the levels it covers; empty = all.
        status: requested (out of service before its approval), active, ended, refused.
        mode: timed or one_shot (shelved only).
        reason: why.
        by, at: who set it aside or asked for it, when (epoch ms); for a rule its name.
        until: when it ends by itself; None only for a rule.
        approved_by, approved_at: the second person (out of service).
        ended_by, ended_at, end_note: who or what ended it.
        rule, rule_version: of the suppression by design.
    """

    id: str
    kind: After
    point: int
    alarm_kind: str
    levels: frozenset[Level]
    status: str
    mode: str
    reason: str
    by: str
    at: int
    until: int | None = None
    approved_by: str | None = None
    approved_at: int | None = None
    ended_by: str | None = None
    ended_at: int | None = None
    end_note: str | None = None
    rule: str = ""
    rule_version: int = 0

    def covers(self, level: Level, moment: int) -> bool:
        """Whether an alarm of this level is set aside at this moment."""
        return (
            self.status == ACTIVE
            and (not self.levels or level in self.levels)
            and (self.until is None or moment < self.until)
        )

    def end(self, by: str, at: int, note: str) -> None:
        """It is over."""
        self.status, self.ended_by, self.ended_at, self.end_note = ENDED, by, at, note

    @property
    def state(self) -> State:
        """The state of records that it sets aside."""
        return HELD[self.kind][0]

    @property
    def one_shot(self) -> bool:
        """Shelved until the alarm returns to normal."""
        return self.status == ACTIVE and self.mode == ONE_SHOT

    @property
    def aside(self) -> Aside:
        """As its records show it."""
        return Aside(self.by, self.reason, self.until, self.mode)


def hold_id(kind: After, point_code: str, alarm_kind: str, at: int, rule: str = "") -> str:
    """The id of a hold that begins then."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{point_code}/{alarm_kind}/{at}/{rule}"))


def strongest(holds: Iterable[Hold], level: Level, moment: int) -> Hold | None:
    """The hold that shows: out of service before suppressed before shelved; None when none covers the level."""
    covering = [hold for hold in holds if hold.covers(level, moment)]
    return max(covering, key=lambda hold: STRENGTH[hold.kind], default=None)


def levels_up_to(level: Level) -> frozenset[Level]:
    """The levels that a person has seen who sees this one: it and the milder ones of its side."""
    return frozenset(one for one in Level if one.value * level.value > 0 and one.severity <= level.severity)


def move(record: Record, wanted: Hold | None, deed: Deed) -> Event | None:
    """Take a record to the strongest hold that covers it, or out of all of them."""
    now = next((kind for kind, (state, _, _) in HELD.items() if state is record.state), None)
    if wanted is None:
        return None if now is None else happen(record, _as(HELD[now][2], deed), record.standing)
    if wanted.kind is now:
        return None
    entering = now is None or STRENGTH[wanted.kind] > STRENGTH[now]
    cause = HELD[wanted.kind][1] if entering or now is None else HELD[now][2]
    return happen(record, _as(cause, deed), wanted.kind)


def _as(cause: Cause, deed: Deed) -> Deed:
    return Deed(cause, deed.at, deed.who, deed.note)
