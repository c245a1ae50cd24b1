"""Laws of all three models over random vectors, whole arrays at once (domain/risk.md §4)."""

from __future__ import annotations

import numpy as np
import pytest

from hazwatch.risk.configuration import DEFAULT as K
from hazwatch.risk.evidence import ActiveAlarm, Around, at_moment, collect
from hazwatch.risk.features import COLUMN, FAR, NONE, SERVICES, Feature
from hazwatch.risk.model import FLOORS, Member, enterprise_score, evaluate
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level

N = 10_000
NOW = 1_795_417_200_000
services = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def draw(rng: np.random.Generator, f: Feature, n: int) -> np.ndarray:
    """Values a feature may have: often calm, else anywhere, small ones more often than large ones."""
    low, high = f.low, f.high
    if f.since:
        some = np.where(rng.random(n) < 0.5, rng.random(n), 600 * rng.random(n))
    elif f.id == "to_limit":
        some = 40 * rng.random(n)
    elif f.id == "level":
        some = rng.integers(0, 5, n).astype(float)
    elif high - low > 1000:
        some = 10 ** (4 * rng.random(n)) - 1
    else:
        some = low + (high - low) * rng.random(n)
    return np.where(rng.random(n) < 0.6, f.calm, np.clip(some, low, high))


def vectors(service, seed: int, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    value = np.column_stack([draw(rng, f, n) for f in service.features])
    age = np.where(rng.random(value.shape) < 0.7, 0.0, 3600 * rng.random(value.shape))
    return value, age


@services
def test_a_worse_input_never_lowers_score_or_colour(service) -> None:
    """Every input in turn, over ten thousand objects: towards worse, and to the worst that it may be."""
    value, age = vectors(service, 1)
    before = evaluate(service, value, age, K)
    rng = np.random.default_rng(2)
    for n, f in enumerate(service.features):
        if f.id == "level":
            continue
        worst = f.high if f.worse > 0 else f.low
        worse = value.copy()
        share = rng.random(N) if f.high < FAR else 1e-3 * rng.random(N)
        worse[:, n] += share * (worst - worse[:, n])
        if f.since:
            worse[:, n] = np.where(worse[:, n] < 0, np.where(rng.random(N) < 0.5, 0.0, NONE), worse[:, n])
        after = evaluate(service, worse, age, K)
        assert (after.score >= before.score).all(), f.id
        assert (after.sure >= before.sure).all(), f.id
        assert (after.colour >= before.colour).all(), f.id


@services
def test_an_older_input_never_lowers_it_and_never_raises_confidence(service) -> None:
    value, age = vectors(service, 3)
    before = evaluate(service, value, age, K)
    after = evaluate(service, value, age + 7200 * np.random.default_rng(4).random(age.shape), K)
    assert (after.score >= before.score).all()
    assert (after.colour >= before.colour).all()
    assert (after.confidence <= before.confidence).all()


@services
def test_it_is_bounded_whatever_is_missing(service) -> None:
    value, age = vectors(service, 5)
    rng = np.random.default_rng(6)
    value[rng.random(value.shape) < rng.random((N, 1))] = np.nan
    s = evaluate(service, value, age, K)
    for what in (s.score, s.sure):
        assert ((what >= 0) & (what <= 100)).all()
    assert ((s.x >= 0) & (s.x <= 1)).all()
    assert ((s.confidence >= 0) & (s.confidence <= 1)).all()
    assert np.isfinite(s.contribution).all()
    everything = evaluate(service, np.full((1, value.shape[1]), np.nan), np.zeros((1, value.shape[1])), K)
    assert everything.unknown[0]
    assert 0 <= everything.score[0] <= 100


@services
def test_what_is_lost_is_never_taken_to_be_calm(service) -> None:
    """An object that is calm, and the same with one term's inputs lost: the score is higher, not lower."""
    value = np.array([[f.calm for f in service.features]])
    calm = evaluate(service, value, np.zeros_like(value), K)
    for term in service.terms:
        lost = value.copy()
        lost[0, [f.term == term for f in service.features]] = np.nan
        s = evaluate(service, lost, np.zeros_like(value), K)
        assert s.score[0] > calm.score[0], term
        assert s.confidence[0] < calm.confidence[0]


@services
def test_a_missing_input_holds_for_five_minutes_and_then_drifts(service) -> None:
    value = np.array([[f.calm for f in service.features]])
    scores = [evaluate(service, value, np.full_like(value, m * 60.0), K).score[0] for m in (0, 5, 6, 15, 60)]
    assert scores[0] == scores[1] < scores[2] < scores[3] < scores[4]


@services
def test_floors_are_never_masked(service) -> None:
    """Whatever else is missing, old or calm: a direct rule that holds is shown."""
    at = COLUMN[service.id]
    causes = [
        {"level": 1.0, "gas_pair_second": 1.0}, {"uncut": 1.0}, {"fire": 1.0}, {"second_toxic": 0.0},
        {"bypass_beyond": 1.0}, {"work_hot_special": 1.0, "lel": 25.0}, {"unseen": 15.0},
    ]  # fmt: skip
    rng = np.random.default_rng(7)
    for rule, ((colour, _), cause) in enumerate(zip(FLOORS, causes, strict=True)):
        value, age = vectors(service, 8 + rule, 500)
        value[rng.random(value.shape) < 0.5] = np.nan
        for name, v in cause.items():
            value[:, at[name]] = v
        s = evaluate(service, value, age + 1e6, K)
        assert s.floors[:, rule].all()
        assert (s.colour >= colour).all()


@services
def test_one_object_is_scored_alone_as_among_many(service) -> None:
    value, age = vectors(service, 30, 300)
    many = evaluate(service, value, age, K)
    for n in range(0, 300, 7):
        one = evaluate(service, value[n : n + 1], age[n : n + 1], K)
        assert one.score[0] == many.score[n]
        assert (one.contribution[0] == many.contribution[n]).all()


@services
def test_a_contribution_is_what_would_be_gone_without_the_term(service) -> None:
    value, age = vectors(service, 40, 1000)
    age[:] = 0.0
    s = evaluate(service, value, age, K)
    for n, term in enumerate(service.terms):
        less = value.copy()
        for c, f in enumerate(service.features):
            if f.term == term:
                less[:, c] = f.calm
        less[:, COLUMN[service.id]["silent"]] = value[:, COLUMN[service.id]["silent"]]
        calm = evaluate(service, less, age, K)
        quiet = value[:, COLUMN[service.id]["silent"]] == 0
        np.testing.assert_allclose(s.contribution[quiet, n + 1], (s.score - calm.score)[quiet], atol=3e-6)


@services
def test_one_spiking_sample_of_one_sensor_turns_nothing_red(service) -> None:
    """Objects in any state below 红; then one sensor jumps beyond its second limit, this moment."""
    at = COLUMN[service.id]
    value, age = vectors(service, 50)
    for name in (
        "first_other",
        "first_combustible",
        "first_toxic",
        "second_other",
        "second_combustible",
        "second_toxic",
        "trip",
        "unseen",
        "uncut",
    ):
        value[:, at[name]] = NONE
    value[:, at["gas_pair"]] = value[:, at["alarming"]] = value[:, at["gas_pair_second"]] = 0.0
    before = evaluate(service, value, age, K)
    below = before.colour < Colour.RED
    assert below.sum() > N / 20
    for name in ("second_other", "second_combustible", "second_toxic", "trip"):
        spike = value.copy()
        spike[:, at[name]], spike[:, at["alarming"]], spike[:, at["uncut"]] = 0.0, 1.0, 0.0
        after = evaluate(service, spike, age, K)
        assert (after.colour[below] < Colour.RED).all(), name
        stays = spike.copy()
        stays[:, at[name]] = 1.0
        assert (evaluate(service, stays, age, K).colour[below] == Colour.RED).any(), "after a minute it counts"


def test_nor_does_it_through_an_enterprise() -> None:
    calm = Member(62.0, Colour.ORANGE, 62.0)
    spiking = Member(79.9, Colour.ORANGE, 40.0)
    score, colour, sure = enterprise_score([calm, spiking], K)
    assert colour is Colour.ORANGE
    assert sure == 62.0
    assert score < 80
    lasting = enterprise_score([calm, Member(79.9, Colour.ORANGE, 79.9)], K)
    assert lasting[1] is Colour.RED


def test_the_order_of_alarms_and_records_does_not_matter() -> None:
    rng = np.random.default_rng(9)
    service = SERVICES["tank-farm"]
    for _ in range(50):
        alarms = [
            ActiveAlarm(
                f"P{k}", f"点{k}", f"Q{rng.integers(3)}", Level(int(rng.choice([-2, -1, 1, 2]))),
                str(rng.choice(["toxic", "combustible", "other"])), NOW - int(rng.integers(0, 3_600_000)),
                NOW, acknowledged=True,
            )
            for k in range(6)
        ]  # fmt: skip
        answers = []
        for _ in range(3):
            rng.shuffle(alarms)
            asked = at_moment(service, [collect(service, "x", 12.0, 2, Around(tuple(alarms)), NOW)], NOW)[0]
            answers.append((asked.value.tobytes(), asked.notes))
        assert answers[0] == answers[1] == answers[2]
