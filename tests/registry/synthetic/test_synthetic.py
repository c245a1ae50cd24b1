"""The made-up province: exact in size, the same for the same seed, marked, and acceptable to the registry."""

from __future__ import annotations

import pytest
from tests.registry.support import Office

from hazwatch.identity.model import SYSTEM
from hazwatch.identity.regions import seed_regions
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.registry.files import views
from hazwatch.registry.synthetic.model import CHEMICALS, MARK, Size
from hazwatch.registry.synthetic.service import bring_in, counties_of, make

SIZE = Size(40, 90, 700)


@pytest.fixture(scope="module")
def counties():
    return counties_of("410000")


def test_the_same_seed_gives_the_same_province(counties) -> None:
    one, again, other = make(3, SIZE, counties), make(3, SIZE, counties), make(4, SIZE, counties)
    assert one == again
    assert one.description != other.description


def test_figures_are_met_exactly_and_everything_is_marked(counties) -> None:
    made = make(3, SIZE, counties).description
    assert (len(made.enterprises), len(made.sources), len(made.points)) == (40, 90, 700)
    for row in (*made.parks, *made.enterprises, *made.sources):
        assert row.name.startswith(MARK)
        assert row.simulated
    assert all(row.simulated for row in (*made.gateways, *made.points))
    homes = {county.code: county for county in counties}
    assert all(row.code[:6] in homes for row in made.enterprises)


def test_a_whole_province_has_all_cities(counties) -> None:
    assert len({county.code[:4] for county in counties}) == 18
    spread = make(1, Size(300, 400, 2_000), counties).description
    assert len({row.code[:4] for row in spread.enterprises}) == 18
    levels = {row.level for row in spread.sources}
    assert levels == {1, 2, 3, 4}
    bounds = {1: (100, 1e9), 2: (50, 100), 3: (10, 50), 4: (0, 10)}
    assert all(bounds[row.level][0] <= row.r < bounds[row.level][1] for row in spread.sources)


def test_lists_of_substances_are_those_of_the_state() -> None:
    """lists.md §2–3: a sample that must not be wrong."""
    special = {name for name, chemical in CHEMICALS.items() if chemical.special}
    assert special == {
        "甲醇", "氨", "氯", "环氧乙烷", "氯乙烯", "硝酸铵", "汽油", "乙醇", "液化石油气",
    }  # fmt: skip
    assert not CHEMICALS["乙醇"].key
    assert CHEMICALS["天然气"].key


@pytest.mark.parametrize("size", [(0, 0, 0), (10, 20, 79), (10, 0, 5), (10, -1, 0)])
def test_sizes_that_cannot_be(size) -> None:
    with pytest.raises(ValueError, match=r"."):
        Size(*size)


def test_the_registry_takes_it_once(records: Sessions) -> None:
    with unit_of_work(records) as session:
        seed_regions(session, "410000")
    room = Office(records)
    first = bring_in(room.desk, "410000", 3, Size(12, 20, 120))
    assert first.result.counts["指标"]["new"] == 120
    assert first.files >= 12
    again = bring_in(room.desk, "410000", 3, Size(12, 20, 120))
    assert (again.files, again.result.counts["指标"]["unchanged"]) == (0, 120)
    with pytest.raises(ValueError, match="另一份"):
        bring_in(room.desk, "410000", 4, Size(12, 20, 120))
    with reading(records) as session:
        code = min(row.code for row in make(3, Size(12, 20, 120), counties_of("410000")).description.enterprises)
        found = views.file_view(session, SYSTEM, code, room.now, None)
        assert 40 < found["score"]["percent"] < 100
        assert found["content"]["identity"][""]["note"].startswith("程序生成")
        assert found["version"] == 1
        assert views.file_view(session, SYSTEM, code, room.now, room.now - 1)["content"].get("identity", {}) == {}
