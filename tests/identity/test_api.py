"""The routes of identity, whole, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.identity.support import SYSTEM, Town, town

from hazwatch.identity.accounts import create_account
from hazwatch.identity.deps import COOKIE
from hazwatch.identity.model import Role
from hazwatch.identity.service import first_start
from hazwatch.identity.tokens import create_token, list_tokens, revoke_token
from hazwatch.records import Sessions
from hazwatch.vocabulary.moments import DAY, HOUR, MINUTE


@pytest.fixture
def place_(records: Sessions, tmp_path: Path) -> Town:
    return town(records, tmp_path)


def signed_in(place: Town, username: str = "boss", role: str = "admin", scope: str = "410000") -> TestClient:
    """A browser with an account that has set its own password."""
    _, password = create_account(place.desk, SYSTEM, username=username, name="某人", role=role, scope_code=scope)
    client = place.client()
    assert sign_in(client, username, password).status_code == 200
    changed = client.post("/api/v1/session/password", json={"old": password, "new": "correct horse 1"})
    assert changed.status_code == 204, changed.text
    return client


def sign_in(client: TestClient, username: str, password: str) -> object:
    return client.post("/api/v1/session", json={"username": username, "password": password})


def error(response: object) -> str:
    return response.json()["error"]["code"]


def test_sign_in_sets_a_strict_cookie_and_shows_the_account(place_: Town) -> None:
    _, password = create_account(place_.desk, SYSTEM, username="li", name="李工", role="viewer", scope_code="P4109001")
    client = place_.client()
    response = sign_in(client, "li", password)
    assert response.json() == {
        "account": {
            "username": "li",
            "name": "李工",
            "role": "viewer",
            "scope": {"code": "P4109001", "name": "示范化工园区", "kind": "park"},
            "must_change_password": True,
        }
    }
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert client.get("/api/v1/session").json()["system"]["zone"] == "Asia/Shanghai"


def test_cookie_is_secure_over_https(place_: Town) -> None:
    _, password = create_account(place_.desk, SYSTEM, username="li", name="李工", role="viewer", scope_code="410000")
    client = place_.client()
    client.base_url = "https://node.test"
    assert "Secure" in sign_in(client, "li", password).headers["set-cookie"]


def test_a_foreign_password_must_be_changed_first(place_: Town) -> None:
    _, password = create_account(place_.desk, SYSTEM, username="li", name="李工", role="viewer", scope_code="410000")
    client = place_.client()
    sign_in(client, "li", password)
    assert error(client.get("/api/v1/nodes")) == "must_change_password"
    for new, status in (("short", 422), (password, 422), ("li-li-li-li-li", 422), ("correct horse 1", 204)):
        assert client.post("/api/v1/session/password", json={"old": password, "new": new}).status_code == status
    assert client.get("/api/v1/nodes").status_code == 200


def test_changing_the_password_ends_other_sessions_only(place_: Town) -> None:
    first = signed_in(place_)
    second = place_.client()
    sign_in(second, "boss", "correct horse 1")
    first.post("/api/v1/session/password", json={"old": "correct horse 1", "new": "correct horse 2"})
    assert first.get("/api/v1/nodes").status_code == 200
    assert second.get("/api/v1/nodes").status_code == 401


def test_wrong_old_password_is_refused_and_limited(place_: Town) -> None:
    client = signed_in(place_)
    body = {"old": "wrong", "new": "correct horse 2"}
    answers = [client.post("/api/v1/session/password", json=body).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_repeated_failures_are_limited_per_name_and_address(place_: Town) -> None:
    _, password = create_account(place_.desk, SYSTEM, username="li", name="李工", role="viewer", scope_code="410000")
    here, elsewhere = place_.client("10.0.0.1"), place_.client("10.0.0.2")
    assert [sign_in(here, "li", "wrong").status_code for _ in range(5)] == [401] * 5
    refused = sign_in(here, "li", password)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "300"
    assert sign_in(elsewhere, "li", password).status_code == 200
    place_.clock.now += 5 * MINUTE
    assert sign_in(here, "li", password).status_code == 200


def test_unknown_names_are_answered_and_limited_alike(place_: Town) -> None:
    client = place_.client()
    answers = [sign_in(client, "nobody", "x") for _ in range(6)]
    assert [a.status_code for a in answers] == [401] * 5 + [429]
    assert error(answers[0]) == "wrong_credentials"


def test_session_ends_when_idle_and_in_any_case_after_a_week(place_: Town) -> None:
    client = signed_in(place_)
    place_.clock.now += 12 * HOUR - 1
    assert client.get("/api/v1/nodes").status_code == 200
    place_.clock.now += 12 * HOUR
    assert client.get("/api/v1/nodes").status_code == 401
    sign_in(client, "boss", "correct horse 1")
    for _ in range(15):
        place_.clock.now += 11 * HOUR
        assert client.get("/api/v1/nodes").status_code == 200
    place_.clock.now += 3 * HOUR
    assert client.get("/api/v1/nodes").status_code == 401


def test_sign_out_ends_the_session_itself_not_just_the_cookie(place_: Town) -> None:
    client = signed_in(place_)
    value = client.cookies[COOKIE]
    assert client.delete("/api/v1/session").status_code == 204
    again = place_.client()
    again.cookies.set(COOKIE, value)
    assert again.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://node.test"}, 200),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://node.test:81"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_foreign_pages_cannot_change_anything(place_: Town, headers: dict[str, str], status: int) -> None:
    client = signed_in(place_)
    assert client.patch("/api/v1/accounts/boss", json={"name": "新名"}, headers=headers).status_code == status


def test_everything_needs_a_session_and_the_role(place_: Town) -> None:
    stranger = place_.client()
    for path in ("/api/v1/session", "/api/v1/accounts", "/api/v1/audit", "/api/v1/nodes"):
        assert error(stranger.get(path)) == "unauthenticated"
    engineer = signed_in(place_, "eng", "engineer")
    assert error(engineer.get("/api/v1/accounts")) == "forbidden"
    assert error(engineer.get("/api/v1/audit")) == "forbidden"


def test_tree_is_cut_to_the_scope(place_: Town) -> None:
    client = signed_in(place_, "park", "viewer", "P4109001")
    assert client.get("/api/v1/nodes").json() == [
        {"code": "P4109001", "name": "示范化工园区", "kind": "park", "parent": None, "lon": None, "lat": None},
        {"code": "410902001", "name": "甲企业", "kind": "enterprise", "parent": "P4109001", "lon": None, "lat": None},
    ]


def test_accounts_are_made_listed_and_changed(place_: Town) -> None:
    client = signed_in(place_)
    body = {"username": "wang", "name": "王工", "role": "operator", "scope_code": "410900"}
    made = client.post("/api/v1/accounts", json=body)
    assert made.status_code == 201
    assert sign_in(place_.client(), "wang", made.json()["password"]).status_code == 200
    assert client.post("/api/v1/accounts", json=body).status_code == 409
    listed = client.get("/api/v1/accounts", params={"sort": "-username", "q": "王"}).json()
    assert (listed["total"], listed["items"][0]["username"]) == (1, "wang")
    patched = client.patch("/api/v1/accounts/wang", json={"role": "engineer", "reset_password": True}).json()
    assert patched["account"]["role"] == "engineer"
    assert len(patched["password"]) == 16
    assert client.patch("/api/v1/accounts/wang", json={"enabled": False}).json()["account"]["enabled"] is False
    assert sign_in(place_.client("10.1.1.1"), "wang", patched["password"]).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "Wang Li"}, "username"),
        ({"role": "king"}, "role"),
        ({"scope_code": "999999"}, "scope_code"),
        ({"extra": 1}, "extra"),
        ({"name": None}, "name"),
    ],
)
def test_wrong_fields_are_named(place_: Town, body: dict[str, object], field: str) -> None:
    client = signed_in(place_)
    good = {"username": "wang", "name": "王工", "role": "operator", "scope_code": "410900"}
    answer = client.post("/api/v1/accounts", json=good | body)
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == [field]


def test_disabling_ends_running_sessions(place_: Town) -> None:
    client = signed_in(place_)
    other = signed_in(place_, "wang", "viewer")
    client.patch("/api/v1/accounts/wang", json={"enabled": False})
    assert other.get("/api/v1/nodes").status_code == 401


def test_a_city_admin_stays_in_the_city(place_: Town) -> None:
    signed_in(place_, "top", "admin", "410000")
    signed_in(place_, "anyang", "viewer", "410500")
    city = signed_in(place_, "city", "admin", "410900")
    assert [item["username"] for item in city.get("/api/v1/accounts").json()["items"]] == ["city"]
    assert city.patch("/api/v1/accounts/top", json={"name": "x"}).status_code == 404
    assert city.patch("/api/v1/accounts/anyang", json={"role": "admin"}).status_code == 404
    new = {"username": "wide", "name": "", "role": "viewer", "scope_code": "410000"}
    assert city.post("/api/v1/accounts", json=new).status_code == 422
    assert city.post("/api/v1/accounts", json=new | {"scope_code": "410902"}).status_code == 201
    assert city.patch("/api/v1/accounts/wide", json={"scope_code": "410500"}).status_code == 422
    assert {row["username"] for row in city.get("/api/v1/audit").json()["items"]} == {"city", "system"}


def test_nobody_locks_themselves_out(place_: Town) -> None:
    client = signed_in(place_)
    for body in ({"enabled": False}, {"role": "viewer"}, {"scope_code": "410900"}, {"reset_password": True}):
        assert client.patch("/api/v1/accounts/boss", json=body).status_code == 409


def test_tokens_carry_role_scope_and_end(place_: Town) -> None:
    value = create_token(place_.desk, SYSTEM, name="上报", role=Role.VIEWER, scope_code="410900", days=30)
    assert value.startswith("hzw_")
    client = place_.client()
    headers = {"authorization": f"Bearer {value}"}
    assert len(client.get("/api/v1/nodes", headers=headers).json()) == 5
    assert client.get("/api/v1/accounts", headers=headers).status_code == 403
    assert client.get("/api/v1/nodes", headers={"authorization": "Bearer hzw_x"}).status_code == 401
    place_.clock.now += 30 * DAY
    assert client.get("/api/v1/nodes", headers=headers).status_code == 401
    place_.clock.now -= DAY
    assert client.get("/api/v1/nodes", headers=headers).status_code == 200
    revoke_token(place_.desk, SYSTEM, list_tokens(place_.desk, SYSTEM)[0].id)
    assert client.get("/api/v1/nodes", headers=headers).status_code == 401


def test_first_start_makes_one_admin_whose_password_is_in_a_private_file(records: Sessions, tmp_path: Path) -> None:
    place = town_without_tree(records, tmp_path)
    password = first_start(place.desk, "410000")
    file = tmp_path / "first-password.txt"
    assert file.read_text() == f"admin {password}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert first_start(place.desk, "410000") is None
    client = place.client()
    sign_in(client, "admin", password)
    assert client.get("/api/v1/session").json()["account"]["scope"]["code"] == "410000"
    assert len(client.get("/api/v1/nodes").json()) == 1 + 18 + 156
    client.post("/api/v1/session/password", json={"old": password, "new": "correct horse 1"})
    assert not file.exists()


def town_without_tree(records: Sessions, home: Path) -> Town:
    from tests.identity.support import CHEAP, FakeClock

    from hazwatch.identity.desk import Desk

    clock = FakeClock()
    return Town(Desk(records, clock, home, passwords=CHEAP), clock)


def test_unknown_routes_and_sort_fields_answer_in_the_one_form(place_: Town) -> None:
    client = signed_in(place_)
    assert client.get("/api/v1/nothing").json()["error"]["message"] == "没有这个地址"
    assert list(client.get("/api/v1/accounts?sort=password_hash").json()["error"]["fields"]) == ["sort"]
    assert client.get("/api/v1/accounts?page_size=501").json()["error"]["fields"] == {"page_size": "过大"}
