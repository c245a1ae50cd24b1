"""Points, history, map, links, refusals, scenarios: what the application answers from the engine's picture."""

from __future__ import annotations

import csv
import io

import numpy as np
import orjson
import pytest
from tests.web.support import JIA, JIA_POINT, NOON, YI, YI_POINT

from hazwatch.identity.model import Role
from hazwatch.log.client import RpcError
from hazwatch.stream import packed, wire


def point(site, code: str = JIA_POINT) -> dict:
    return site.client().get(f"/api/v1/points/{code}").json()


def test_a_point_with_its_latest_value(site) -> None:
    shown = point(site)
    assert (shown["code"], shown["value"], shown["quality"]) == (JIA_POINT, 5.5, 0)
    assert (shown["state"], shown["level"]) == ("good", "normal")
    assert (shown["event_time"], shown["age_s"]) == ("2026-11-23T06:59:59.000Z", 1.0)
    assert (shown["h"], shown["hh"], shown["unit"], shown["source"]) == (10.1, 11.3, "m", f"{JIA}001")
    assert "index" not in shown
    assert "path" not in shown


def test_a_point_that_never_spoke(site) -> None:
    shown = point(site, YI_POINT)
    assert (shown["state"], shown["value"], shown["age_s"], shown["level"]) == ("never", None, None, "normal")


def test_states_of_a_value(site) -> None:
    site.mirror.take_values(site.value(JIA_POINT, float("nan"), quality=3, level=2))
    assert (point(site)["state"], point(site)["value"], point(site)["level"]) == ("bad", None, "HH")
    site.mirror.links["41090200101"]["state"] = "offline"
    site.mirror.take_values(site.value(JIA_POINT, 5.0, age_s=100_000))
    assert point(site)["state"] == "stale"


def test_the_list_of_points_and_its_filters(site) -> None:
    client = site.client()

    def codes(query: str) -> list[str]:
        return [item["code"] for item in client.get(f"/api/v1/points{query}").json()["items"]]

    assert len(codes("")) == 3
    assert codes("?state=good") == [JIA_POINT]
    assert len(codes("?state=never")) == 2
    assert codes(f"?enterprise={YI}") == [YI_POINT]
    assert codes("?quantity=QT") == ["410902001001Q0001QT001"]
    assert codes(f"?source={JIA}001&q=液位") == [JIA_POINT]
    assert client.get("/api/v1/points?state=happy").status_code == 422


def history_of(rows, next_from=None):
    def answer(data: bytes) -> bytes:
        asked = orjson.loads(data)
        if next_from is not None and asked["from"] >= next_from:
            return orjson.dumps({"step": 0, "source": "raw", "rows": rows[2:], "next_from": None})
        return orjson.dumps(
            {"step": 0, "source": "raw", "rows": rows[:2] if next_from else rows, "next_from": next_from}
        )

    return answer


ROWS = [[NOON + k * 1000, 1.0, 2.0, 1.5, k, 2, 0] for k in range(4)]


def test_history(site) -> None:
    site.log.answers[wire.RPC_SERIES] = history_of(ROWS)
    query = f"?from=2026-11-23T15:00:00&to={NOON + 5000}&step=0"
    answer = site.client().get(f"/api/v1/points/{JIA_POINT}/history{query}").json()
    assert site.log.asked[-1][1] == {"point": site.index(JIA_POINT), "from": NOON, "to": NOON + 5000, "step": 0}
    assert (answer["columns"], answer["rows"]) == (["ts", "min", "max", "mean", "last", "count", "quality"], ROWS)
    assert (answer["code"], answer["unit"], answer["truncated"], answer["next_from"]) == (JIA_POINT, "m", False, None)


def test_history_without_a_range_is_the_last_hour(site) -> None:
    site.log.answers[wire.RPC_SERIES] = history_of(ROWS)
    site.client().get(f"/api/v1/points/{JIA_POINT}/history")
    assert site.log.asked[-1][1] == {
        "point": site.index(JIA_POINT), "from": site.clock.now - 3_600_000, "to": site.clock.now, "step": None,
    }  # fmt: skip


def test_history_as_a_file_is_whole(site) -> None:
    site.log.answers[wire.RPC_SERIES] = history_of(ROWS, NOON + 2000)
    answer = site.client().get(f"/api/v1/points/{JIA_POINT}/history.csv?from={NOON}&to={NOON + 9000}&step=0")
    assert f'filename="{JIA_POINT}.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["time", "min", "max", "mean", "last", "count", "quality"]
    assert [r[0] for r in rows[1:]] == [f"2026-11-23T07:00:0{k}.000Z" for k in range(4)]
    assert [r[4] for r in rows[1:]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "query",
    [f"?from={NOON}&to={NOON}", f"?from={NOON + 1}&to={NOON}", "?from=soon", "?step=-1", "?from=1&to=1795417200000"],
)
def test_a_range_that_is_none(site, query) -> None:
    site.log.answers[wire.RPC_SERIES] = history_of(ROWS)
    assert site.client().get(f"/api/v1/points/{JIA_POINT}/history{query}").status_code == 422


@pytest.mark.parametrize("kind", ["history", "history.csv"])
def test_history_while_the_engine_is_away(site, kind) -> None:
    answer = site.client().get(f"/api/v1/points/{JIA_POINT}/{kind}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_away")


