"""Declared records and drafts of the models' numbers, through the routes."""

from __future__ import annotations

import pytest
from tests.web.support import JIA, YI

from hazwatch.identity.model import Role

SOURCE = f"{JIA}001"
LATE = "2030-01-01T00:00:00+08:00"
WORK = {"object": SOURCE, "kind": "special_work", "body": {"work": "hot_first"}, "to": "2027-01-01T00:00:00+08:00"}


def test_a_record_is_declared_listed_withdrawn_and_stays(site) -> None:
    operator = site.client(Role.OPERATOR)
    made = operator.post("/api/v1/risk/declared", json=WORK).json()
    assert (made["state"], made["title"]) == ("now", "一级动火作业")
    number = made["id"]
    listed = operator.get("/api/v1/risk/declared", params={"object": SOURCE, "state": "now"}).json()
    assert number in [r["id"] for r in listed["items"]]
    url = f"/api/v1/risk/declared/{number}/withdraw"
    assert operator.post(url, json={"why": " "}).status_code == 422
    assert operator.post(url, json={"why": "取消"}).json()["state"] == "withdrawn"
    assert operator.post(url, json={"why": "取消"}).status_code == 409
    over = operator.get("/api/v1/risk/declared", params={"object": SOURCE, "state": "over"}).json()
    assert number in [r["id"] for r in over["items"]]
    actions = [a["action"] for a in site.client(Role.ADMIN).get("/api/v1/audit").json()["items"]]
    assert {"risk.declare", "risk.withdraw"} <= set(actions)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "magic"}, "kind"), ({"body": {}}, "body.work"), ({"body": {"work": "sleep"}}, "body.work"),
        ({"body": {"work": "hot_first", "more": 1}}, "body.more"), ({"to": "2020-01-01"}, "to"), ({"to": LATE}, "to"),
        ({"kind": "tasks", "body": {"missed": 2}}, "body.missed"), ({"to": "soon"}, "to"),
    ],
)  # fmt: skip
def test_a_record_that_makes_no_sense_is_refused_by_field(site, change, field) -> None:
    got = site.client(Role.OPERATOR).post("/api/v1/risk/declared", json=WORK | change)
    assert got.status_code == 422
    assert got.json()["error"]["fields"][field]


def test_nobody_declares_for_another_enterprise(site) -> None:
    assert site.client(Role.ADMIN, YI).post("/api/v1/risk/declared", json=WORK).status_code == 404


def test_a_draft_is_tested_back_and_approved_by_a_second_person_only(site) -> None:
    author, second = site.client(Role.ENGINEER), site.client(Role.ADMIN)
    route = "/api/v1/risk/configurations"
    draft = {"name": "报警权重", "why": "误报", "parameters": {"weights": {"A": 0.7}}}
    assert site.client(Role.ADMIN, YI).post(route, json=draft).status_code == 403, "not for all of the node"
    assert author.post(route, json=draft | {"parameters": {"weights": {"A": 2}}}).status_code == 422
    assert author.post(route, json=draft | {"parameters": {}}).status_code == 422
    number = author.post(route, json=draft).json()["id"]
    decide, yes = f"{route}/{number}/decide", {"approve": True, "why": "同意"}
    assert second.post(decide, json=yes).status_code == 409, "never tested"
    period = {"from": "2026-11-01", "to": "2026-11-30"}
    assert author.post(f"{route}/{number}/backtest", json=period).json()["come"] == 0
    assert author.post(f"{route}/{number}/shadow", json={"on": True}).json()["shadow"]
    assert author.post(decide, json=yes).status_code == 403, "not by the author"
    approved = second.post(decide, json=yes).json()
    assert (approved["state"], approved["shadow"]) == ("approved", False)
    live = author.get(route).json()["in_force"]
    assert live["digest"] == approved["digest"]
    assert live["parameters"]["weights"]["A"] == 0.7
    assert second.post(decide, json=yes).status_code == 409


def test_the_places_of_a_scope(site) -> None:
    top = site.client().get("/api/v1/risk/places").json()
    assert {e["code"] for e in top["enterprises"]} >= {JIA, YI}
    assert sum(top["counts"].values()) == len([e for e in top["enterprises"] if e["known"]])
    own = site.client(Role.VIEWER, YI).get("/api/v1/risk/places").json()
    assert [e["code"] for e in own["enterprises"]] == [YI]
