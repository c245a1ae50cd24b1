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
    assert slips.keeper.get("/api/v1/slips?overdue=true&colour=orange&q=甲").json()["items"][0]["due_clock"] == "review"


def test_the_page_draws_what_the_service_obeys(site: Site) -> None:
    told = site.client(Role.VIEWER).get("/api/v1/slips/table").json()
    assert [rule["action"] for rule in told["rules"]] == [rule.action.value for rule in TABLE]


def test_a_region_has_its_own_clocks(site: Site) -> None:
    engineer = site.client(Role.ENGINEER)
    body = {"body": {"colours": {"orange": {"confirm": {"minutes": 5}}}}}
    path = site.places.path(JIA)
    city = path.strip("/").split("/")[1]
    assert engineer.put(f"/api/v1/slips/rules/{city}", json=body).status_code == 200
    assert engineer.put(f"/api/v1/slips/rules/{city}", json={"body": {"hours": [["x", 1]]}}).status_code == 422
    assert engineer.put("/api/v1/slips/rules/999999", json=body).status_code == 404
    assert site.client(Role.ENGINEER, JIA).put(f"/api/v1/slips/rules/{city}", json=body).status_code == 404
    slips = Slips(site)
    seen = slips.owner.get(f"/api/v1/slips/{slips.id}").json()
    assert slips.office.slip(slips.id).due == site.clock.now + 5 * 60_000
    assert seen["due_clock"] == "confirm"
    assert slips.owner.get("/api/v1/slips/rules").json()["in_force"]["colours"]["orange"]["confirm"]["minutes"] == 5


def test_the_unit_of_the_warning_is_the_unit_of_the_slip(site: Site) -> None:
    slips = Slips(site)
    with unit_of_work(site.sessions) as session:
        slips.office.desk.cleared(session, warning(1, Colour.ORANGE, slips.path), site.clock.now)
    seen = slips.owner.get(f"/api/v1/slips/{slips.id}").json()
    assert (seen["state"], seen["cleared_at"] is not None) == ("made", True)
