"""Laws of the alarm records: neither chunks nor arrival order change which excursions stand in the table."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.alarms.support import NOON, facts, life, scratch, table

from hazwatch.alarms.commands import Commands
from hazwatch.alarms.service import AlarmDesk, Finding
from hazwatch.judge.judge import judge, tick
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.samples.batch import SampleBatch
from hazwatch.stream.findings import findings

POINTS = 2
VALUES = [0.5, 1.5, 5.0, 7.8, 8.5, 9.5]


def limits(on_s: int, off_s: int) -> Limits:
    return Limits(
        1, np.tile([1.0, 2.0, 8.0, 9.0], (POINTS, 1)), np.full(POINTS, 0.5), np.full(POINTS, on_s * 1000),
        np.full(POINTS, off_s * 1000),
    )  # fmt: skip


sample = st.tuples(st.integers(0, POINTS - 1), st.integers(0, 60), st.sampled_from(VALUES))
samples = st.lists(sample, min_size=1, max_size=24, unique_by=lambda s: s[:2])
delays = st.sampled_from([(0, 0), (3, 0), (0, 4), (2, 5)])


def found(arrivals, config: Limits, rng: random.Random) -> list[Finding]:
    """What the judge finds, in batches of random size."""
    state = fresh(POINTS, 32)
    out: list[Finding] = []
    k = 0
    while k < len(arrivals):
        part = arrivals[k : k + rng.randint(1, 6)]
        k += len(part)
        batch = SampleBatch.of([p for p, _, _ in part], [NOON + t * 1000 for _, t, _ in part], [v for *_, v in part])
        out += findings(judge(state, config, batch).rows, NOON + 90_000, 1, background=False)
    return out + findings(tick(state, config, NOON + 120_000), NOON + 120_000, 1, background=False)


def applied(all_findings: list[Finding], rng: random.Random | None, *, restarts: bool = False):
    """Records and their lives after applying the findings; ``rng`` None = all at once."""
    with scratch() as sessions:
        desk = AlarmDesk(sessions, facts)
        k = 0
        while k < len(all_findings):
            part = all_findings[k:] if rng is None else all_findings[k : k + rng.randint(1, 4)]
            k += len(part)
            desk.apply(part, (k, 0))
            if restarts:
                desk = AlarmDesk(sessions, facts)
        rows = table(sessions)
        return [(r, life(sessions, r.id)) for r in rows]


def excursions(result):
    """What a person reads years later, without what depends on when the data came."""
    return [
        (r.id, r.point, r.level, r.worst_level, r.value, r.limit, r.event_time, r.returned_at, r.level_since)
        for r, _ in result
        if not r.revoked
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples, delays, st.randoms(use_true_random=False), st.booleans())
def test_any_chunking_gives_the_same_records(arrivals, delay, rng, restarts) -> None:
    told = found(arrivals, limits(*delay), rng)
    assert applied(told, rng, restarts=restarts) == applied(told, None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples, delays, st.randoms(use_true_random=False))
def test_late_data_ends_in_the_same_excursions_as_data_in_order(arrivals, delay, rng) -> None:
    config = limits(*delay)
    in_order = sorted(arrivals, key=lambda s: s[1])
    assert excursions(applied(found(arrivals, config, rng), None)) == excursions(
        applied(found(in_order, config, rng), None)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples, delays, st.randoms(use_true_random=False))
def test_a_closed_record_says_since_when_and_an_open_one_does_not(arrivals, delay, rng) -> None:
    with scratch() as sessions:
        desk = AlarmDesk(sessions, facts)
        for k, finding in enumerate(found(arrivals, limits(*delay), rng), 1):
            desk.apply([finding], (k, 0))
            if rng.random() < 0.3:
                Commands(desk).acknowledge([r.id for r in desk.open], "张", "", NOON + 200_000 + k)
        for record in table(sessions):
            assert (record.closed_at is None) == (record.id in {r.id for r in desk.open})
            assert record.active == (record.returned_at is None and not record.revoked)
