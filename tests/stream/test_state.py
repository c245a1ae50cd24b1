"""Snapshots, control records, findings, and the packed values for the pages."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stream.support import NOON, limits

from hazwatch.alarms.model import Transition
from hazwatch.alarms.service import Revision
from hazwatch.history import latest, thinning
from hazwatch.history.offsets import Place
from hazwatch.judge import kernel
from hazwatch.judge import state as judged
from hazwatch.judge.judge import judge
from hazwatch.judge.limits import Limits
from hazwatch.samples.batch import SampleBatch
from hazwatch.stream import control, packed, state
from hazwatch.stream.findings import findings
from hazwatch.vocabulary.levels import Level


def busy(live: int = 7) -> state.StreamState:
    """A state with something in every part of it."""
    kept = state.StreamState.fresh()
    kept.limits = limits(3, 5, on_ms=2000)
    kept.grow(3)
    batch = SampleBatch.of([0, 1, 2, 0], [NOON, NOON, NOON + 5, NOON + 9000], [5.0, 9.5, math.nan, 8.5], [0, 0, 3, 0])
    fate = judge(kept.judge, kept.limits, batch).fate
    thinning.thin(kept.thinning, batch, fate, 20_000)
    latest.update(kept.latest, batch, np.full(4, NOON + 1), np.zeros(4, np.uint8))
    kept.seen.is_new(1, 77)
    kept.seen.is_new(2, 3)
    kept.owed = {2: NOON - 5}
    kept.place = Place(live, 3)
    return kept


def said(judge: judged.JudgeState) -> list[np.ndarray]:
    """All arrays; due times only where a timer runs, elsewhere they say nothing."""
    bits = np.arange(4, dtype=np.uint8)
    parts = [p._replace(due=np.where(p.timing[:, None] >> bits & 1, p.due, 0)) for p in (judge.live, judge.base)]
    return judged.flatten(judge._replace(live=parts[0], base=parts[1]))


def same(a: state.StreamState, b: state.StreamState) -> bool:
    arrays = [
        (said(a.judge), said(b.judge)), (a.thinning, b.thinning), (a.latest, b.latest),
        ([a.limits.threshold, a.limits.deadband, a.limits.on_delay_ms, a.limits.off_delay_ms],
         [b.limits.threshold, b.limits.deadband, b.limits.on_delay_ms, b.limits.off_delay_ms]),
        ([a.seen.array()], [b.seen.array()]),
    ]  # fmt: skip
    return (a.place, a.owed, a.limits.version) == (b.place, b.owed, b.limits.version) and all(
        x.dtype == y.dtype and np.array_equal(x, y, equal_nan=True)
        for p, q in arrays
        for x, y in zip(p, q, strict=True)
    )


def test_what_is_saved_is_loaded(tmp_path) -> None:
    kept = busy()
    state.save(kept, tmp_path)
    assert same(state.load(tmp_path), kept)


def test_a_node_that_has_seen_nothing(tmp_path) -> None:
    assert same(state.load(tmp_path / "none"), state.StreamState.fresh())
    state.save(state.StreamState.fresh(), tmp_path)
    assert same(state.load(tmp_path), state.StreamState.fresh())


def test_only_the_last_two_snapshots_stay(tmp_path) -> None:
    for n in (9, 10, 1000):
        state.save(busy(n), tmp_path)
    assert [p.name[:20] for p in sorted(tmp_path.iterdir())] == [f"{10:020d}", f"{1000:020d}"]
    assert state.load(tmp_path).place.live == 1000


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "zip of something else"])
def test_a_damaged_newest_snapshot_falls_back_to_the_one_before(tmp_path, damage) -> None:
    state.save(busy(5), tmp_path)
    newest = state.save(busy(9), tmp_path)
    data = newest.read_bytes()
    if damage == "zip of something else":
        np.savez(newest, place=np.array([1, 2, 3]))
    else:
        newest.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "noise": b"\x00" * 4096}[damage])
    assert same(state.load(tmp_path), busy(5))
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(b"")
    assert same(state.load(tmp_path), state.StreamState.fresh())


@pytest.mark.parametrize("offset", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_snapshot_with_flipped_bits_is_never_taken_for_whole(tmp_path, offset) -> None:
    state.save(busy(5), tmp_path)
    newest = state.save(busy(9), tmp_path)
    data = bytearray(newest.read_bytes())
    for k in range(64):
        data[int(len(data) * offset) + k] ^= 0xFF
    newest.write_bytes(bytes(data))
    found = state.load(tmp_path)
    assert same(found, busy(5)) or same(found, busy(9))


def test_growing_keeps_what_is_there() -> None:
    kept = busy()
    kept.grow(10)
    assert (judged.points_in(kept.judge), len(kept.thinning.ts), len(kept.latest.ts)) == (10, 10, 10)
    assert kept.latest.value[0] == 8.5
    kept.grow(2)
    assert judged.points_in(kept.judge) == 10


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 5))))
def test_frames_seen(frames) -> None:
    seen, known = state.SeenFrames(), set()
    for frame in frames:
        assert seen.is_new(*frame) == (frame[1] < 0 or frame not in known)
        known.add(frame)
    again = state.SeenFrames(seen.array())
    assert all(not again.is_new(*f) for f in known if f[1] >= 0)


def test_memory_of_frames_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(state, "_REMEMBERED", 3)
    seen = state.SeenFrames()
    for n in range(5):
        seen.is_new(1, n)
    assert seen.array()[:, 1].tolist() == [2, 3, 4]


# --- control records -----------------------------------------------------------------------------------------------


@given(st.integers(-(2**60), 2**60))
def test_a_tick_comes_back(until) -> None:
    assert control.decode(control.encode_tick(until)) == control.Tick(until)


numbers = st.one_of(st.just(math.nan), st.floats(-100, 100))
rows = st.tuples(numbers, numbers, numbers, numbers, st.floats(0, 5), st.integers(0, 60_000), st.integers(0, 60_000))


def limits_of(table, version) -> Limits:
    a = np.array(table, float).reshape(-1, 7)
    return Limits(version, a[:, :4].copy(), a[:, 4].copy(), a[:, 5].astype(np.int64), a[:, 6].astype(np.int64))


def equal(a: Limits, b: Limits) -> bool:
    return a.version == b.version and len(a) == len(b) and len(a.changed(b)) == 0


@given(st.lists(rows, max_size=6), st.lists(rows, max_size=4), st.data(), st.integers(1, 3))
def test_limits_records_lead_from_the_old_set_to_the_new_one(table, more, data, chunk) -> None:
    changed = [data.draw(st.one_of(st.just(row), rows)) for row in table]
    old, new = limits_of(table, 4), limits_of(changed + more, 5)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(control, "_CHUNK", chunk)
        records = control.encode_limits(old, new, NOON)
    assert records, "the version is noted even when nothing changed"
    current = old
    for data_of in records:
        record = control.decode(data_of)
        assert (record.version, record.at, record.points) == (5, NOON, len(new))
        current = record.applied(current)
    assert equal(current, new)


@pytest.mark.parametrize("data", [b"", b"HZ", b"XXXX123", b"HZT1", b"HZT1x", b"HZL1", b"HZL1garbage"])
def test_what_is_no_control_record_is_refused(data) -> None:
    with pytest.raises(ValueError, match=r"."):
        control.decode(data)


# --- findings ------------------------------------------------------------------------------------------------------


def row(kind: int, seconds: int, before: int, after: int, point: int = 0) -> np.ndarray:
    out = np.zeros(1, kernel.ROW)
    out[0] = (kind, point, NOON + seconds * 1000, before, after, after or before, 8.5, 8.0)
    return out


def test_findings_keep_the_order_and_gather_what_belongs_to_a_revision() -> None:
    stream = np.concatenate([
        row(kernel.TRANSITION, 1, 0, 1), row(kernel.REVISION, 0, 0, 0, point=1), row(kernel.AMENDED, 2, 0, 1, point=1),
        row(kernel.AMENDED, 3, 1, 0, point=1), row(kernel.TRANSITION, 4, 1, 0), row(kernel.REVISION, 5, 0, 0),
    ])  # fmt: skip
    first, revision, second, void = findings(stream, NOON + 9, 3, background=False)
    assert first == Transition(0, NOON + 1000, NOON + 9, Level.NORMAL, Level.H, 8.5, 8.0, 3, late=False)
    assert isinstance(revision, Revision)
    assert (revision.point, revision.after_ts, [t.after for t in revision.instead]) == (
        1,
        NOON,
        [Level.H, Level.NORMAL],
    )
    assert all(t.late for t in revision.instead)
    assert second.after is Level.NORMAL
    assert (void.after_ts, list(void.instead)) == (NOON + 5000, [])


def test_all_that_the_background_brings_was_found_late() -> None:
    (found,) = findings(row(kernel.TRANSITION, 1, 0, 1), NOON, 1, background=True)
    assert found.late


# --- values for the pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("active", "level"),
    [(0, 0), (1, -2), (2, -1), (3, -2), (4, 1), (8, 2), (12, 2), (9, 2), (6, 1)],
)
def test_the_level_told_is_the_judges_level(active, level) -> None:
    judge_state = judged.fresh(1)
    judge_state.live.active[0] = active
    assert packed.levels(judge_state, np.array([0])).tolist() == [level]
    assert kernel._level.py_func(active) == level


def test_packed_values_come_back() -> None:
    kept = busy()
    told = packed.unpack(packed.pack(kept.latest, kept.judge, np.array([1, 2])))
    assert told["point"].tolist() == [1, 2]
    assert (told["value"][0], told["ts"][0], told["received"][0]) == (9.5, NOON, NOON + 1)
    assert math.isnan(told["value"][1])
    assert told["quality"].tolist() == [0, 3]
    assert len(packed.unpack(b"")) == 0


@pytest.mark.parametrize("layout", [1, 2])
def test_a_snapshot_of_the_layouts_before_is_read(tmp_path, layout: int) -> None:
    """A node is brought up to date with its snapshots: a longer ring, all due times, once one row a point."""
    kept = busy()
    path = state.save(kept, tmp_path)
    with np.load(path) as saved:
        arrays = {name: saved[name] for name in saved.files if name != "layout" and not name.endswith("of")}
    arrays |= {"j2": kept.judge.live.due, "j7": kept.judge.base.due}
    for k in range(10, 13):
        arrays[f"j{k}"] = np.concatenate([arrays[f"j{k}"], np.zeros_like(arrays[f"j{k}"])])
    if layout == 2:
        np.savez(path, layout=np.array([2]), **arrays)
        assert same(state.load(tmp_path), kept)
        return
    for k in range(10, 13):
        arrays[f"j{k}"] = np.ascontiguousarray(arrays[f"j{k}"].T)
    for k in range(13, 15):
        arrays[f"j{k}"] = arrays[f"j{k}"].astype(np.int32)
    np.savez(path, **arrays)
    assert same(state.load(tmp_path), kept)


def test_limits_from_the_log_are_in_force_for_a_whole_second_of_points() -> None:
    """Three hundred neighbours at once take the dense path: the one that is beyond its new limit is found there too."""
    new = Limits(2, np.tile([math.nan, math.nan, 80.0, 90.0], (300, 1)), np.zeros(300), *np.zeros((2, 300), np.int64))
    record = control.decode(control.encode_limits(Limits.none(300, 1), new, NOON)[0])
    assert isinstance(record, control.LimitsRecord)
    in_force = record.applied(Limits.none(300, 1))
    value = np.full(300, 50.0)
    value[123] = 85.0
    rows = judge(judged.fresh(300), in_force, SampleBatch.of(np.arange(300), np.full(300, NOON), value)).rows
    assert [(int(r["point"]), int(r["to_level"])) for r in rows] == [(123, 1)]
