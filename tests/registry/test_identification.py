"""Identifications kept at a source: versions, adoption, scope, and the filing sheet that stands alone in a file."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from tests.registry.support import SMALL, Office, engineer, office

from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Principal, Role
from hazwatch.records import Sessions, reading
from hazwatch.records.paging import PageRequest
from hazwatch.registry import queries
from hazwatch.registry.files import service as files
from hazwatch.registry.gb18218 import filing, service
from hazwatch.registry.gb18218.model import BetaChoice
from hazwatch.registry.gb18218.service import Wish
from hazwatch.registry.service import seed

SOURCE = "410902001001"
UNIT = {"population_500m": 60, "substances": [{"name": "甲醇", "q_t": Decimal("33000.5")}, {"name": "苯", "q_t": 20}]}


@pytest.fixture
def room(records: Sessions) -> Office:
    place = office(records)
    seed(place.desk, SYSTEM, SMALL, "park")
    place.versions.clear()
    return place


def keep(room: Office, wish: Wish | None = None, who=SYSTEM) -> dict:
    return service.keep(room.desk, who, SOURCE, wish or Wish(UNIT, "tanks", "T-101 防火堤"), BetaChoice.CLASS_OF_Q)


def one(room: Office, version: int = 1, who=SYSTEM) -> dict:
    with reading(room.sessions) as session:
        return service.one(session, who, SOURCE, version)


def registered(room: Office) -> tuple[int, float | None]:
    with reading(room.sessions) as session:
        (found,) = queries.sources(session, SYSTEM, code=SOURCE)
    return found.level, found.r


def test_versions_are_counted_and_old_ones_stay(room) -> None:
    before = registered(room)
    assert keep(room)["version"] == 1
    changed = {**UNIT, "population_500m": 0}
    assert keep(room, Wish(changed, "tanks"))["version"] == 2
    with reading(room.sessions) as session:
        page = service.versions(session, SYSTEM, SOURCE, PageRequest())
    told = [(item["version"], item["R"], item["level"]) for item in page.items]
    assert told == [(2, 33.2005, "三级"), (1, 99.6015, "二级")]
    assert registered(room) == before, "keeping a result changes no file"
    assert room.versions == []
    first = one(room)
    assert first["unit"]["substances"][0]["q_t"] == 33000.5
    assert first["result"]["terms"][0]["symbol"] == "W5.2/W5.3/W5.4"


def test_adopting_enters_the_result_into_the_file_where_a_second_person_decides(room) -> None:
    before = registered(room)
    told = keep(room, Wish(UNIT, "tanks", adopt=True), engineer("/410000/410900/"))
    assert registered(room) == before, "level and R wait"
    other = Principal("bao", "审核", Role.ENGINEER, "/410000/410900/", scope_code="410900")
    files.approve(room.desk, other, told["file_change"], "")
    assert registered(room) == (2, 99.6015)
    again = keep(room, Wish(UNIT, "tanks", adopt=True), engineer("/410000/410900/"))
    assert (again["version"], again["file_change"]) == (2, None), "nothing is left to change"
    small = {"population_500m": 0, "substances": [{"name": "甲醇", "q_t": 1}]}
    with pytest.raises(ApiError) as refused:
        keep(room, Wish(small, "tanks", adopt=True))
    assert "adopt" in refused.value.fields


def test_what_is_outside_the_scope_is_not_there(room) -> None:
    stranger = engineer("/410000/410500/")
    with pytest.raises(ApiError) as refused:
        keep(room, who=stranger)
    assert refused.value.status == 404
    keep(room)
    with pytest.raises(ApiError):
        one(room, who=stranger)
    with reading(room.sessions) as session, pytest.raises(ApiError):
        service.versions(session, stranger, SOURCE, PageRequest())


def test_a_refused_unit_keeps_nothing_and_lists_the_candidates(room) -> None:
    bad = {"population_500m": 1, "substances": [{"name": "硝酸铵", "q_t": 1}]}
    with pytest.raises(ApiError) as refused:
        keep(room, Wish(bad, "tanks"))
    assert refused.value.fields["substances[0].form"].count("候选") == 3
    with pytest.raises(ApiError):
        keep(room, Wish(UNIT, "room"))
    with reading(room.sessions) as session:
        assert service.versions(session, SYSTEM, SOURCE, PageRequest()).total == 0


def test_the_filing_sheet_carries_its_own_letters(room) -> None:
    keep(room)
    content = filing.sheet(one(room))
    assert content.startswith(b"%PDF-")
    assert b"NotoSansSC" in content
    assert content.count(b"/FontFile3") == 1, "the font is embedded"
    assert len(content) < 80_000, "only the letters that are used"
    assert filing.sheet(one(room)) == content, "the same record gives the same file"
    assert json.loads(json.dumps(one(room))) == one(room)
