"""Laws of the registry: codes, rules on limits, and the way out and back in."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.registry.support import REGIONS, Office

from hazwatch.identity.model import SYSTEM
from hazwatch.identity.tree import place
from hazwatch.records import make_engine, make_sessions, migrate, unit_of_work
from hazwatch.registry.complete import complete_point
from hazwatch.registry.model import (
    PROTOCOLS,
    UNITS,
    Description,
    EnterpriseRow,
    EquipmentRow,
    GatewayRow,
    ParkRow,
    PointRow,
    SourceRow,
    check_cas,
    errors_of,
    faults_of,
)
from hazwatch.registry.service import export, import_workbook, seed
from hazwatch.vocabulary.codes import EQUIPMENT_TYPES, parse_point
from hazwatch.vocabulary.quantities import QUANTITIES

SERIAL = st.integers(0, 999).map(lambda number: f"{number:03d}")
NUMBER = st.floats(-1e6, 1e6, allow_nan=False)
POSITIVE = st.floats(0, 1e6, allow_nan=False)
NAME = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(
    lambda text: not text.startswith("=")
)
MAYBE = st.none()


@given(SERIAL, SERIAL, st.sampled_from(list(EQUIPMENT_TYPES)), SERIAL, st.sampled_from(list(QUANTITIES)), SERIAL)
def test_point_codes_come_apart_and_together(e: str, s: str, kind: str, k: str, quantity: str, p: str) -> None:
    code = f"410902{e}{s}{kind}{k}{quantity}{p}"
    parts = parse_point(code)
    assert parts.equipment + parts.quantity + parts.serial == code
    assert parts.source == parts.enterprise + s
    assert parts.equipment == parts.source + parts.equipment_type + k


def test_units_are_known_for_every_quantity() -> None:
    assert set(UNITS) == set(QUANTITIES)
    assert all(quantity.unit in UNITS[code] for code, quantity in QUANTITIES.items())


@given(st.lists(st.floats(0, 100), min_size=4, max_size=4, unique=True), st.sampled_from(["YL", "WD", "YW"]))
def test_ordered_limits_within_the_range_are_no_fault(values: list[float], quantity: str) -> None:
    ll, l, h, hh = sorted(values)  # noqa: E741 -- the name of the limit in the trade
    row = PointRow(
        f"410902001001G0001{quantity}001", "x", "41090200101", range_low=ll, range_high=hh, ll=ll, l=l, h=h, hh=hh
    )
    assert faults_of(complete_point(row, "national")) == []
    if h > l:
        wrong = PointRow(row.code, "x", "41090200101", range_low=ll, range_high=hh, l=h, h=l)
        assert faults_of(complete_point(wrong, "national"))


@given(st.sampled_from(list(QUANTITIES)), NUMBER, POSITIVE)
def test_gas_never_gets_a_delay_it_was_not_given(quantity: str, low: float, span: float) -> None:
    row = PointRow(f"410902001001G0001{quantity}001", "x", "41090200101", range_low=low, range_high=low + span)
    full = complete_point(row, "national")
    assert full.deadband is not None
    assert full.deadband >= 0
    assert full.on_delay_s == QUANTITIES[quantity].on_delay_s
    if quantity == "QT":
        assert full.on_delay_s == 0


def test_combustible_gas_has_upper_bounds_for_its_limits() -> None:
    row = PointRow("410902001001Q0001QT001", "x", "41090200101", range_low=0, range_high=100, h=30, hh=60, on_delay_s=5)
    faults = faults_of(complete_point(row, "national"))
    assert len(faults) == 3
    toxic = PointRow(row.code, "x", "41090200101", unit="ppm", range_low=0, range_high=100, h=30, hh=60)
    assert faults_of(complete_point(toxic, "national")) == []


def test_cas_numbers_have_a_check_digit() -> None:
    assert all(check_cas(cas) for cas in ("67-56-1", "7732-18-5", "7664-41-7", "71-43-2"))
    assert not any(check_cas(cas) for cas in ("67-56-2", "67-561", "abc", "7732-18-55"))


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    """A whole small registry, every field filled or not."""
    park = ParkRow("P4109001", draw(NAME), "410900", 115.5, 35.5, draw(st.booleans()))
    enterprise = EnterpriseRow(
        "410902001", draw(NAME), park=draw(st.sampled_from([None, "P4109001"])), address=draw(MAYBE | NAME)
    )
    source = SourceRow("410902001001", draw(NAME), draw(NAME), draw(st.integers(1, 4)), draw(MAYBE | POSITIVE))
    equipment = EquipmentRow(
        "410902001001G0001", draw(NAME), draw(MAYBE | NAME), capacity_m3=draw(MAYBE | POSITIVE), form=draw(MAYBE | NAME)
    )
    options = draw(
        st.dictionaries(st.sampled_from(["unit", "poll_s", "gap"]), st.integers(0, 999).map(str), max_size=3)
    )
    protocol = draw(st.sampled_from(PROTOCOLS))
    # A recording must name a file below its folder; the other protocols take any text.
    address = "run.csv" if protocol == "recorded" else draw(MAYBE | NAME)
    gateway = GatewayRow("41090200101", draw(NAME), protocol, address, options, draw(st.floats(1, 1000)))
    point = st.builds(
        PointRow,
        st.builds(lambda q, s: f"410902001001G0001{q}{s}", st.sampled_from(list(QUANTITIES)), SERIAL),
        NAME,
        st.just("41090200101"),
        tag=MAYBE | NAME,
        range_low=NUMBER,
        range_high=NUMBER,
        ll=MAYBE | NUMBER,
        h=MAYBE | NUMBER,
        deadband=MAYBE | POSITIVE,
        on_delay_s=MAYBE | st.floats(0, 86_400),
        address=st.uuids().map(str),
        scale=st.floats(0.001, 10),
        offset=NUMBER,
        simulated=st.booleans(),
    )
    points = draw(st.lists(point, max_size=4, unique_by=lambda row: row.code))
    return Description((park,), (enterprise,), (source,), (equipment,), (gateway,), tuple(points))


@given(descriptions())
# An example writes two workbooks and a database: shrinking one would take minutes.
@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_export_then_import_is_unchanged(tmp_path_factory: object, description: Description) -> None:
    folder: Path = tmp_path_factory.mktemp("law")
    url = f"sqlite:///{folder / 'records.sqlite'}"
    migrate(url)
    room = Office(make_sessions(make_engine(url)))
    with unit_of_work(room.sessions) as session:
        place(session, REGIONS)
    assert not [list(errors_of(row)) for row in description.points if list(errors_of(row))]
    seed(room.desk, SYSTEM, description, "law")
    first = export(room.desk, SYSTEM)
    result = import_workbook(room.desk, SYSTEM, first, "a.xlsx", dry_run=False)
    assert result.ok, result.errors
    assert all(count["new"] == count["changed"] == 0 for count in result.counts.values()), result.counts
    assert result.version == 1
