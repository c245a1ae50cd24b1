"""Warnings through the routes: scoped, received by tiers, ruled by versions, told as CAP and as files."""

from __future__ import annotations

import io

import orjson
import pytest
from openpyxl import load_workbook
from sqlalchemy import insert
from tests.web.support import JIA, YI, Site

from hazwatch.alarms.store import everything
from hazwatch.app.sliproom import hooks, slip_desk
from hazwatch.app.warningroom import Grades
from hazwatch.documents.cap import CAP, parse, problems
from hazwatch.identity.model import Role
from hazwatch.records import unit_of_work
from hazwatch.risk.configuration import DEFAULT
from hazwatch.risk.tables import Grade
from hazwatch.settings import Settings
from hazwatch.vocabulary.colours import Colour
from hazwatch.warnings.service import Hooks, WarningDesk

NOON = 1_795_417_200_000
TANKS, STORE = f"{JIA}001", f"{YI}001"
PLANT = f"{JIA}002"
MINUTE = 60_000


class Warned:
    """A site with the desk that makes its warnings."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.desk = WarningDesk(site.sessions, Grades(site.sessions, everything).source(), Hooks())
        self.desk.take_in(NOON)

    def grade(
        self, code: str, colour: str, minutes: int, cause: str = "A", reason: str = "报警 <高高> & 未确认"
    ) -> None:
        terms = [{"id": "B", "name": "固有", "x": 0.1, "contribution": 5.0},
                 {"id": cause, "name": "报警状态", "x": 0.5, "contribution": 40.0}]  # fmt: skip
        row = {
            "object": code, "at": NOON + minutes * 60_000, "colour": int(Colour[colour.upper()]), "score": 50.0,
            "confidence": 1.0, "reason": reason, "terms": orjson.dumps(terms).decode(), "inputs": '{"mode":"scored"}',
            "path": self.site.places.path(code[:9]), "model": "HW-1", "version": "1", "configuration": DEFAULT.digest(),
        }  # fmt: skip
        with unit_of_work(self.site.sessions) as session:
            session.execute(insert(Grade), [row])
        self.desk.take_in(NOON + minutes * 60_000)


@pytest.fixture
def warned(site) -> Warned:
    made = Warned(site)
    made.grade(TANKS, "orange", 0)
    made.grade(STORE, "blue", 1)
    return made


def test_a_list_by_state_colour_and_object_within_the_scope(warned) -> None:
    site = warned.site
    province = site.client(Role.VIEWER)
    got = province.get("/api/v1/warnings").json()
    assert [(w["object"], w["colour"], w["state"]) for w in got["items"]] == [
        (TANKS, "orange", "standing"), (STORE, "blue", "standing"),
    ], "the worst first"  # fmt: skip
    assert got["summary"]["counts"] == {"red": 0, "orange": 1, "yellow": 0, "blue": 1}
    assert got["summary"]["unseen"] == 1, "橙 is told to the province, 蓝 is not"
    assert province.get("/api/v1/warnings", params={"colour": "blue"}).json()["total"] == 1
    assert province.get("/api/v1/warnings", params={"object": YI}).json()["items"][0]["object"] == STORE
    assert province.get("/api/v1/warnings", params={"kind": "comet"}).status_code == 422
    own = site.client(Role.VIEWER, YI)
    assert [w["object"] for w in own.get("/api/v1/warnings").json()["items"]] == [STORE]
    other = got["items"][0]["id"]
    assert own.get(f"/api/v1/warnings/{other}").status_code == 404
    assert own.get(f"/api/v1/warnings/cap/{other}.xml").status_code == 404


def test_a_list_by_the_clocks_of_the_slips_overdue_first(site, tmp_path) -> None:
    made = Warned(site)
    slips = hooks(slip_desk(Settings(home=tmp_path), site.sessions, site.clock))
    made.grade(PLANT, "yellow", 0)
    made.desk = WarningDesk(site.sessions, Grades(site.sessions, everything).source(), slips)
    made.grade(TANKS, "blue", 1)
    made.grade(STORE, "orange", 2)
    client = site.client(Role.VIEWER)

    def listed(**asked: str) -> list[str]:
        got = client.get("/api/v1/warnings", params=asked).json()
        assert got["total"] == len(got["items"])
        return [w["object"] for w in got["items"]]

    # 橙 is to be confirmed in 30 min, 蓝 in 4 h; the one from before the slips has no clock.
    assert listed(sort="due_at") == [STORE, TANKS, PLANT]
    assert listed(sort="-due_at") == [TANKS, STORE, PLANT], "without a clock is last either way"
    assert (listed(due="soon"), listed(due="overdue")) == ([STORE], [])
    site.clock.now += 31 * MINUTE
    assert (listed(due="soon"), listed(due="overdue")) == ([], [STORE])
    made.grade(STORE, "none", 33)
    assert listed(due="overdue") == [], "standing ones unless asked"
    assert listed(due="overdue", state="") == [STORE], "a warning that clears does not stop the clock"
    assert client.get("/api/v1/warnings/export.csv", params={"due": "overdue", "state": ""}).text.count(STORE) == 1
    assert (
        site.client(Role.VIEWER, JIA).get("/api/v1/warnings", params={"due": "overdue", "state": ""}).json()["total"]
        == 0
    )
    assert client.get("/api/v1/warnings", params={"due": "never"}).status_code == 422


def test_one_warning_with_its_points_its_history_and_its_receipts(warned) -> None:
    site = warned.site
    firm = site.client(Role.OPERATOR, JIA)
    number = firm.get("/api/v1/warnings").json()["items"][0]["id"]
    assert firm.post("/api/v1/warnings/delivered", json={"ids": [number]}).json() == {"delivered": 1}
    assert firm.post(f"/api/v1/warnings/{number}/seen").json()["first"] is True
    assert firm.post(f"/api/v1/warnings/{number}/seen").json()["first"] is False
    assert site.client(Role.VIEWER, JIA).post(f"/api/v1/warnings/{number}/seen").status_code == 403
    one = firm.get(f"/api/v1/warnings/{number}").json()
    assert [(p["level"], p["unit"]) for p in one["data"]["points"]] == [("H", "m")]
    assert [(h["deed"], h["colour"]) for h in one["history"]] == [("raised", "orange"), ("seen", "orange")]
    tiers = {r["tier"]: r for r in one["receipts"]}
    assert tiers["enterprise"]["delivered_by"] == tiers["enterprise"]["seen_by"] == "token:operator-410902001"
    assert (tiers["province"]["act"], tiers["province"]["seen_at"]) == (False, None)
    assert firm.get("/api/v1/warnings", params={"unseen": True}).json()["total"] == 0


def test_what_a_tier_that_gets_nothing_cannot_sign(warned) -> None:
    site = warned.site
    province = site.client(Role.OPERATOR)
    blue = province.get("/api/v1/warnings", params={"colour": "blue"}).json()["items"][0]["id"]
    assert province.post(f"/api/v1/warnings/{blue}/seen").status_code == 409


def test_rules_are_drafted_by_one_and_put_in_force_by_another_who_both_answer_for_all(warned) -> None:
    site = warned.site
    body = {"rules": {"key_regions": ["410900"], "merge_min": 45}, "why": "重点区域试点"}
    rules = "/api/v1/warnings/rules"
    assert site.client(Role.ADMIN, YI).post(rules, json=body).status_code == 403
    one, two = site.client(Role.ADMIN), site.client(Role.ADMIN, name="second")
    before = one.get(rules).json()
    seen = one.post(rules, json=body | {"why": ""}, params={"preview": True}).json()
    assert seen["differences"] == {"merge_min": [30.0, 45.0], "key_regions": [[], ["410900"]]}
    assert one.post(rules, json=body | {"why": " "}).status_code == 422
    draft = one.post(rules, json=body).json()
    assert (draft["state"], draft["differences"]) == ("draft", seen["differences"])
    assert one.get(rules).json()["in_force"] == before["in_force"], "a draft changes nothing"
    decide = f"{rules}/{draft['id']}/decide"
    yes = {"approve": True, "why": "同意"}
    assert one.post(decide, json=yes).status_code == 403, "nobody approves their own"
    assert two.post(decide, json=yes | {"why": ""}).status_code == 422
    assert two.post(decide, json=yes).json()["state"] == "approved"
    assert two.post(decide, json=yes).status_code == 409
    shown = one.get(rules).json()
    assert shown["in_force"]["digest"] == draft["digest"]
    assert shown["names"]["410900"]
    told = {a["action"] for a in one.get("/api/v1/audit").json()["items"]}
    assert {"warning.rules.draft", "warning.rules.decide"} <= told

    stale, next_ = (one.post(rules, json={"rules": {"merge_min": m}, "why": "再改"}).json()["id"] for m in (5, 10))
    assert two.post(f"{rules}/{next_}/decide", json=yes).json()["differences"]["merge_min"] == [45.0, 10.0]
    assert two.post(f"{rules}/{stale}/decide", json=yes).status_code == 409, "it grew from what is no longer in force"
    assert two.post(f"{rules}/{stale}/withdraw", json={"why": "过时"}).status_code == 403
    assert one.post(f"{rules}/{stale}/withdraw", json={"why": "过时"}).json()["state"] == "withdrawn"
    states = [item["state"] for item in one.get(rules).json()["items"]]
    assert states == ["approved", "withdrawn", "retired"]


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"merge_min": "long"}, "rules.merge_min"),
        ({"regions": {"999999": {"red": {"act": ["enterprise"]}}}}, "rules.regions.999999"),
        ({"key_regions": [JIA]}, "rules.key_regions"),
        ({"table": {"red": {"act": []}}}, "rules.table.red"),
        ({}, "rules"),
    ],
)
def test_rules_that_make_no_sense_are_told_field_by_field(warned, rules, field) -> None:
    told = warned.site.client(Role.ADMIN).post("/api/v1/warnings/rules", json={"rules": rules, "why": "x"})
    assert told.status_code == 422
    assert list(told.json()["error"]["fields"]) == [field]


def test_the_file_stands_in_the_order_of_the_list(warned) -> None:
    client = warned.site.client(Role.VIEWER)
    for sort in ("", "raised_at", "-raised_at", "object", "-due_at"):
        asked = {"sort": sort, "state": ""}
        listed = [item["id"] for item in client.get("/api/v1/warnings", params=asked).json()["items"]]
        lines = client.get("/api/v1/warnings/export.csv", params=asked).text.splitlines()
        assert [line.partition(",")[0] for line in lines[1:]] == listed
    assert len(set(listed)) > 1
    assert client.get("/api/v1/warnings/export.csv", params={"sort": "x"}).status_code == 422


def test_every_message_is_cap_and_refers_to_those_before_it(warned) -> None:
    site = warned.site
    client = site.client(Role.VIEWER)
    number = client.get("/api/v1/warnings").json()["items"][0]["id"]

    def message() -> tuple[str, list[str]]:
        got = client.get(f"/api/v1/warnings/cap/{number}.xml", params={"sender": "node.example"})
        assert problems(got.content) == []
        root = parse(got.content)
        return root.findtext(f"{{{CAP}}}msgType"), (root.findtext(f"{{{CAP}}}references") or "").split()

    assert message() == ("Alert", [])
    warned.grade(TANKS, "red", 2)
    assert (message()[0], len(message()[1])) == ("Update", 1)
    warned.grade(TANKS, "none", 40)
    assert (message()[0], len(message()[1])) == ("Cancel", 2)
    warned.grade(TANKS, "yellow", 50)
    assert message() == ("Alert", []), "opened again"
    feed = client.get("/api/v1/warnings/cap").text
    assert feed.count("<entry>") == 2
    assert f"/api/v1/warnings/cap/{number}.xml" in feed


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x: x.replace(b"Moderate", b"Mild"), "severity"), (lambda x: x.replace(b"+08:00<", b"Z<"), "sent"),
        (lambda x: x.replace(b"<sender>", b"<sender>a b"), "sender"), (lambda _: b"<a/>", "alert"),
        (lambda x: x.replace(b"<msgType>Alert", b"<msgType>Update"), "references"),
        (lambda x: x[: x.index(b"<alert")] + b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + x[x.index(b"<alert") :], "XML"),
    ],
)  # fmt: skip
def test_what_is_not_cap_is_found(warned, wrong, said) -> None:
    site = warned.site
    client = site.client(Role.VIEWER)
    warned.grade(TANKS, "none", 40)
    warned.grade(TANKS, "yellow", 50)
    number = client.get("/api/v1/warnings").json()["items"][0]["id"]
    good = client.get(f"/api/v1/warnings/cap/{number}.xml").content
    assert any(said in text for text in problems(wrong(good)))


def test_files_hold_the_whole_list_and_no_formula(warned) -> None:
    site = warned.site
    warned.grade(TANKS, "red", 2, reason="=1+1")
    client = site.client(Role.VIEWER)
    text = client.get("/api/v1/warnings/export.csv").content.decode("utf-8-sig")
    assert len(text.splitlines()) == 3
    assert "'=1+1" in text
    sheet = load_workbook(io.BytesIO(client.get("/api/v1/warnings/export.xlsx").content)).active
    assert sheet.max_row == 3
