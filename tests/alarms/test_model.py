"""The life of one alarm record: every cell of the state table, and what a change of level means to it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alarms.support import at, moved

from hazwatch.alarms.model import (
    HELD,
    JUDGED,
    KIND_QUALITY,
    OPEN,
    TABLE,
    After,
    Cause,
    Deed,
    Record,
    State,
    acknowledge,
    begin,
    cause_of,
    go_on,
    happen,
    record_id,
    revoke,
)
from hazwatch.vocabulary.levels import Level

B, C, D, A = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.NORMAL


def raised(level: str = "H", *, late: bool = False) -> Record:
    record, _ = begin(moved("normal", level, 1), "id-1")
    record.found_late = late
    return record


def in_state(state: State) -> Record:
    record = raised("H")
    if state is D:
        go_on(record, moved("H", "normal", 2))
    elif state is C:
        acknowledge(record, "张", "", at(2))
    assert record.state is state
    return record


# Written by hand from design/alarms §3 and the state diagram of ISA-18.2, not derived from TABLE. What holds after the
# event stands last: the process, its latch, or the hold that covers the level.
ANNUNCIATED = """
    A raise        B stands
    B escalate     B stands
    B ease         B stands
    B silence      B stands
    B acknowledge  C stands
    B return       D over
    B return       E latched
    C escalate     B stands
    C ease         C stands
    C realarm      B stands
    C return       A over
    C return       F latched
    D acknowledge  A over
    E acknowledge  F latched
    E reset        D latched
    F reset        A latched
"""
SET_ASIDE = """
    A raise        {X} {hold}
    B {enter}      {X} {hold}
    C {enter}      {X} {hold}
    E {enter}      {X} {hold}
    F {enter}      {X} {hold}
    B escalate     {X} {hold}
    C escalate     {X} {hold}
    B ease         B {hold}
    C ease         C {hold}
    {X} escalate   B stands
    {X} ease       B stands
    {X} escalate   G shelved
    {X} escalate   H suppressed
    {X} escalate   I out_of_service
    {X} ease       G shelved
    {X} ease       H suppressed
    {X} ease       I out_of_service
    {X} return     A over
    {X} return     {X} latched
    {X} {leave}    B stands
    {X} {leave}    E latched
"""
BETWEEN = """
    G suppress     H suppressed
    G remove       I out_of_service
    H remove       I out_of_service
    H unsuppress   G shelved
    I restore      H suppressed
    I restore      G shelved
