"""Slips over HTTP in the whole application: a life, refusals, photos, paper, and what needs me now."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from openpyxl import load_workbook
from tests.alarms.support import scratch
from tests.slips.support import ANSWER, Office, photo, warning
from tests.web.support import JIA, YI, Site, build

from hazwatch.identity.model import Role
from hazwatch.records import unit_of_work
from hazwatch.slips.model import TABLE
from hazwatch.vocabulary.colours import Colour


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    with scratch() as sessions:
        yield build(sessions, tmp_path)


class Slips:
    """A slip of 甲 and who acts on it."""

    def __init__(self, site: Site, colour: Colour = Colour.ORANGE) -> None:
        self.path = site.places.path(JIA)
        self.office = Office(site.sessions, site.clock)
        self.id = self.office.raise_(warning(1, colour, self.path, site.clock.now))
        self.owner = site.client(Role.OPERATOR, JIA)
        self.keeper = site.client(Role.OPERATOR, self.path.strip("/").split("/")[-2])

    def does(self, client, action: str, attachments: tuple[int, ...] = (), **fields: str):
        version = client.get(f"/api/v1/slips/{self.id}").json()["version"]
        body = {"action": action, "version": version, "fields": fields, "attachments": list(attachments)}
        return client.post(f"/api/v1/slips/{self.id}/steps", json=body)

    def upload(self, client, name: str, content: bytes, media: str):
        return client.post(f"/api/v1/slips/{self.id}/attachments", files={"file": (name, content, media)})


def error(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_life_over_http(site: Site) -> None:
    slips = Slips(site)
    owner, keeper = slips.owner, slips.keeper
    for action in ("deliver", "confirm", "start"):
        assert slips.does(owner, action).status_code == 200
    kept = slips.upload(owner, "现场.jpg", photo(), "image/jpeg").json()
    told = slips.does(owner, "feedback", (kept["id"],), **ANSWER).json()
    assert (told["state"], told["form"]["cause_zh"]) == ("answered", "工艺波动")
    assert [one["action"] for one in told["allowed"]] == []
    assert [a["action"] for a in keeper.get(f"/api/v1/slips/{slips.id}").json()["allowed"]] == [
        "review",
        "merge",
        "supervise",
    ]
    slips.does(keeper, "review")
    closed = slips.does(keeper, "close", opinion="同意").json()
    assert (closed["state"], closed["archive_no"]) == ("closed", f"GD{slips.id[2:]}")
    sheet = keeper.get(f"/api/v1/slips/{slips.id}/paper.pdf")
    assert (sheet.headers["content-type"], sheet.content[:5]) == ("application/pdf", b"%PDF-")
    assert len(sheet.content) > 10_000
    shown = keeper.get(f"/api/v1/slips/{slips.id}/attachments/{kept['id']}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert (shown.headers["x-content-type-options"], "sandbox" in shown.headers["content-security-policy"]) == (
        "nosniff",
        True,
    )
    book = load_workbook(BytesIO(keeper.get("/api/v1/slips/export.xlsx?show=closed").content))
    assert [row[0].value for row in book.active.rows] == ["报告单编号", slips.id]


def test_refusals_say_why(site: Site) -> None:
    slips = Slips(site)
    assert error(slips.does(slips.keeper, "deliver")) == (403, "wrong_tier")
    assert error(slips.does(site.client(Role.OPERATOR, "410000"), "close", opinion="x")) == (409, "conflict")
    assert error(slips.does(slips.owner, "feedback", **ANSWER)) == (409, "conflict")
    assert (
        error(slips.owner.post(f"/api/v1/slips/{slips.id}/steps", json={"action": "deliver", "version": 9}))[0] == 409
    )
    for action in ("deliver", "confirm", "start"):
        slips.does(slips.owner, action)
    answer = slips.does(slips.owner, "feedback", measures="降温")
    assert set(answer.json()["error"]["fields"]) == {"cause_class", "result", "prevention", "signer"}
    assert error(slips.does(slips.owner, "escalate")) == (403, "wrong_tier")
    assert slips.does(site.client(Role.VIEWER, JIA), "report").status_code == 403
    assert error(slips.does(slips.owner, "moon")) == (422, "invalid")
    for name, content, media in (("a.jpg", b"<html>", "image/jpeg"), ("a.svg", b"<svg/>", "image/svg+xml")):
        assert error(slips.upload(slips.owner, name, content, media)) == (422, "bad_document")
    assert slips.upload(slips.owner, "a.jpg", bytes(15 * 1024 * 1024 + 1), "image/jpeg").status_code == 413


def test_a_neighbour_sees_no_slip(site: Site) -> None:
    slips = Slips(site)
    number = slips.upload(slips.owner, "a.jpg", photo(), "image/jpeg").json()["id"]
    other = site.client(Role.ADMIN, YI)
    assert other.get("/api/v1/slips?show=all").json()["total"] == 0
    for tail in ("", "/paper.pdf", f"/attachments/{number}"):
        assert other.get(f"/api/v1/slips/{slips.id}{tail}").status_code == 404
    assert slips.upload(other, "a.jpg", photo(), "image/jpeg").status_code == 404


def test_what_needs_me_now(site: Site) -> None:
    slips = Slips(site)

    def mine(client) -> list[tuple[str, str]]:
        return [(i["type"], i["why"]) for i in client.get("/api/v1/slips/duty").json()["items"] if i["type"] == "slip"]

    assert (mine(slips.owner), mine(slips.keeper)) == ([("slip", "请签收并确认")], [])
    assert slips.owner.get("/api/v1/slips?mine=true").json()["total"] == 1
    for action in ("deliver", "confirm", "start"):
        slips.does(slips.owner, action)
    slips.does(slips.owner, "feedback", **ANSWER)
    assert (mine(slips.owner), mine(slips.keeper)) == ([], [("slip", "请受理审核")])
    assert slips.keeper.get("/api/v1/slips?mine=true&overdue=true").json()["total"] == 0
    slips.office.at(60 * 24)
    province = site.client(Role.OPERATOR, "410000")
    assert mine(province) == [("slip", "已升级至本级,请督办")]
    assert province.get("/api/v1/slips/duty").json()["counts"]["slips"] == 1
    assert slips.keeper.get("/api/v1/slips?overdue=true&colour=orange&q=甲").json()["items"][0]["due_clock"] == "review"


def test_the_page_draws_what_the_service_obeys(site: Site) -> None:
    told = site.client(Role.VIEWER).get("/api/v1/slips/table").json()
    assert [rule["action"] for rule in told["rules"]] == [rule.action.value for rule in TABLE]


def test_a_region_has_its_own_clocks_when_a_second_person_says_so(site: Site) -> None:
    one, two = site.client(Role.ENGINEER), site.client(Role.ENGINEER, name="second")
    city = site.places.path(JIA).strip("/").split("/")[1]
    rules = "/api/v1/slips/rules"
    body = {"node": city, "body": {"colours": {"orange": {"confirm": {"minutes": 5}}}}, "why": "试点"}
    assert one.post(rules, json=body | {"node": "999999"}).status_code == 404
    assert site.client(Role.ENGINEER, JIA).post(rules, json=body).status_code == 404
    assert one.post(rules, json=body | {"why": ""}).status_code == 422
    draft = one.post(rules, json=body).json()
    assert draft["differences"] == {
        "colours.orange.confirm": [{"minutes": 30, "unit": "wall"}, {"minutes": 5, "unit": "wall"}]
    }
    yes = {"approve": True, "why": "同意"}
    assert one.post(f"{rules}/{draft['id']}/decide", json=yes).status_code == 403
    assert one.get(rules, params={"node": city}).json()["own"] is None, "a draft changes nothing"
    assert two.post(f"{rules}/{draft['id']}/decide", json=yes).json()["state"] == "approved"
    slips = Slips(site)
    seen = slips.owner.get(f"/api/v1/slips/{slips.id}").json()
    assert slips.office.slip(slips.id).due == site.clock.now + 5 * 60_000
    assert seen["due_clock"] == "confirm"
    theirs = slips.owner.get(rules).json()
    assert theirs["in_force"]["colours"]["orange"]["confirm"]["minutes"] == 5
    assert (theirs["from"]["code"], theirs["may_edit"]) == (city, False)
    back = one.post(rules, json={"node": city, "body": None, "why": "试点结束"}).json()
    assert one.post(f"{rules}/{back['id']}/withdraw", json={"why": "再等等"}).json()["state"] == "withdrawn"
    back = one.post(rules, json={"node": city, "body": None, "why": "试点结束"}).json()
    assert two.post(f"{rules}/{back['id']}/decide", json=yes).status_code == 200
    shown = one.get(rules, params={"node": city}).json()
    assert (shown["from"], shown["in_force"]) == (None, shown["standard"])
    assert [item["state"] for item in shown["items"]] == ["approved", "withdrawn", "retired"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"hours": [["x", "12:00"]]}, "hours"),
        ({"hours": [["13:00", "12:00"]]}, "hours"),
        ({"shifts": []}, "shifts"),
        ({"colours": {"red": {"confirm": {"minutes": 0}}}}, "colours.red.confirm"),
        ({"colours": {"red": {"confirm": None}}}, "colours.red.confirm"),
        ({"colours": {"red": {"confirm": {"minutes": 45}}}}, "colours.red.start"),
        ({"colours": {"blue": {"feedback": {"minutes": 9000, "unit": "days"}}}}, "colours.blue.feedback"),
        ({"colours": {"pink": {}}}, "colours.pink"),
        ({"weekend": True}, "weekend"),
    ],
)
def test_clocks_that_make_no_sense_are_told_field_by_field(site: Site, body, field) -> None:
    told = site.client(Role.ENGINEER).post("/api/v1/slips/rules", json={"node": "410900", "body": body, "why": "x"})
    assert told.status_code == 422
    assert list(told.json()["error"]["fields"]) == [f"body.{field}"]


def test_the_unit_of_the_warning_is_the_unit_of_the_slip(site: Site) -> None:
    slips = Slips(site)
    with unit_of_work(site.sessions) as session:
        slips.office.desk.cleared(session, warning(1, Colour.ORANGE, slips.path), site.clock.now)
    seen = slips.owner.get(f"/api/v1/slips/{slips.id}").json()
    assert (seen["state"], seen["cleared_at"] is not None) == ("made", True)
