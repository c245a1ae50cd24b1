"""A weather warning counts for the sources that it concerns; what is not known is always concerned."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from tests.warnings.support import STORE, TANKS, UNIT
from tests.warnings.test_service import Park
from tests.warnings.test_weather import GALE, NOW, message, park

from hazwatch.app import sites
from hazwatch.app.chemistry import weather_traits
from hazwatch.app.riskroom import RiskRoom
from hazwatch.app.weather import Weather
from hazwatch.identity.model import SYSTEM
from hazwatch.records import reading, unit_of_work
from hazwatch.registry.facts import Points
from hazwatch.registry.tables import Equipment, Source
from hazwatch.risk.concerns import CONCERNS, Trait, concerns
from hazwatch.risk.declared import features
from hazwatch.risk.service import RiskDesk
from hazwatch.warnings.weather import KINDS, SHOWN_ONLY

__all__ = ["park"]
METHANOL, CHLORINE, BENZENE, SODIUM = "67-56-1", "7782-50-5", "71-43-2", "7440-23-5"


def test_every_scored_signal_has_a_row_and_every_row_concerns_somebody() -> None:
    assert set(CONCERNS) == set(KINDS) - SHOWN_ONLY
    assert all(CONCERNS.values())


@pytest.mark.parametrize("signal", [*CONCERNS, None, "of-another-version"])
def test_what_is_not_known_is_concerned_and_another_trait_never_takes_a_concern_away(signal) -> None:
    assert concerns(signal, None)
    assert concerns(signal, frozenset(Trait))
    for a, b in itertools.combinations(Trait, 2):
        assert concerns(signal, {a, b}) == (concerns(signal, {a}) or concerns(signal, {b}))


@pytest.mark.parametrize(
    ("cas", "has", "lacks"),
    [
        (METHANOL, {Trait.FLAMMABLE}, {Trait.WATER, Trait.FREEZES, Trait.PRESSURISED}),
        (BENZENE, {Trait.FLAMMABLE, Trait.FREEZES}, {Trait.WATER}),
        (CHLORINE, {Trait.TOXIC, Trait.PRESSURISED}, {Trait.FLAMMABLE, Trait.WATER, Trait.FREEZES}),
        (SODIUM, {Trait.WATER}, {Trait.TOXIC}),
    ],
)
def test_the_traits_of_a_medium_come_from_the_knowledge_base(cas, has, lacks) -> None:
    traits = weather_traits(cas, None)
    assert traits is not None
    assert has <= traits
    assert not lacks & traits


def test_an_unknown_medium_has_no_traits() -> None:
    assert weather_traits(None, "某中间体") is weather_traits(None, None) is None


def _holds(park: Park, source: str, number: int, kind: str, cas: str | None) -> None:
    with unit_of_work(park.sessions) as session:
        row = session.get(Source, source)
        assert row is not None
        session.add(
            Equipment(code=f"{source}{kind}{number:03d}", name="x", source=source, kind=kind, medium=None, cas=cas,
                      path=row.path)
        )  # fmt: skip


def _scored(park: Park) -> dict[str, float]:
    """The environment input of each source, as the engine's risk room reads it from the records."""
    room = RiskRoom(park.sessions, None, None)  # type: ignore[arg-type]  # what streams is not asked for
    with reading(park.sessions) as session:
        room._sites = sites.read(session, Points.read(session))  # what ``know`` reads of the registry
        paths = {s.code: s.path for s in session.query(Source)}
    desk = RiskDesk(park.sessions, room.look, places=False)
    desk.know([SimpleNamespace(code=c, enterprise=c[:9], path=p) for c, p in paths.items()])  # type: ignore[misc]
    room.risk = desk
    assert room.reload(NOW) == set(paths), "a signal for the city touches every source below it"
    assert room.reload(NOW) == set(), "and nothing when nothing changed"
    found = {}
    for code in (TANKS, UNIT, STORE):
        mine, elsewhere = room._records(SimpleNamespace(code=code, path=paths[code]), NOW)  # one step of ``look``
        assert len(mine) + len(elsewhere) == len(room._of_place), "what does not count is named"
        found[code] = features(mine, code, frozenset(), NOW, holiday=False).get("weather", (0.0, ""))[0]
    return found


def test_a_signal_counts_for_what_it_concerns_and_for_what_nobody_knows(park) -> None:
    with unit_of_work(park.sessions) as session:
        for code, kind in ((UNIT, "生产装置"), (STORE, "仓库")):
            session.get(Source, code).kind = kind
    _holds(park, TANKS, 1, "G0", METHANOL)
    _holds(park, STORE, 1, "C0", CHLORINE)
    _holds(park, STORE, 1, "Q0", None)
    weather = Weather(park.sessions, lambda: NOW)

    def told(kind: str) -> dict[str, float]:
        weather.take_in(SYSTEM, message({**GALE, "kind": kind}), "t")
        return _scored(park)

    # The unit's equipment is not registered: it is concerned by everything.
    assert told("大风") == {TANKS: 3.0, UNIT: 3.0, STORE: 3.0}, "a release of chlorine drifts with the wind"
    assert told("雷电") == {TANKS: 3.0, UNIT: 3.0, STORE: 0.0}, "chlorine does not burn; a detector holds nothing"
    assert told("沙尘暴") == {TANKS: 3.0, UNIT: 3.0, STORE: 0.0}
    assert told("道路结冰") == {TANKS: 3.0, UNIT: 3.0, STORE: 3.0}
    assert told("霜冻") == {TANKS: 0.0, UNIT: 3.0, STORE: 0.0}, "methanol freezes at -98 °C"
    _holds(park, STORE, 2, "C0", None)
    assert told("霜冻")[STORE] == 3.0, "one of its stores holds nobody knows what"