"""
HOLDS = [
    {"X": "G", "hold": "shelved", "enter": "shelve", "leave": "unshelve"},
    {"X": "H", "hold": "suppressed", "enter": "suppress", "leave": "unsuppress"},
    {"X": "I", "hold": "out_of_service", "enter": "remove", "leave": "restore"},
]
LETTERS = dict(zip("ABCDEFGHI", State, strict=True))


def rows(text: str) -> list[tuple[State, Cause, After, State]]:
    found = []
    for line in text.strip().splitlines():
        before, cause, after, holds = line.split()
        found.append((LETTERS[before], Cause(cause), After(holds), LETTERS[after]))
    return found


ROWS = rows(ANNUNCIATED) + rows(BETWEEN) + [row for hold in HOLDS for row in rows(SET_ASIDE.format(**hold))]


def test_the_table_is_the_one_of_the_standard_and_has_no_other_rows() -> None:
    assert {(before, cause, holds): after for before, cause, holds, after in ROWS} == TABLE
    assert len(ROWS) == len(TABLE), "no row twice"
    assert set(OPEN) == set(State) - {A}


@pytest.mark.parametrize(("before", "cause", "holds", "after"), [r for r in ROWS if r[1] not in JUDGED])
def test_every_row_that_a_person_a_rule_or_time_brings(before, cause, holds, after) -> None:
    record = raised("H")
    record.state, record.latched = before, holds is After.LATCHED
    record.returned_at = None if holds not in (After.OVER, After.LATCHED) else at(5)
    event = happen(record, Deed(cause, at(9), "李"), holds)
    assert event is not None
    assert (event.cause, event.from_state, event.to_state, record.state) == (cause, before, after, after)


@pytest.mark.parametrize(("before", "cause", "holds", "after"), [r for r in ROWS if r[1] in JUDGED[1:]])
def test_every_row_that_the_judge_brings(before, cause, holds, after) -> None:
    record = raised("H")
    record.state = before
    was, now = {"escalate": ("H", "HH"), "ease": ("HH", "H"), "return": ("H", "normal")}[cause.value]
    hold = None if holds in (After.STANDS, After.OVER, After.LATCHED) else holds
    event = go_on(record, moved(was, now, 9), latching=holds is After.LATCHED, hold=hold)
    assert (event.cause, event.from_state, record.state) == (cause, before, after)
    assert record.latched == (holds is After.LATCHED and after is not A)
    assert (record.closed_at is not None) == (after is A)


@pytest.mark.parametrize("hold", [None, After.SHELVED, After.SUPPRESSED, After.OUT_OF_SERVICE])
def test_an_excursion_begins_where_its_hold_says(hold) -> None:
    record, event = begin(moved("normal", "H", 1), "id", hold=hold)
    assert record.state is TABLE[A, Cause.RAISE, hold or After.STANDS]
    assert (event.to_state, record.active) == (record.state, True)


def test_leaving_a_hold_shows_the_state_of_now_and_nobody_has_seen_it() -> None:
    for held, enter, leave in HELD.values():
        record = raised("H")
        acknowledge(record, "张", "", at(2))
        happen(record, Deed(enter, at(3)), next(k for k, v in HELD.items() if v[0] is held))
        go_on(record, moved("H", "HH", 4), hold=next(k for k, v in HELD.items() if v[0] is held))
        assert record.level is Level.HH, "judged on underneath"
        happen(record, Deed(leave, at(5)), record.standing)
        assert (record.state, record.level) == (B, Level.HH)


def test_what_is_found_late_never_latches() -> None:
    record = raised("H", late=True)
    go_on(record, moved("H", "normal", 2), latching=True)
    assert (record.state, record.latched) == (A, False)


def test_a_new_annunciation_ends_the_silence_of_every_room() -> None:
    record = raised("H")
    record.silenced_in = ("410900",)
    go_on(record, moved("H", "HH", 3))
    assert record.silenced_in == ()


@pytest.mark.parametrize("state", [C, A])
def test_what_waits_for_nobody_cannot_be_acknowledged(state: State) -> None:
    record = in_state(C)
    if state is A:
        go_on(record, moved("H", "normal", 3))
    assert acknowledge(record, "李", "", at(9)) is None
    assert record.acknowledged_by == "张", "the first one stays"


@pytest.mark.parametrize("state", [D, A])
def test_an_excursion_that_is_over_knows_no_return(state: State) -> None:
    record = in_state(D)
    if state is A:
        acknowledge(record, "李", "", at(3))
    with pytest.raises(KeyError):
        go_on(record, moved("H", "normal", 4))


def test_at_1s_high_at_2s_seen_at_3s_high_high_rings_again() -> None:
    record = raised("H")
    acknowledge(record, "张", "在看", at(2))
    event = go_on(record, moved("H", "HH", 3))
    assert (record.state, record.level, record.worst_level, record.priority) == (B, Level.HH, Level.HH, 1)
    assert (event.from_state, event.to_state) == (C, B)
    assert (record.value, record.limit, record.level_since) == (9.3, 9.0, at(3))


def test_easing_keeps_the_worst_level_and_the_acknowledgement() -> None:
    record = raised("HH")
    acknowledge(record, "张", "", at(2))
    go_on(record, moved("HH", "H", 3))
    assert (record.state, record.level, record.worst_level, record.priority) == (C, Level.H, Level.HH, 1)
    assert record.value == 9.3, "the value of the annunciation, not of the way back"


def test_the_other_side_is_a_new_annunciation_whatever_its_severity() -> None:
    record = raised("HH")
    acknowledge(record, "张", "", at(2))
    go_on(record, moved("HH", "L", 3))
    assert record.state is B
    assert (record.level, record.worst_level) == (Level.L, Level.HH)
    go_on(record, moved("L", "LL", 4))
    assert record.worst_level is Level.LL, "of two equally severe levels the later one is told"


def test_found_late_is_never_d() -> None:
    record = raised("HH", late=True)
    go_on(record, moved("HH", "normal", 2))
    assert (record.state, record.returned_at, record.closed_at) == (A, at(2), at(2))


def test_times_of_returning_and_closing() -> None:
    seen_first, seen_last = raised(), raised()
    acknowledge(seen_first, "张", "", at(2))
    go_on(seen_first, moved("H", "normal", 5))
    assert (seen_first.returned_at, seen_first.closed_at) == (at(5), at(5))
    go_on(seen_last, moved("H", "normal", 5))
    assert (seen_last.returned_at, seen_last.closed_at) == (at(5), None)
    acknowledge(seen_last, "张", "", at(9))
    assert (seen_last.returned_at, seen_last.closed_at) == (at(5), at(9))


def test_revoked_is_closed_and_marked_but_there() -> None:
    record = raised()
    event = revoke(record, at(50))
    assert (record.state, record.revoked, record.closed_at) == (A, True, at(50))
    assert (event.cause, event.from_state, event.found_late) == (Cause.REVOKE, B, True)


@pytest.mark.parametrize(("level", "priority"), [("LL", 1), ("L", 2), ("H", 2), ("HH", 1)])
def test_priority(level: str, priority: int) -> None:
    assert raised(level).priority == priority
    assert begin(moved("normal", level, 1), "q", KIND_QUALITY)[0].priority == 3


def test_cause_of_every_change_of_level() -> None:
    said = {(a.word, b.word): cause_of(a, b).value for a, b in itertools.permutations(Level, 2)}
    assert said == {
        ("normal", "LL"): "raise", ("normal", "L"): "raise", ("normal", "H"): "raise", ("normal", "HH"): "raise",
        ("LL", "normal"): "return", ("L", "normal"): "return", ("H", "normal"): "return", ("HH", "normal"): "return",
        ("H", "HH"): "escalate", ("L", "LL"): "escalate", ("HH", "H"): "ease", ("LL", "L"): "ease",
        ("LL", "H"): "escalate", ("LL", "HH"): "escalate", ("L", "H"): "escalate", ("L", "HH"): "escalate",
        ("H", "LL"): "escalate", ("H", "L"): "escalate", ("HH", "LL"): "escalate", ("HH", "L"): "escalate",
    }  # fmt: skip


@given(st.text(max_size=22), st.integers(0, 2**42), st.sampled_from(["process", "quality"]))
def test_an_id_is_the_same_on_every_replay_and_differs_by_point_time_and_kind(code, ts, kind) -> None:
    assert record_id(code, ts, kind) == record_id(code, ts, kind)
    other_kind = "quality" if kind == "process" else "process"
    assert len({record_id(code, ts, kind), record_id(code, ts + 1, kind), record_id(code, ts, other_kind)}) == 3


@given(st.lists(st.sampled_from([*Level, "ack"]), max_size=30))
def test_whatever_happens_the_record_tells_a_consistent_story(steps) -> None:
    """Closed exactly when normal, worst never below level, acknowledged only by somebody."""
    record = None
    level = Level.NORMAL
    for n, step in enumerate(steps, 1):
        if step == "ack":
            if record is not None:
                acknowledge(record, "张", "", at(n))
        elif step is not level:
            change = moved(level.word, step.word, n)
            if record is None or not record.active:
                if step is not Level.NORMAL:
                    record, _ = begin(change, str(n))
            else:
                go_on(record, change)
            level = step
        if record is None:
            continue
        assert (record.closed_at is not None) == (record.state is A)
        assert record.active == (level is not Level.NORMAL)
        assert (record.returned_at is not None) == (not record.active)
        assert record.worst_level.severity >= record.level.severity
        assert record.state is not C or record.acknowledged_by is not None
