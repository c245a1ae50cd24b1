"""Scenarios in accelerated time: what an operator would see, when, and that everything comes back."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hazwatch.simulator.registry import park
from hazwatch.simulator.scenarios import Theatre
from hazwatch.simulator.tennessee import FEED_LOSS, LivePlant, RecordedPlant, Tennessee
from hazwatch.simulator.world import World

T0 = 1_795_449_600_000
POINTS = {p.tag: p for p in park().points}


class Line:
    def __init__(self) -> None:
        self.is_cut = False

    def cut(self) -> None:
        self.is_cut = True

    def restore(self) -> None:
        self.is_cut = False


class Stage:
    """A world on a clock of its own."""

    def __init__(self, seed: int = 1, *, live: bool = False) -> None:
        self.world = World(T0, seed=seed, live_te=live)
        self.lines = {"national": Line(), "sparkplug": Line()}
        self.theatre = Theatre(self.world, self.lines)
        self.seconds = 0.0
        self.first: dict[str, float] = {}

    def play(self, seconds: float, dt: float = 1.0) -> dict[str, float]:
        values: dict[str, float] = {}
        for _ in range(round(seconds / dt)):
            self.seconds += dt
            self.theatre.step(dt)
            self.world.step(T0 + int(self.seconds * 1000), dt)
            values = self.world.values()
            for tag, p in POINTS.items():
                for word, limit, sign in (("H", p.h, 1), ("HH", p.hh, 1), ("L", p.l, -1), ("LL", p.ll, -1)):
                    if limit is not None and sign * values[tag] >= sign * limit:
                        self.first.setdefault(f"{tag} {word}", self.seconds)
        return values

    def state(self, scenario: str) -> str:
        return next(s["state"] for s in self.theatre.list() if s["id"] == scenario)


def test_every_scenario_is_described_for_the_page() -> None:
    items = Stage().theatre.list()
    assert {i["id"] for i in items} == {
        "overfill", "ammonia-leak", "stuck-gauge", "te-feed-loss", "link-cut-national", "link-cut-sparkplug",
    }  # fmt: skip
    for item in items:
        assert set(item) == {"id", "name", "description", "unit", "params", "state", "started_at", "progress"}
        for p in item["params"]:
            assert set(p) == {"name", "label", "default", "min", "max", "unit"}
            assert p["min"] <= p["default"] <= p["max"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_overfill_rings_within_a_minute_and_resets_itself(seed: int) -> None:
    stage = Stage(seed)
    stage.theatre.start("overfill", {}, T0)
    stage.play(300)
    assert stage.first["LT-102 H"] < 60
    assert stage.first["LT-102 H"] < stage.first["LT-102 HH"] < stage.first["LSHH-102 HH"] < 90
    assert stage.state("overfill") == "idle"
    assert stage.world.values()["LT-102"] < 4.6
    assert stage.world.farm.disturbance.time_lapse == 1.0
    assert {tag.split()[0] for tag in stage.first} == {"LT-102", "LSHH-102"}


@pytest.mark.parametrize("seed", range(8))
def test_an_ammonia_leak_is_seen_by_two_detectors_at_least_whatever_the_wind(seed: int) -> None:
    stage = Stage(seed)
    stage.theatre.start("ammonia-leak", {}, T0)
    stage.play(75)
    detectors = {tag for tag in stage.first if tag.startswith("AT-3") and tag.endswith(" H")}
    assert len(detectors) >= 2
    assert sorted(stage.first[tag] for tag in detectors)[1] < 60
    stage.play(300)
    assert stage.state("ammonia-leak") == "idle"
    assert max(stage.world.farm.detectors.values()) < 5


def test_a_stuck_gauge_shows_one_value_while_the_tank_fills_until_the_switch_acts() -> None:
    stage = Stage()
    stage.theatre.start("stuck-gauge", {}, T0)
    before = stage.play(2)["LT-102"]
    values = stage.play(30)
    assert values["LT-102"] == before
    assert values["FT-102A"] > 100
    assert stage.world.farm.level("102") > before + 1
    stage.play(60)
    assert stage.first["LSHH-102 HH"] < 60
    stage.play(120)
    assert stage.state("stuck-gauge") == "idle"
    assert stage.world.values()["LT-102"] != before


def test_the_feed_loss_ends_in_the_trip_of_the_plant_and_a_new_start() -> None:
    stage = Stage()
    stage.theatre.start("te-feed-loss", {"speed": 600}, T0)
    values = stage.play(46)
    assert stage.first["XMEAS(1) LL"] < 5
    assert values["TRIP"] == 1
    assert "停车" in stage.world.tennessee.status
    stage.play(70)
    assert stage.state("te-feed-loss") == "idle"
    assert stage.world.values()["TRIP"] == 0
    assert stage.world.tennessee.speed == 60


def test_a_cooling_loss_heats_the_reactor_until_the_plant_trips_itself() -> None:
    pytest.importorskip("tep_studio", reason="tep-studio is not installed (it needs a C compiler)")
    stage = Stage(live=True)
    stage.play(5)
    before = stage.world.values()
    stage.theatre.start("cooling-loss", {}, T0)
    shown = [stage.play(1) for _ in range(75)]

    assert shown[-1]["TRIP"] == 1
    assert max(v["XMEAS(9)"] for v in shown) > before["XMEAS(9)"] + 3  # reactor temperature, ℃
    assert stage.first["XMEAS(7) H"] < 75  # reactor pressure rings before the shutdown
    stage.play(80)
    assert stage.state("cooling-loss") == "idle"
    assert stage.world.values()["TRIP"] == 0


def test_a_cut_takes_the_line_away_and_gives_it_back() -> None:
    stage = Stage()
    stage.theatre.start("link-cut-national", {"minutes": 0.5}, T0)
    stage.play(5)
    assert stage.lines["national"].is_cut
    assert not stage.lines["sparkplug"].is_cut
    stage.play(30)
    assert not stage.lines["national"].is_cut
    stage.theatre.start("link-cut-sparkplug", {}, T0)
    stage.play(1)
    stage.theatre.stop("link-cut-sparkplug")
    assert not stage.lines["sparkplug"].is_cut


def test_stopping_leads_back_and_wrong_parameters_are_named() -> None:
    stage = Stage()
    stage.theatre.start("ammonia-leak", {"rate": 100}, T0)
    stage.play(20)
    stage.theatre.stop("ammonia-leak")
    assert stage.world.farm.disturbance.ammonia_leak == 0
    for params in ({"rate": 1e9}, {"rate": "viel"}, {"farbe": 1}, {"rate": float("nan")}, {"rate": True}):
        with pytest.raises(ValueError, match=r"[应没]"):
            stage.theatre.start("ammonia-leak", params, T0)
    with pytest.raises(KeyError):
        stage.theatre.start("weltuntergang", {}, T0)


@pytest.mark.slow
def test_the_live_plant_really_trips() -> None:
    pytest.importorskip("tep_studio", reason="the live plant needs tep-studio (source-only, optional)")
    plant = LivePlant()
    plant.disturb(FEED_LOSS)
    for _ in range(24):
        shown = plant.advance(0.5)
        if plant.tripped:
            break
    assert plant.tripped
    assert shown[-1] == 1.0
    standing = plant.advance(1.0)
    assert (standing == shown).all()
    plant.reset()
    assert not plant.tripped


def test_the_recorded_run_says_that_it_is_one_and_never_jumps() -> None:
    te = Tennessee(live=False)
    assert "回放" in te.status
    plant = RecordedPlant()
    pressure = [plant.advance(0.01)[6] for _ in range(4000)]
    assert max(abs(a - b) for a, b in pairwise(pressure)) < 5
