"""What-ifs from history: the same judge in pieces, the use cases around them, and marked events."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alarms.support import facts
from tests.identity.support import town

from hazwatch.alarms import trial_service as service
from hazwatch.alarms.assistant import Bounds, Change
from hazwatch.alarms.trial import Trial, Wanted, changed, of_change
from hazwatch.alarms.trial_run import Asked, StoppedError, Subjects, run
from hazwatch.alarms.trial_service import AskedFor, ChangeOf, Mark, Scope
from hazwatch.alarms.whatif import TrueEvent
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal, Role
from hazwatch.judge.judge import judge
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.records import Sessions, reading
from hazwatch.records.paging import PageRequest
from hazwatch.samples.batch import SampleBatch

SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
START = 1_795_417_200_000
JIA = "/410000/410900/P4109001/410902001/"


def limits(points: int = 1, **delays: int) -> Limits:
    on, off = (np.full(points, delays.get(name, 0) * SECOND) for name in ("on", "off"))
    return Limits(3, np.tile([np.nan, 2.0, 8.0, 9.0], (points, 1)), np.full(points, 0.1), on, off)


def subjects(points: int, gas=()) -> Subjects:
    flags = np.isin(np.arange(points), gas)
    return Subjects(limits(points), np.full(points, 10.0), flags, [{"point": f"P{k}"} for k in range(points)])


# --- pure ------------------------------------------------------------------------------------------------------------

STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10)), min_size=1, max_size=60)


@given(STEPS, st.lists(st.integers(1, 59), max_size=4), st.integers(0, 3))
def test_fed_in_any_pieces_it_is_what_the_judge_says(steps, cuts, off) -> None:
    steps = sorted(((point, k * SECOND, value) for k, (point, value) in enumerate(steps)), key=lambda s: s[:2])
    batch = SampleBatch.of(*(np.array([s[k] for s in steps]) for k in range(3)))
    trial = Trial([limits(3), limits(3, off=off)])
    for part in np.split(np.arange(len(batch)), sorted({c for c in cuts if c < len(batch)})):
        trial.feed(batch.take(slice(int(part[0]), int(part[-1]) + 1)))
    whole = judge(fresh(3), limits(3), batch).rows
    before, after = trial.logs(10**9, ["0", "1", "2"])
    now, was = whole["to_level"].astype(int), whole["from_level"].astype(int)
    rises = (now != 0) & ((np.abs(now) > np.abs(was)) | (now * was < 0))
    assert int(before.active.sum()) == int(rises.sum())
    assert int(after.active.sum()) <= int(before.active.sum())
    assert trial.samples == len(batch)


def test_changes_apply_in_order_to_the_points_they_name() -> None:
    only = np.array([False, True])
    new = changed(limits(2), np.array([10.0, 20.0]), [
        Wanted(np.ones(2, np.bool_), {2: 7.0}, deadband_share=0.05),
        Wanted(only, {3: np.nan}, on_ms=5_000, off_ms=9_000),
    ])  # fmt: skip
    assert new.threshold[:, 2].tolist() == [7.0, 7.0]
    assert np.isnan(new.threshold[:, 3]).tolist() == [False, True]
    assert new.deadband.tolist() == [0.5, 1.0]
    assert (new.on_delay_ms.tolist(), new.off_delay_ms.tolist()) == ([0, 5000], [0, 9000])


def test_a_widened_limit_stays_within_the_second_set_point() -> None:
    wanted = of_change(Change(widen=0.09), 0, limits(1), np.array([10.0]))
    assert wanted.thresholds == {1: 1.1, 2: pytest.approx(8.1)}


# --- a run -----------------------------------------------------------------------------------------------------------


def history(points: int, noisy: int) -> SampleBatch:
    """Ten minutes' calm and one minute's chatter, for a day; the other points are calm."""
    ts = np.arange(START, START + DAY, 10 * SECOND)
    chatter = (ts // (60 * SECOND)) % 11 == 0
    value = np.where(chatter, np.where(ts // (10 * SECOND) % 2 == 0, 8.2, 7.5), 5.0)
    columns = [(np.full(len(ts), k), ts, value if k == noisy else np.full(len(ts), 5.0)) for k in range(points)]
    return SampleBatch.of(*(np.concatenate([c[k] for c in columns]) for k in range(3)))


def tried(asked: Asked, known: Subjects, told=None):
    whole = history(len(known.limits), 1)

    async def fetch(some, start, end):
        mine = whole.take(np.isin(whole.point, some) & (whole.ts >= start) & (whole.ts < end))
        half = len(mine) // 2
        yield mine.take(slice(0, half))
        yield mine.take(slice(half, None))

    async def progress(share, message):
        if told is not None:
            told.append((share, message))
            if len(told) > 3 and told[0] == "stop":
                raise StoppedError

    return asyncio.run(run(asked, known, fetch, progress))


def test_saved_alarms_kpis_before_and_after_and_named_points() -> None:
    told: list = []
    every = np.ones(3, np.bool_)
    found = tried(Asked(START, START + DAY, [Wanted(every, {}, off_ms=60_000)], None), subjects(3), told)
    assert (found["comparison"]["before"], found["comparison"]["after"]) == (390, 130)
    assert found["comparison"]["first_alarms"]["later"] == found["comparison"]["first_alarms"]["missing"] == 0
    assert [row["point"] for row in found["comparison"]["tags"]] == ["P1"]
    assert (found["kpi_before"]["activations"], found["kpi_after"]["activations"]) == (390, 130)
    assert found["kpi_before"]["chatter_share"] == 1
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    json.dumps(found)


def test_the_assistant_proposes_values_that_can_be_put_in_force() -> None:
    found = tried(Asked(START, START + DAY, [], Bounds(bound_ms=0)), subjects(3))
    (proposal,) = found["proposals"]
    assert (proposal["point"], proposal["nuisance"], proposal["nuisance_after"]) == ("P1", 390, 0)
    # The chatter dips to 0.5 below the limit, so 5 % of the span is the smallest deadband that holds it.
    assert proposal["values"] == {"deadband": 0.5}
    assert found["comparison"]["after"] == 130


def test_a_marked_event_that_a_delay_would_silence_is_told() -> None:
    event = TrueEvent("1", START + 40 * 60 * SECOND, START + 50 * 60 * SECOND, "泄漏")
    asked = Asked(START, START + DAY, [Wanted(np.ones(3, np.bool_), {}, on_ms=30_000)], None, [event])
    found = tried(asked, subjects(3))["comparison"]
    assert [row["verdict"] for row in found["events"]] == ["missed"]
    assert found["events_missed"] == 1


def test_a_stopped_run_stops() -> None:
    with pytest.raises(StoppedError):
        tried(Asked(START, START + DAY, [], Bounds()), subjects(3), ["stop"])


# --- use cases -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sessions(records: Sessions, tmp_path) -> Sessions:
    town(records, tmp_path)
    return records


def person(path: str = JIA, role: Role = Role.ENGINEER) -> Principal:
    return Principal("anna", "安", role, path, scope_code="410902001")


def clock() -> int:
    return START


def points_of(who: Principal, scope: Scope):
    known = [facts(k) for k in range(12)]
    return [f for f in known if f.path.startswith(who.scope) and (not scope.codes or f.code in scope.codes)]


def asked(**given) -> AskedFor:
    standard = {"name": "夜班", "start": START - DAY, "end": START, "scope": Scope(),
                "changes": [ChangeOf({"off_delay_s": 60.0})], "bounds": None}  # fmt: skip
    return AskedFor(**(standard | given))


def refused(sessions: Sessions, **given) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        service.ask(sessions, person(), clock, points_of, asked(**given))
    return caught.value.status, next(iter(caught.value.fields), "")


def test_on_the_list_in_scope_and_off_it_again(sessions: Sessions) -> None:
    number = service.ask(sessions, person(), clock, points_of, asked())
    with reading(sessions) as session:
        page = service.listed(session, person(), PageRequest())
        shown = service.shown(session, person(), number)
        assert service.listed(session, person("/410000/410500/"), PageRequest()).total == 0
        assert service.evidence(session, person(), number) is None
    assert [(i["name"], i["state"], i["points"]) for i in page.items] == [("夜班", "queued", 10)]
    assert (shown["asked"]["changes"][0]["values"], shown["result"]) == ({"off_delay_s": 60.0}, None)
    with pytest.raises(ApiError, match="正在进行"):
        service.removed(sessions, person(), clock, number)
    service.to_cancel(sessions, person(), number)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"end": START - DAY}, (422, "from")), ({"start": START - 100 * DAY}, (422, "from")),
        ({"changes": []}, (422, "changes")), ({"scope": Scope(codes=["x"])}, (422, "scope")),
        ({"changes": [ChangeOf({"price": 1.0})]}, (422, "changes.price")),
        ({"changes": [ChangeOf({"h": float("inf")})]}, (422, "changes.h")),
        ({"changes": [ChangeOf({"on_delay_s": -1.0})]}, (422, "changes.on_delay_s")),
        ({"changes": [ChangeOf({"h": 1.0}, code="x")]}, (404, "")),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(sessions: Sessions, given, expected) -> None:
    assert refused(sessions, **given) == expected


def test_true_events_are_marked_in_scope_and_taken_back(sessions: Sessions) -> None:
    given = Mark(facts(1).code, START, START + HOUR, "真泄漏", "a-1")
    number = service.mark(sessions, person(), clock, points_of, given)
    with reading(sessions) as session:
        (item,) = service.marked(session, person(), PageRequest()).items
        assert service.marked(session, person("/410000/410500/"), PageRequest()).total == 0
    assert (item["point"], item["note"], item["who"]) == (facts(1).code, "真泄漏", "anna")
    with pytest.raises(ApiError):
        service.unmark(sessions, person("/410000/410500/"), clock, number)
    service.unmark(sessions, person(), clock, number)
    code = facts(1).code
    for bad in (Mark(code, START, START, "x"), Mark(code, START, START + 1, " "), Mark("x", 1, 2, "x")):
        with pytest.raises(ApiError):
            service.mark(sessions, person(), clock, points_of, bad)
