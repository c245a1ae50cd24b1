"""The alarm room over HTTP: commands, holds, rules, guidance, comments, hand-over, flood view, replay, exports."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.alarms.support import at, facts, moved
from tests.identity.support import town

from hazwatch.alarms.api import router
from hazwatch.alarms.commands import Commands, summary_of
from hazwatch.alarms.service import AlarmDesk
from hazwatch.identity import errors
from hazwatch.identity.deps import Gate
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.tokens import create_token
from hazwatch.records import Sessions

POINT, SOURCE, EQUIPMENT = facts(0).code, facts(0).source, facts(0).code[:17]
FIRM = facts(0).enterprise


class Room:
    """The routes on a database, with the desk of the engine behind them."""

    def __init__(self, records: Sessions, home) -> None:
        self.town = town(records, home)
        self.town.clock.now = at(100)
        self.records = records
        self.desk = AlarmDesk(records, facts)
        self.commands = Commands(self.desk)
        self.told = 0
        self.app = FastAPI()
        errors.install(self.app)
        self.app.include_router(router(records, Gate(self.town.desk), self.town.clock, self.ask, self.changed))

    async def ask(self, do, asked):
        return summary_of(getattr(self.commands, do)(**asked))

    def changed(self) -> None:
        self.told += 1
        self.desk.know_policies()

    def client(self, role: Role = Role.OPERATOR, scope: str = "410000", name: str = "") -> TestClient:
        token = create_token(self.town.desk, SYSTEM, name=name or f"{role.word}-{scope}", role=role, scope_code=scope)
        return TestClient(self.app, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def room(records, tmp_path) -> Room:
    room = Room(records, tmp_path)
    room.desk.apply(
        [moved("normal", "H", 1), moved("normal", "HH", 2, point=1), moved("normal", "L", 3, point=2)], (1, 0)
    )
    return room


def first(client: TestClient, show: str = "open") -> dict:
    return client.get(f"/api/v1/alarms?show={show}&point={POINT}").json()["items"][0]


def test_shelving_and_what_the_lists_say(room) -> None:
    client = room.client()
    alarm = first(client)["id"]
    body = {"ids": [alarm, "x"], "reason": "仪表检修", "minutes": 30}
    answer = client.post("/api/v1/alarms/shelve", json=body).json()
    assert (answer["done"], answer["refused"][0]["id"]) == ([alarm], "x")
    assert client.get(f"/api/v1/alarms?point={POINT}").json()["total"] == 0
    shelved = first(client, "shelved")
    assert shelved["aside"] == {
        "by": "token:operator-410000", "why": "仪表检修", "until": "2026-11-23T07:31:40.000Z", "mode": "timed",
    }  # fmt: skip
    (hold,) = client.get("/api/v1/alarms/holds?kind=shelved").json()["items"]
    assert (hold["point"], hold["levels"], hold["status"]) == (POINT, ["H"], "active")
    condition = client.get(f"/api/v1/alarms/{alarm}").json()["condition"]
    assert (condition["ShelvingState"], condition["ActiveState"], condition["Retain"]) == ("TimedShelved", True, True)
    outsider = room.client(scope="410902002")
    assert outsider.get("/api/v1/alarms/holds").json()["total"] == 0
    assert outsider.post("/api/v1/alarms/unshelve", json={"ids": [hold["id"]]}).json()["holds"] == []
    assert client.post("/api/v1/alarms/unshelve", json={"ids": [hold["id"]]}).json()["holds"] == [hold["id"]]
    assert first(client)["state"] == "unacknowledged"


@pytest.mark.parametrize(
    "body",
    [{"reason": "", "minutes": 5}, {"reason": "  ", "minutes": 5}, {"reason": "x"}, {"reason": "x", "minutes": -1}],
)
def test_shelving_needs_a_reason_and_an_end(room, body) -> None:
    client = room.client()
    assert client.post("/api/v1/alarms/shelve", json={"ids": [first(client)["id"]], **body}).status_code == 422


def test_out_of_service_by_two_people(room) -> None:
    operator, engineer = room.client(), room.client(Role.ENGINEER)
    body = {"ids": [first(operator)["id"]], "reason": "更换", "until": "2026-11-25T08:00:00+08:00"}
    (hold,) = operator.post("/api/v1/alarms/out-of-service", json=body).json()["holds"]
    assert operator.post("/api/v1/alarms/out-of-service/approve", json={"ids": [hold]}).status_code == 403
    assert engineer.post("/api/v1/alarms/out-of-service/approve", json={"ids": [hold]}).json()["holds"] == [hold]
    assert first(operator, "out_of_service")["state"] == "out_of_service"
    assert operator.post("/api/v1/alarms/out-of-service/restore", json={"ids": [hold]}).json()["holds"] == [hold]
    late = {**body, "until": "2020-01-01T00:00:00Z"}
    assert operator.post("/api/v1/alarms/out-of-service", json=late).status_code == 422


def test_acknowledging_a_group_takes_only_what_was_seen(room) -> None:
    client = room.client()
    seen = client.get("/api/v1/alarms/groups").json()["seq"]
    room.desk.apply([moved("normal", "H", 9, point=3)], (2, 0))
    body = {"source": SOURCE, "upto": seen, "note": "同一原因"}
    answer = client.post("/api/v1/alarms/acknowledge-group", json=body).json()
    assert len(answer["acknowledged"]) == 3
    left = client.get("/api/v1/alarms?show=unacknowledged").json()["items"]
    assert [a["point"] for a in left] == [facts(3).code]
    assert client.post("/api/v1/alarms/acknowledge-group", json={**body, "note": ""}).status_code == 422


def test_silence_is_told_of_the_own_control_room(room) -> None:
    alarm = first(room.client())["id"]
    room.client(scope=FIRM).post("/api/v1/alarms/silence", json={"ids": [alarm]})
    assert first(room.client())["silenced_in"] == [FIRM]
    assert room.client().get("/api/v1/alarms").json()["ringing"] == {"1": 1, "2": 2, "3": 0}
    assert room.client(scope=FIRM).get("/api/v1/alarms").json()["ringing"] == {"1": 1, "2": 1, "3": 0}
    room.client().post("/api/v1/alarms/silence", json={})
    assert room.client().get("/api/v1/alarms").json()["ringing"] == {"1": 0, "2": 0, "3": 0}


def test_changes_by_number_leave_no_gap(room) -> None:
    client, mine = room.client(), room.client(scope="410902002")
    seq = client.get("/api/v1/alarms").json()["seq"]
    room.desk.apply([moved("H", "HH", 5), moved("normal", "H", 6, point=12), moved("L", "normal", 7, point=2)], (2, 0))
    got = client.get(f"/api/v1/alarms/changes?after={seq}&limit=2").json()
    assert ([a["point"][-3:] for a in got["items"]], got["more"]) == (["001", "013"], True)
    rest = client.get(f"/api/v1/alarms/changes?after={got['seq']}").json()
    assert ([a["state"] for a in rest["items"]], rest["more"]) == (["returned_unacknowledged"], False)
    assert client.get(f"/api/v1/alarms/changes?after={rest['seq']}").json()["items"] == []
    assert [a["point"] for a in mine.get(f"/api/v1/alarms/changes?after={seq}").json()["items"]] == [facts(12).code]


def test_the_flood_view_groups_by_source_and_equipment_and_names_the_first(room) -> None:
    room.desk.apply([moved("normal", "H", 10 + n, point=n) for n in range(3, 20)], (2, 0))
    got = room.client().get("/api/v1/alarms/groups").json()
    assert [(g["enterprise_name"], g["count"], g["worst"]) for g in got["groups"]] == [
        ("甲化工", 10, 1),
        ("乙化工", 10, 2),
    ]
    assert got["groups"][0]["first"]["point"] == POINT
    assert got["groups"][0]["priorities"] == {"1": 1, "2": 9, "3": 0}
    assert [(e["code"], e["count"]) for e in got["groups"][0]["equipment"]] == [(EQUIPMENT, 10)]
    assert (got["flood"]["active"], got["flood"]["last_10min"]) == (True, 20)
    assert first(room.client())["burst"] == 10
    narrow = room.client().get("/api/v1/alarms/groups?priority=1").json()["groups"]
    assert [(g["count"], g["first"]["point"]) for g in narrow] == [(1, facts(1).code)]
    assert (
        room.client(scope="410902002").get("/api/v1/alarms/groups").json()["groups"][0]["enterprise_name"] == "乙化工"
    )


def test_guidance_is_inherited_and_its_changes_are_kept(room) -> None:
    engineer, operator = room.client(Role.ENGINEER), room.client()
    put = f"/api/v1/alarms/settings/guidance/{FIRM}"
    assert operator.put(put, json={"part": "", "fields": {"cause": "x"}}).status_code == 403
    engineer.put(put, json={"part": "", "fields": {"cause": "进料过快", "respond_s": 600}})
    engineer.put(f"/api/v1/alarms/settings/guidance/{POINT}", json={"part": "H", "fields": {"action": "关进料阀"}})
    alarm = first(operator)["id"]
    assert operator.get(f"/api/v1/alarms/{alarm}").json()["guidance"] == {
        "cause": {"value": "进料过快", "node": FIRM}, "respond_s": {"value": 600, "node": FIRM},
        "action": {"value": "关进料阀", "node": POINT},
    }  # fmt: skip
    engineer.put(put, json={"part": "", "fields": {"cause": "阀门内漏"}})
    (newest, oldest) = engineer.get(f"{put}/history").json()["items"]
    assert (newest["before"]["cause"], newest["after"]) == ("进料过快", {"cause": "阀门内漏"})
    assert oldest["by"] == "token:engineer-410000"
    other = room.client(Role.ENGINEER, "410902002")
    assert other.get(put).status_code == other.put(put, json={"fields": {}}).status_code == 404


@pytest.mark.parametrize(
    ("topic", "fields"),
    [("guidance", {"colour": "red"}), ("policy", {"latch": "yes"}), ("policy", {"shelve_max_s": 0}),
     ("policy", {"shelve_max_s": "off"}), ("guidance", {"cause": "x" * 2001})],
)  # fmt: skip
def test_what_cannot_be_said_is_refused(room, topic, fields) -> None:
    engineer = room.client(Role.ENGINEER)
    assert engineer.put(f"/api/v1/alarms/settings/{topic}/{FIRM}", json={"fields": fields}).status_code == 422


def test_a_shorter_shelving_holds_at_once(room) -> None:
    body = {"part": "2", "fields": {"shelve_max_s": 600}}
    room.client(Role.ENGINEER).put(f"/api/v1/alarms/settings/policy/{SOURCE}", json=body)
    assert room.told == 1
    client = room.client()
    asked = {"ids": [first(client)["id"]], "reason": "x", "minutes": 11}
    assert "10 分钟" in client.post("/api/v1/alarms/shelve", json=asked).json()["refused"][0]["reason"]


RULE = {
    "name": "泵停抑制低液位",
    "conditions": [{"point": facts(5).code, "op": "==", "value": 0}],
    "targets": [{"point": facts(2).code, "levels": ["L", "LL"]}],
}


def test_rules_have_versions_and_lie_where_their_points_lie(room) -> None:
    engineer = room.client(Role.ENGINEER)
    made = engineer.post("/api/v1/alarms/rules", json=RULE).json()
    assert (made["version"], room.told) == (1, 1)
    engineer.put(f"/api/v1/alarms/rules/{made['id']}", json={**RULE, "release_s": 60, "note": "启动时间"})
    (shown,) = engineer.get("/api/v1/alarms/rules").json()["items"]
    assert (shown["version"], shown["release_s"], shown["suppressing"]) == (2, 60, 0)
    assert [v["version"] for v in engineer.get(f"/api/v1/alarms/rules/{made['id']}/versions").json()] == [2, 1]
    other = room.client(Role.ENGINEER, "410902002")
    assert other.get("/api/v1/alarms/rules").json()["total"] == 0
    assert other.put(f"/api/v1/alarms/rules/{made['id']}", json=RULE).status_code == 404
    assert other.post("/api/v1/alarms/rules", json=RULE).status_code == 404, "points of somebody else"
    own = {**RULE, "conditions": [{"point": facts(2).code, "op": "<", "value": 1}]}
    assert engineer.post("/api/v1/alarms/rules", json=own).json()["error"]["code"] == "bad_rule"


def test_comments(room) -> None:
    client = room.client()
    alarm = first(client)["id"]
    assert client.post(f"/api/v1/alarms/{alarm}/comments", json={"text": "已通知现场"}).status_code == 200
    assert client.post(f"/api/v1/alarms/{alarm}/comments", json={"text": " "}).status_code == 422
    assert [c["text"] for c in client.get(f"/api/v1/alarms/{alarm}").json()["comments"]] == ["已通知现场"]
    assert (
        room.client(scope="410902002").post(f"/api/v1/alarms/{alarm}/comments", json={"text": "x"}).status_code == 404
    )


def test_an_export_can_be_verified_and_a_changed_file_is_found_out(room) -> None:
    client = room.client(Role.VIEWER)
    for form in ("csv", "xlsx", "parquet"):
        answer = client.get(f"/api/v1/alarms/export.{form}")
        told = client.post("/api/v1/alarms/exports/verify", files={"file": answer.content}).json()
        assert told["sha256"] == answer.headers["x-content-sha256"]
        assert (told["export"]["format"], told["export"]["rows"]) == (form, 3)
        changed = client.post("/api/v1/alarms/exports/verify", files={"file": answer.content + b" "}).json()
        assert changed["export"] is None
    assert client.get("/api/v1/alarms/exports").json()["total"] == 3
    assert room.client(scope="410902002").get("/api/v1/alarms/exports").json()["total"] == 0


def test_parquet_has_types(room) -> None:
    table = pq.read_table(io.BytesIO(room.client().get("/api/v1/alarms/export.parquet").content))
    assert table.num_rows == 3
    row = table.slice(2, 1).to_pylist()[0]
    assert (row["point"], row["value"], row["found_late"]) == (POINT, 8.2, False)
    assert row["event_time"].timestamp() * 1000 == at(1)


def test_a_period_is_shown_as_it_was(room) -> None:
    client = room.client()
    alarm = first(client)["id"]
    room.town.clock.now = at(20)
    client.post("/api/v1/alarms/acknowledge", json={"ids": [alarm]})
    room.desk.apply([moved("H", "HH", 30), moved("HH", "normal", 40)], (2, 0))
    got = client.get(f"/api/v1/alarms/replay?from={at(10)}&to={at(35)}").json()
    assert got["at_start"][alarm] == {"state": "unacknowledged", "level": "H", "value": 8.2}
    assert [(line["what"], line["to_state"]) for line in got["lines"] if line["id"] == alarm] == [
        ("acknowledge", "acknowledged"), ("escalate", "unacknowledged"),
    ]  # fmt: skip
    assert (len(got["at_start"]), got["next_from"]) == (3, None)
    later = client.get(f"/api/v1/alarms/replay?from={at(25)}&to={at(26)}").json()
    assert later["at_start"][alarm]["state"] == "acknowledged", "not the state of now"
    assert client.get(f"/api/v1/alarms/replay?from={at(10)}&to={at(5)}").status_code == 422
    assert room.client(scope="410902002").get(f"/api/v1/alarms/replay?from={at(0)}&to={at(50)}").json()["alarms"] == {}


def people(room) -> tuple[TestClient, TestClient]:
    """Two operators of the province with accounts and sessions."""
    from hazwatch.identity import accounts
    from hazwatch.identity.api import router as identity_router

    room.app.include_router(identity_router(room.town.desk, Gate(room.town.desk), dict))
    clients = []
    for username, name in (("zhang", "张三"), ("li", "李四")):
        _, password = accounts.create_account(
            room.town.desk, SYSTEM, username=username, name=name, role="operator", scope_code="410000"
        )
        client = TestClient(room.app, base_url="https://node.test", headers={"Origin": "https://node.test"})
        assert client.post("/api/v1/session", json={"username": username, "password": password}).status_code == 200
        client.post("/api/v1/session/password", json={"old": password, "new": "a new long word"})
        client.post("/api/v1/session", json={"username": username, "password": "a new long word"})
        clients.append(client)
    return clients[0], clients[1]


def test_a_shift_is_handed_over_to_a_named_person_with_the_list_frozen(room) -> None:
    zhang, li = people(room)
    assert zhang.get("/api/v1/alarms/handovers/successors").json() == [{"username": "li", "name": "李四"}]
    assert zhang.post("/api/v1/alarms/handovers", json={"to_user": "zhang"}).status_code == 422
    assert zhang.post("/api/v1/alarms/handovers", json={"to_user": "nobody"}).status_code == 422
    note = zhang.post("/api/v1/alarms/handovers", json={"to_user": "li", "shift": "夜班", "note": "V-101 关注"}).json()
    room.desk.apply([moved("H", "normal", 50)], (2, 0))
    shown = li.get(f"/api/v1/alarms/handovers/{note['id']}").json()
    assert (shown["from_name"], shown["to_name"], shown["open_count"], shown["intact"]) == ("张三", "李四", 3, True)
    frozen = {a["point"]: a["state"] for a in shown["frozen"]["alarms"]}
    assert frozen[POINT] == "unacknowledged", "as it stood"
    assert zhang.post(f"/api/v1/alarms/handovers/{note['id']}/accept", json={}).status_code == 403
    assert (
        li.post(f"/api/v1/alarms/handovers/{note['id']}/accept", json={"remark": "收到"}).json()["accepted_by"] == "li"
    )
    assert li.post(f"/api/v1/alarms/handovers/{note['id']}/accept", json={}).status_code == 409
    assert room.client(scope="410902002").get(f"/api/v1/alarms/handovers/{note['id']}").status_code == 404