def test_sources_on_the_map(site) -> None:
    body = site.client().get("/api/v1/map/sources").json()
    assert body["type"] == "FeatureCollection"
    for feature in body["features"]:
        properties = feature["properties"]
        assert set(properties) == {
            "code", "name", "level", "colour", "score", "enterprise", "active_alarms", "stale", "simulated",
        }  # fmt: skip
        assert properties["active_alarms"] == 1
        assert not properties["stale"]
    site.clock.now += 60_000
    features = site.client().get("/api/v1/map/sources").json()["features"]
    assert all(f["properties"]["stale"] for f in features), "nothing stale is ever green: the engine is silent"


def test_a_source_with_grade_and_points(site) -> None:
    shown = site.client().get(f"/api/v1/sources/{JIA}001").json()
    assert (shown["grade"]["colour"], shown["active_alarms"]) == ("orange", 1)
    points = [p for e in shown["equipment"] for p in e["points"]]
    assert [(p["code"], p["state"]) for p in points] == [(JIA_POINT, "good"), ("410902001001Q0001QT001", "never")]
    listed = site.client().get("/api/v1/sources?colour=orange").json()["items"]
    assert [s["code"] for s in listed] == [f"{JIA}001"]


def test_links(site) -> None:
    rows = site.client().get("/api/v1/links").json()
    assert [(r["code"], r["state"], r["enterprise_name"]) for r in rows["items"]] == [
        ("41050200101", "online", "乙化工有限公司"), ("41090200101", "online", "甲化工有限公司"),
    ]  # fmt: skip
    assert rows["items"][0]["last_data_at"] == "2026-11-23T07:00:00.000Z"
    assert [r["code"] for r in site.client(Role.VIEWER, YI).get("/api/v1/links").json()["items"]] == ["41050200101"]
    site.clock.now += 10_000
    assert {r["state"] for r in site.client().get("/api/v1/links").json()["items"]} == {"offline"}
    assert site.client().get("/api/v1/links?sort=-code&page_size=1").json()["items"][0]["code"] == "41090200101"
    assert site.client().get("/api/v1/links?sort=nothing").status_code == 422


def test_dead_letters(site) -> None:
    everything = site.client(Role.ENGINEER).get("/api/v1/dead-letters").json()
    assert everything["total"] == 2, "what nobody owns lies at the root, above every scope but the node's own"
    mine = site.client(Role.ENGINEER, JIA).get("/api/v1/dead-letters").json()["items"]
    assert [(r["link"], r["reason"]) for r in mine] == [("41090200101", "malformed")]
    assert site.client().get("/api/v1/dead-letters?reason=malformed&link=41050200101").json()["total"] == 1
    assert site.client().get("/api/v1/dead-letters?reason=bad_mood").status_code == 422


def test_acknowledging_asks_the_engine(site) -> None:
    alarm = site.alarms.active(site.index(JIA_POINT)).id
    site.log.answers[wire.RPC_ALARM] = lambda _: orjson.dumps({"done": [alarm], "holds": [], "refused": []})
    answer = site.client(Role.OPERATOR).post("/api/v1/alarms/acknowledge", json={"ids": [alarm, "x"], "note": "好"})
    assert answer.json()["acknowledged"] == [alarm]
    assert [r["id"] for r in answer.json()["refused"]] == ["x"]
    assert site.log.asked[-1][1] == {
        "do": "acknowledge", "ids": [alarm], "who": "token:operator-410000", "note": "好", "at": site.clock.now,
    }  # fmt: skip
    site.log.answers.clear()
    away = site.client(Role.OPERATOR).post("/api/v1/alarms/acknowledge", json={"ids": [alarm]})
    assert (away.status_code, away.json()["error"]["code"]) == (503, "engine_away")


def test_scenarios(site) -> None:
    client = site.client(Role.ENGINEER)
    assert client.get("/api/v1/scenarios").json() == {"available": False, "items": []}
    assert client.post("/api/v1/scenarios/leak/start", json={"params": {}}).status_code == 503
    site.log.answers[wire.RPC_SCENARIO_START] = lambda _: orjson.dumps({"id": "leak", "state": "running"})
    assert client.post("/api/v1/scenarios/leak/start", json={"params": {"rate": 2}}).json()["state"] == "running"
    assert site.log.asked[-1][1] == {"id": "leak", "params": {"rate": 2.0}}

    def refuses(_: bytes) -> bytes:
        raise RpcError("unknown_scenario", "没有场景 leak")

    site.log.answers[wire.RPC_SCENARIO_START] = refuses
    answer = client.post("/api/v1/scenarios/leak/start", json={"params": {}})
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, "没有场景 leak")
    audit = site.client().get("/api/v1/audit").json()["items"]
    assert [row["action"] for row in audit].count("scenario.start") == 1


def test_who_one_is_and_what_the_node_is(site) -> None:
    body = site.client(Role.VIEWER, YI).get("/api/v1/session").json()
    assert body["account"]["scope"] == {"code": YI, "name": "乙化工有限公司", "kind": "enterprise"}
    assert set(body["system"]) == {"simulated", "version", "zone", "map_approval"}


def test_the_mirror_grows_with_the_points(site) -> None:
    more = np.zeros(2, packed.VALUE)
    more["point"] = [900, 5]
    more["ts"] = more["received"] = NOON
    site.mirror.take_values(more)
    assert len(site.mirror.values) == 901
    assert site.mirror.states(np.array([900, 899, 5000])).tolist()[1:] == [3, 3]
