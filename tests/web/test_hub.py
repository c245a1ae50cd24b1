"""The live stream: who hears what, who is closed, and what a page learns when the engine comes back."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from tests.slips.support import Office, person, warning
from tests.web.support import JIA, JIA_POINT, NOON, YI, YI_POINT

from hazwatch.registry.facts import Points
from hazwatch.slips.model import Action
from hazwatch.stream import wire
from hazwatch.web import hub as hubs
from hazwatch.web.hub import Client
from hazwatch.web.slip_news import SlipNews


@pytest.fixture
async def hub(site):
    site.log.answers[wire.RPC_GRADES] = lambda _: b"[]"
    site.log.answers[wire.RPC_VALUES] = lambda _: b""
    await site.hub.begin()
    return site.hub


def page(site, scope: str, *points: str) -> Client:
    wanted = frozenset(site.index(p) for p in points)
    client = Client(site.places.path(scope) if len(scope) == 9 else "/410000/", wanted)
    site.hub.audience.add(client)
    return client


def told(links) -> bytes:
    """What the access process says every second."""
    return orjson.dumps({"links": links, "whole": True, "intake": {"pending_bytes": 0, "full": 0}})


def heard(client: Client) -> list[tuple[str, object]]:
    """Events that wait for a page."""
    events = []
    while not client.queue.empty():
        name, data = client.queue.get_nowait().decode().rstrip("\n").split("\n")
        events.append((name.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))))
    return events


async def test_alarms_and_grades_go_to_who_may_see_them(site, hub) -> None:
    jia, yi, all_of_it = page(site, JIA), page(site, YI), page(site, "410000")
    await site.log.tell(wire.SUBJECT_ALARMS, orjson.dumps([{"path": site.places.path(JIA), "alarm": {"id": "a"}}]))
    told = {"path": site.places.path(YI), "grade": {"code": f"{YI}001", "colour": "red"}}
    await site.log.tell(wire.SUBJECT_GRADES, orjson.dumps([told]))
    assert heard(jia) == [("alarm", {"id": "a"})]
    assert heard(yi) == [("grade", told["grade"])]
    assert [name for name, _ in heard(all_of_it)] == ["alarm", "grade"]
    assert site.mirror.grade(f"{YI}001")["colour"] == "red", "lists know it too"
    assert hub.audience.clients == {jia, yi, all_of_it}


@pytest.mark.usefixtures("hub")
async def test_what_lies_nowhere_goes_to_nobody(site) -> None:
    client = page(site, "410000")
    await site.log.tell(wire.SUBJECT_ALARMS, orjson.dumps([{"path": "", "alarm": {"id": "a"}}]))
    assert heard(client) == []


@pytest.mark.usefixtures("hub")
async def test_values_come_only_for_the_points_that_were_asked_for(site) -> None:
    one, none = page(site, JIA, JIA_POINT), page(site, JIA)
    rows = np.concatenate([site.value(JIA_POINT, 7.5, level=1), site.value(YI_POINT, 99.0)])
    await site.log.tell(wire.SUBJECT_VALUES, rows.tobytes())
    assert heard(one) == [("values", [[JIA_POINT, 7.5, 0, NOON - 1000, NOON - 1000, "H"]])]
    assert heard(none) == []
    await site.log.tell(wire.SUBJECT_VALUES, site.value(JIA_POINT, float("nan"), quality=3).tobytes())
    assert heard(one)[0][1][0][1] is None, "JSON knows no NaN"


@pytest.mark.usefixtures("hub")
async def test_a_point_beyond_what_the_page_knows_is_passed_over(site) -> None:
    client = page(site, JIA, JIA_POINT)
    row = site.value(JIA_POINT, 1.0)
    row["point"] = 5000
    await site.log.tell(wire.SUBJECT_VALUES, row.tobytes())
    assert heard(client) == []
    assert len(site.mirror.values) == 5001


@pytest.mark.usefixtures("hub")
async def test_a_link_is_told_when_its_state_changes(site) -> None:
    jia, yi = page(site, JIA), page(site, YI)
    links = [dict(row) for row in site.mirror.links.values()]
    await site.log.tell(wire.SUBJECT_LINKS, told(links))
    assert heard(jia) == heard(yi) == []
    next(row for row in links if row["code"].startswith(JIA))["state"] = "offline"
    await site.log.tell(wire.SUBJECT_LINKS, told(links))
    ((name, row),) = heard(jia)
    assert (name, row["state"], row["enterprise_name"]) == ("link", "offline", "甲化工有限公司")
    assert heard(yi) == []


@pytest.mark.usefixtures("hub")
async def test_a_page_that_cannot_keep_up_is_closed_and_holds_back_nobody(site, monkeypatch) -> None:
    monkeypatch.setattr(hubs, "_QUEUE", 3)
    slow, quick = page(site, "410000"), page(site, "410000")
    stream = site.hub.stream(slow, {"server_time": "now"})
    assert (await anext(stream)).startswith(b"event: hello")
    assert (await anext(stream)).startswith(b"event: beat")
    for k in range(10):
        await site.log.tell(
            wire.SUBJECT_ALARMS, orjson.dumps([{"path": site.places.path(JIA), "alarm": {"id": str(k)}}])
        )
        assert [data["id"] for _, data in heard(quick)] == [str(k)]
    assert slow.closed
    assert not quick.closed
    assert (await anext(stream)).startswith(b'event: shed\ndata: {"rule":"slow_page"')
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert slow not in site.hub.audience.clients


@pytest.mark.usefixtures("hub")
async def test_a_page_that_leaves_is_forgotten(site) -> None:
    client = page(site, "410000")
    stream = site.hub.stream(client, {})
    await anext(stream)
    await stream.aclose()
    assert client not in site.hub.audience.clients


async def test_the_beat(site, hub) -> None:
    told = {"share": 0, "samples": 5, "ready": True, "judged_to": NOON, "lag_ms": 12}
    await site.log.tell(wire.SUBJECT_BEAT, orjson.dumps(told))
    beat = hub.beat()
    assert (beat["engine"], beat["log"], beat["access"], beat["judged_to"], beat["lag_ms"]) == (
        "ok", "ok", "ok", "2026-11-23T07:00:00.000Z", 12,
    )  # fmt: skip
    site.clock.now += 60_000
    site.log.connected = False
    assert (hub.beat()["engine"], hub.beat()["log"], hub.beat()["access"]) == ("down", "down", "down")


@pytest.mark.usefixtures("hub")
async def test_an_engine_that_came_back_is_asked_for_everything(site) -> None:
    asked = len(site.log.asked)
    await site.log.tell(wire.SUBJECT_BEAT, orjson.dumps({"share": 0, "samples": 50, "ready": True}))
    await site.log.tell(wire.SUBJECT_BEAT, orjson.dumps({"share": 0, "samples": 60, "ready": True}))
    assert len(site.log.asked) == asked
    grade = {"path": site.places.path(JIA), "grade": {"code": f"{JIA}001", "colour": "red"}}
    site.log.answers[wire.RPC_GRADES] = lambda _: orjson.dumps([grade])
    await site.log.tell(wire.SUBJECT_BEAT, orjson.dumps({"share": 0, "samples": 3, "ready": True}))
    assert site.mirror.grade(f"{JIA}001")["colour"] == "red"


@pytest.mark.usefixtures("hub")
async def test_a_new_registry_is_read(site) -> None:
    site.places._points = Points({}, {})
    await site.log.tell(wire.SUBJECT_REGISTRY, b"7")
    assert site.places.code(site.index(JIA_POINT)) == JIA_POINT
    assert site.places.code(4711) == "#4711"


@pytest.mark.usefixtures("hub")
async def test_a_page_that_was_signed_out_hears_nothing_more(site) -> None:
    """10 s after the session ended, at the next event, the stream is over."""
    client, signed_in = page(site, "410000"), [True]
    stream = site.hub.stream(client, {}, lambda: signed_in[0])
    await anext(stream)
    await anext(stream)
    signed_in[0] = False
    site.clock.now += 10_001
    client.put(b"event: alarm\n\n")
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert client not in site.hub.audience.clients


async def test_steps_of_slips_are_told_to_who_may_see_them_whoever_wrote_them(site, hub) -> None:
    office, news = Office(site.sessions), SlipNews(site.sessions)
    office.raise_(warning(1, path=site.places.path(JIA)))
    assert news.next() == [], "what was before is on the lists"
    jia, yi, all_of_it = page(site, JIA), page(site, YI), page(site, "410000")
    for number in range(2, 24):
        office.raise_(warning(number, path=site.places.path(YI)))
    office.does(person(site.places.path(JIA)), "BG20261123000001", Action.DELIVER, Action.CONFIRM)
    hub.slips(news.next())
    confirmed = {"id": "BG20261123000001", "number": 3, "action": "confirm", "state": "confirmed"}
    assert heard(jia) == [("slips", {"count": 1, "items": [confirmed]})]
    assert [(name, told["count"], len(told["items"])) for name, told in heard(yi)] == [("slips", 22, 20)]
    assert [told["count"] for _, told in heard(all_of_it)] == [23]
    assert news.next() == []
