"""The life of one alarm record: every cell of the state table, and what a change of level means to it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alarms.support import at, moved

from hazwatch.alarms.model import (
    KIND_QUALITY,
    OPEN,
    TABLE,
    Cause,
    Record,
    State,
    acknowledge,
    begin,
    cause_of,
    go_on,
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


# Written by hand from design/alarms §3, not derived from TABLE.
ROWS = [
    (B, "escalate", B),
    (B, "ease", B),
    (B, "return", D),
    (B, "acknowledge", C),
    (C, "escalate", B),
    (C, "ease", C),
    (C, "return", A),
    (D, "acknowledge", A),
]


@pytest.mark.parametrize(("before", "cause", "after"), ROWS)
def test_every_row_of_the_table(before: State, cause: str, after: State) -> None:
    record = in_state(before)
    if cause == "acknowledge":
        event = acknowledge(record, "李", "看过", at(9))
    else:
        was, now = {"escalate": ("H", "HH"), "ease": ("HH", "H"), "return": ("H", "normal")}[cause]
        event = go_on(record, moved(was, now, 9))
    assert event is not None
    assert (event.cause.value, event.from_state, event.to_state, record.state) == (cause, before, after, after)
    assert TABLE[before, Cause(cause)] is after


def test_the_table_has_no_other_rows() -> None:
    known = {(before, Cause(cause)) for before, cause, _ in ROWS} | {(A, Cause.RAISE)}
    assert set(TABLE) == known
    assert set(OPEN) == {B, C, D}


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
