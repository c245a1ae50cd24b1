"""Weather warnings: what is read, what is refused and why, and what they do to the risk room."""

from __future__ import annotations

import json

import orjson
import pytest
from sqlalchemy import select
from tests.warnings.test_service import Park

from hazwatch.access.tables import DeadLetterRow
from hazwatch.app.weather import Weather
from hazwatch.identity.model import SYSTEM, Principal, Role
from hazwatch.records import Sessions, reading
from hazwatch.records.paging import PageRequest
from hazwatch.risk import book as risk
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.faults import Refusal
from hazwatch.vocabulary.moments import DAY, HOUR, iso
from hazwatch.warnings import weather_book
from hazwatch.warnings.weather import LARGEST, read

NOW = 1_795_417_200_000
GALE = {"id": "W1", "kind": "大风", "colour": "橙色", "area": "410900", "from": iso(NOW), "to": iso(NOW + 6 * HOUR)}
CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{id}</identifier><sender>wx</sender>
<sent>2026-11-23T15:00:00+08:00</sent><status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{refs}
<info><category>Met</category><event>雷电</event><urgency>Expected</urgency><severity>Severe</severity>
<certainty>Likely</certainty><headline>濮阳发布雷电黄色预警信号</headline><area><areaDesc>濮阳</areaDesc>
<geocode><valueName>adcode</valueName><value>410900</value></geocode></area></info></alert>"""


def message(*signals: dict) -> bytes:
    return json.dumps(list(signals), ensure_ascii=False).encode()


def test_json_and_cap_say_the_same_things() -> None:
    (gale,) = read(message(GALE), NOW).signals
    assert (gale.kind, gale.colour, gale.areas, gale.end - gale.begin) == ("wind", Colour.ORANGE, ("410900",), 6 * HOUR)
    assert gale.title == "大风橙色预警"
    (thunder,) = read(CAP.format(id="c1", kind="Alert", refs="").encode(), NOW).signals
    assert (thunder.ref, thunder.kind, thunder.colour, thunder.areas) == ("c1", "lightning", Colour.YELLOW, ("410900",))
    assert thunder.end - thunder.begin == DAY, "without an end it holds a day"
    refs = "<references>wx,c1,2026-11-23T15:00:00+08:00</references>"
    (over,) = read(CAP.format(id="c2", kind="Cancel", refs=refs).encode(), NOW).signals
    assert (over.ref, over.over) == ("c1", True)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"\xff\xfe not json", Refusal.MALFORMED), (b"[" * 100_000, Refusal.MALFORMED), (b"7", Refusal.MALFORMED),
        (b"x" * (LARGEST + 1), Refusal.TOO_LARGE), (b"<a/>", Refusal.MALFORMED),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><alert>&b;</alert>', Refusal.MALFORMED),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><alert/>', Refusal.MALFORMED),
        (message({**GALE, "kind": "流星"}), Refusal.WRONG_TYPE),
        (message({**GALE, "colour": "紫"}), Refusal.WRONG_TYPE),
        (message({**GALE, "area": []}), Refusal.WRONG_TYPE), (message({**GALE, "area": "../x"}), Refusal.WRONG_TYPE),
        (message({**GALE, "to": iso(NOW - HOUR)}), Refusal.BAD_TIME),
        (message({**GALE, "to": "soon"}), Refusal.BAD_TIME),
        (message({**GALE, "to": iso(NOW + 99 * DAY)}), Refusal.BAD_TIME),
        (message({**GALE, "id": 7}), Refusal.WRONG_TYPE),
        (message({**GALE, "from": "9" * 40}), Refusal.BAD_TIME),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_reason_and_the_rest_goes_on(wrong, reason) -> None:
    found = read(wrong, NOW)
    assert ([b.reason for b in found.bad], found.signals) == ([reason], [])
    assert len(found.bad[0].excerpt) <= 500
    good = read(message({**GALE, "id": ""}, GALE, 7), NOW)
    assert (len(good.signals), len(good.bad)) == (1, 2)


@pytest.fixture
def park(records: Sessions) -> Park:
    return Park(records)


def test_a_signal_is_declared_once_replaced_and_lifted_and_bad_ones_are_dead_letters(park) -> None:
    weather = Weather(park.sessions, lambda: NOW)

    def declared() -> list[tuple[str, dict]]:
        with reading(park.sessions) as session:
            return [(d.kind, dict(d.body)) for d in risk.in_force(session, NOW)]

    def listed(who: Principal) -> list[str]:
        with reading(park.sessions) as session:
            return [i["title"] for i in weather_book.page(session, who, PageRequest(), NOW, "now").items]

    assert weather.take_in(SYSTEM, message(GALE), "t").new == 1
    assert weather.take_in(SYSTEM, message(GALE), "t").known == 1, "the same again"
    assert declared() == [("weather", {"colour": "orange", "text": "大风橙色预警", "signal": "wind"})]
    weather.take_in(SYSTEM, message({**GALE, "colour": "red"}), "t")
    assert declared() == [("weather", {"colour": "red", "text": "大风红色预警", "signal": "wind"})], "not twice"
    firm = Principal("li", "李四", Role.OPERATOR, "/410000/410900/P4109001/410902001/")
    assert listed(firm) == listed(SYSTEM) == ["大风红色预警"], "the city's warning holds for its enterprise"
    weather.take_in(SYSTEM, CAP.format(id="c1", kind="Alert", refs="").encode(), "t")
    assert ("condition", {"condition": "lightning", "note": "濮阳发布雷电黄色预警信号"}) in declared()
    weather.take_in(SYSTEM, message({**GALE, "kind": "霾", "id": "W2"}), "t")
    assert len(declared()) == 3, "haze is shown, not scored"
    calm = {**GALE, "id": "c1", "kind": "雷电", "over": True}
    lifted = weather.take_in(SYSTEM, message({**GALE, "over": True}, calm), "t")
    assert (lifted.over, declared()) == (2, [])
    assert weather.take_in(firm, message({**GALE, "id": "W3"}), "t").bad[0].detail == "W3:没有区域 410900"
    weather.take_in(SYSTEM, b"<!DOCTYPE a []><a/>", "t")
    with reading(park.sessions) as session:
        letters = session.execute(select(DeadLetterRow.link, DeadLetterRow.reason, DeadLetterRow.path)).tuples().all()
    assert letters == [("weather", "wrong_type", firm.scope), ("weather", "malformed", "/")]


def test_the_declared_records_name_who_and_are_kept_after_they_are_taken_back(park) -> None:
    weather = Weather(park.sessions, lambda: NOW)
    weather.take_in(SYSTEM, message(GALE), "t")
    weather.take_in(SYSTEM, orjson.dumps(GALE | {"over": True}), "t")
    with reading(park.sessions) as session:
        (record,) = risk.records(session, SYSTEM, PageRequest(), NOW).items
    assert (record["state"], record["by"], record["withdrawn_why"]) == ("withdrawn", "system", "预警解除")
