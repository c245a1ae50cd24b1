"""What-if: delays on an event log against the judge on the values, episodes and first alarms, and the assistant."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alarms.tep import case, needs_cases
from typer.testing import CliRunner

from hazwatch.alarms.assistant import Bounds, Change, ladder, propose, sources
from hazwatch.alarms.delays import delayed
from hazwatch.alarms.foreign import changed, proposals, together
from hazwatch.alarms.journal import AlarmLog, from_levels
from hazwatch.alarms.kpi_log import read, read_text
from hazwatch.alarms.whatif import TrueEvent, compare, comparison_form
from hazwatch.cli import app
from hazwatch.judge.judge import judge, tick
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.samples.batch import SampleBatch

SECOND = 1000
END = 10**9


def log(*spans: tuple[float, float | None], tag: str = "A", kind: str = "H") -> AlarmLog:
    """Spans in seconds; None = it still stands."""
    rows = ["timestamp,tag,type"]
    for begin, end in spans:
        rows += [f"{begin},{tag},{kind}"] + ([f"{end},{tag},{kind} NR"] if end is not None else [])
    return read_text("\n".join(rows), "log").log


def seconds(found: AlarmLog) -> list[tuple[float, bool]]:
    return [(t / SECOND, on) for t, on in zip(found.ts.tolist(), found.active.tolist(), strict=True)]


def judged(values: list[int], on: int, off: int) -> AlarmLog:
    """One sample a second, limit 1, by the judge itself."""
    limits = Limits(1, np.array([[np.nan, np.nan, 1.0, np.nan]]), np.zeros(1), np.array([on * SECOND]),
                    np.array([off * SECOND]))  # fmt: skip
    state = fresh(1)
    ts = np.arange(len(values)) * SECOND
    rows = judge(state, limits, SampleBatch.of(np.zeros(len(values)), ts, values)).rows
    rows = np.concatenate([rows, tick(state, limits, (len(values) + 1000) * SECOND)])
    return from_levels(rows["point"], rows["event_ts"], rows["from_level"], rows["to_level"], ["A"])


@given(st.lists(st.integers(0, 1), max_size=60), st.integers(0, 6), st.integers(0, 6))
def test_delays_on_the_events_are_those_of_the_judge_on_the_values(values, on, off) -> None:
    plain = judged(values, 0, 0)
    n = len(plain.names)
    assert seconds(delayed(plain, np.full(n, on * SECOND), np.full(n, off * SECOND))) == seconds(
        judged(values, on, off)
    )


def test_an_off_delay_bridges_and_an_on_delay_waits() -> None:
    noisy = log((0, 10), (15, 20), (40, None))
    assert seconds(changed(noisy, {"A": Change(off_ms=5_000)})) == [(0, True), (25, False), (40, True)]
    assert seconds(changed(noisy, {"A": Change(on_ms=6_000)})) == [(6, True), (10, False), (46, True)]
    assert seconds(changed(noisy, {})) == seconds(noisy)


# --- comparison ------------------------------------------------------------------------------------------------------


def test_first_alarms_kept_later_earlier_and_gone() -> None:
    before = log((0, 5), (10, 60), (5000, 5300), (9000, 9010), (20000, None))
    after = log((40, 60), (4980, 5300), (20000, None))
    found = compare(before, after, 0, END)
    assert (found.before, found.after) == (5, 3)
    # 0–60 s is one episode: its first alarm came at 0, now at 40.
    assert found.first.delay.tolist() == [40_000, -20_000, 0, 0]
    assert found.first.missing.tolist() == [False, False, True, False]
    form = comparison_form(found)
    assert form["first_alarms"]["worst"][0]["delay_s"] == 40
    assert [g["seconds"] for g in form["first_alarms"]["gone"]] == [10]
    assert [h["count"] for h in form["first_alarms"]["histogram"]] == [0, 0, 0, 1, 0, 0, 0]
    json.dumps(form)


@pytest.mark.parametrize(
    ("after", "verdict"),
    [([(100, 200)], "kept"), ([(150, 200)], "delayed"), ([(300, 400)], "missed"), ([(50, 130)], "kept")],
)
def test_marked_events(after, verdict) -> None:
    event = TrueEvent("A", 90 * SECOND, 250 * SECOND, "泄漏")
    found = compare(log((100, 200)), log(*after), 0, END, [event])
    assert [a.verdict for a in found.events] == [verdict]
    assert compare(log((600, 700)), log((600, 700)), 0, END, [event]).events[0].verdict == "never"


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 900)), max_size=30), st.integers(0, 900))
def test_an_off_delay_alone_never_delays_a_first_alarm(given_spans, off) -> None:
    merged, reached = [], -1
    for begin, length in sorted(given_spans):
        if begin > reached:
            merged.append((begin, begin + length))
            reached = begin + length
    before = log(*merged)
    found = compare(before, changed(before, {"A": Change(off_ms=off * SECOND)}), 0, END)
    assert not found.first.missing.any()
    assert not (found.first.delay > 0).any()
    assert found.after <= found.before


# --- assistant -------------------------------------------------------------------------------------------------------

CHATTER = [(k * 20, k * 20 + 10) for k in range(100)]


def ask(noisy: AlarmLog, bounds: Bounds, events=(), *, gas: bool = False):
    source = sources(noisy, 0, END)[0]
    return propose(source, lambda change: changed(noisy, {"A": change}), (0, END), bounds, events, gas=gas)


def test_the_smallest_change_that_is_good_enough() -> None:
    found = ask(log(*CHATTER), Bounds(max_deadband=0))
    assert found.change == Change(off_ms=30_000)
    assert (found.source.nuisance, found.nuisance_after) == (100, 0)
    assert found.comparison is not None
    assert found.comparison.after == 1


def test_what_would_lose_a_first_alarm_or_a_marked_event_is_not_proposed() -> None:
    brief = log(*[(k * 1000, k * 1000 + 20) for k in range(20)])
    only_on = Bounds(max_off_ms=0, max_on_ms=60_000, max_deadband=0)
    assert ask(brief, only_on).change == Change(on_ms=20_000)
    tight = Bounds(bound_ms=15_000, max_off_ms=0, max_on_ms=60_000, max_deadband=0)
    assert ask(brief, tight).why == "各种改动最多只能减到 20 次"
    assert ask(brief, only_on, [TrueEvent("A", 5000 * SECOND, 5010 * SECOND)]).why == "会漏掉已标记的真实事件"


def test_a_gas_detector_never_gets_an_on_delay() -> None:
    bounds = Bounds(max_on_ms=60_000, max_widen=0.05)
    assert any(change.on_ms for change in ladder(bounds, gas=False))
    assert not any(change.on_ms for change in ladder(bounds, gas=True))
    brief = log(*[(k * 1000, k * 1000 + 20) for k in range(20)])
    assert ask(brief, Bounds(max_off_ms=0, max_on_ms=60_000, max_deadband=0), gas=True).change is None


def test_a_quiet_tag_is_left_alone() -> None:
    assert "不必" in ask(log((0, 5), (3000, 3005)), Bounds()).why


def test_runs_of_one_plant_stand_side_by_side_without_touching() -> None:
    whole = together([log((0, None)), log((0, 5), tag="B"), log((3, 8))])
    assert whole.log.names == [("A", "H"), ("B", "H")]
    assert whole.log.active.tolist() == [True, False, True, False, True, False]
    assert (np.diff(whole.log.ts)[[1, 3]] >= 86_400_000).all()


# --- command and recorded cases --------------------------------------------------------------------------------------


def test_the_command_replays_and_proposes(tmp_path) -> None:
    rows = [f"{t},{tag},{kind}" for tag in ("A", "G1") for b, e in CHATTER for t, kind in ((b, "H"), (e, "H NR"))]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(["timestamp,tag,type", *rows]))
    answer = CliRunner().invoke(app, ["alarms", "whatif", str(file), "--on-delay", "15", "--gas", "^G", "--json"])
    found = json.loads(answer.stdout)
    assert (found["before"], found["after"]) == (200, 100)
    assert {t["tag"]: t["after"] for t in found["files"][0]["comparison"]["tags"]} == {"A": 0, "G1": 100}
    answer = CliRunner().invoke(app, ["alarms", "whatif", str(file), "--propose"])
    assert "A  扰人报警 100 → 0  恢复延时 30 s" in answer.stdout
    assert "合计:200 → 2" in answer.stdout
    assert CliRunner().invoke(app, ["alarms", "whatif", str(file), "--gas", "("]).exit_code == 2


@needs_cases
def test_nine_tenths_of_the_recorded_activations_go_and_no_first_alarm_does() -> None:
    """Found on the first ten cases, applied to ten that the assistant has not seen."""
    logs = [read(case("original", k)).log for k in range(1, 21)]
    found = proposals(logs[:10], Bounds(remove=0.98, bound_ms=0))
    chosen = {p.source.tag: p.change for p in found if p.change is not None}
    assert all(not change.on_ms for change in chosen.values())
    before = after = 0
    for unseen in logs[10:]:
        new = changed(unseen, chosen)
        result = compare(unseen, new, int(unseen.ts[0]), int(unseen.ts[-1]) + 1)
        assert not result.first.missing.any()
        assert not (result.first.delay > 0).any()
        before, after = before + result.before, after + result.after
    assert after < 0.1 * before
