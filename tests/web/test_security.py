"""The sweep over every route that the application has: who may come in, what an outsider sees, what headers say."""

from __future__ import annotations

import pytest
from tests.web.support import JIA, JIA_POINT, YI, Site, bare, documented, filled, served

from hazwatch.identity.model import Role

OPEN_TO_ALL = {("POST", "/api/v1/session"), ("GET", "/healthz")}
#: Knowledge that belongs to nobody: it names substances such as 甲醇.
KNOWLEDGE = ("/api/v1/gb18218", "/api/v1/chemicals")
ROLES = {
    "any": Role.VIEWER,
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "engineer": Role.ENGINEER,
    "admin": Role.ADMIN,
}


def routes(site: Site) -> list[tuple[str, str]]:
    found = [r for r in served(site.app) if r not in OPEN_TO_ALL]
    assert len(found) > 30, "the sweep must not run over an empty list"
    return found


def test_without_credentials_every_route_is_closed(site) -> None:
    nobody = site.client(None)
    for method, path in routes(site):
        answer = nobody.request(method, filled(path))
        assert answer.status_code == 401, (method, path)
        assert answer.json()["error"]["code"] == "unauthenticated"


def test_a_token_that_was_made_up_opens_nothing(site) -> None:
    stranger = site.client(None)
    for headers in (
        {"Authorization": "Bearer hzw_guess"},
        {"Cookie": "hazwatch_session=guess"},
        {"Authorization": "Basic YTpi"},
    ):
        for method, path in routes(site):
            assert stranger.request(method, filled(path), headers=headers).status_code in (401, 403), (method, path)


def test_below_the_documented_role_every_route_is_403_and_at_it_none(site) -> None:
    roles = documented()
    for method, path in routes(site):
        word = roles[method, bare(path)]
        needed = Role.ADMIN if path == "/metrics" else ROLES[word]
        for role in Role:
            if path == "/api/v1/live" and role >= needed:
                continue  # a stream without an end; it has tests of its own
            answer = site.client(role).request(method, filled(path))
            assert (answer.status_code == 403) == (role < needed), (method, path, role, answer.text)
            assert answer.status_code != 401, (method, path)


def test_an_outsider_sees_nothing_of_another_enterprise(site) -> None:
    """Every GET route, asked by an administrator of 乙: no code and no name of 甲 is in any answer."""
    insider, outsider = site.client(), site.client(Role.ADMIN, YI)
    alarm = site.alarms.active(site.index(JIA_POINT)).id
    seen_by_insider = 0
    for method, path in routes(site):
        if method != "GET" or path in ("/api/v1/live", "/metrics") or "/boundaries/" in path:
            continue
        asked = filled(path, JIA, alarm)
        answer = outsider.get(asked)
        text = answer.text
        if "{" in path:
            assert answer.status_code == 404, (path, text)
            # A refusal names what was asked for, nothing else.
            text = text.replace(asked.rsplit("/", 1)[1], "").replace(JIA_POINT, "").replace(f"{JIA}001", "")
            text = text.replace(f"没有企业 {JIA}", "")
        assert JIA not in text, path
        assert path.startswith(KNOWLEDGE) or "甲" not in text, path
        assert "41090200101" not in text, path
        if JIA in insider.get(asked).text:
            seen_by_insider += 1
    assert seen_by_insider >= 9, "the test itself: the same routes do show it to who may see it"


def test_an_outsider_changes_nothing_of_another_enterprise(site) -> None:
    outsider = site.client(Role.ADMIN, YI)
    alarm = site.alarms.active(site.index(JIA_POINT)).id
    answer = outsider.post("/api/v1/alarms/acknowledge", json={"ids": [alarm]}).json()
    assert (answer["acknowledged"], answer["refused"][0]["reason"]) == ([], "没有这条报警")
    assert site.log.asked == [], "the engine was not even asked"
    made = {"username": "spy", "name": "x", "role": "viewer", "scope_code": JIA}
    assert outsider.post("/api/v1/accounts", json=made).status_code in (403, 404, 422)


def test_every_answer_carries_the_headers(site) -> None:
    asked = [
        "/",
        "/healthz",
        "/api/openapi.json",
        "/api/v1/sources",
        "/api/v1/nothing",
        "/assets/none.js",
        "/map/anything",
    ]
    for path in asked:
        for client in (site.client(None), site.client()):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "script-src 'self';" in policy, "no inline script, no other host"
            assert "frame-ancestors 'none'" in policy
            assert "http:" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-frame-options"] == "DENY"


def test_also_an_answer_to_a_broken_request_carries_them(site, monkeypatch) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(site.mirror), "forms", breaks)
    answer = site.client().get(f"/api/v1/points/{JIA_POINT}")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret detail" not in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/../../pyproject.toml", "/..%2f..%2f..%2fpyproject.toml", "/%2e%2e/%2e%2e/page.py", "/....//page.py",
        "/assets/../../page.py", "/assets/..%2f..%2fpage.py", "/assets/%2e%2e/%2e%2e/page.py", "//etc/passwd",
        "/%2fetc%2fpasswd", "/..\\..\\page.py", "/page.py", "/static/../page.py", "/index.html%00.png",
        "/" + "a/" * 400, "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_page(site, path) -> None:
    answer = site.client(None).get(path)
    assert answer.status_code in (200, 404, 503)
    assert "import " not in answer.text
    assert "root:" not in answer.text
    assert "[project]" not in answer.text


def test_unknown_paths_are_the_page_and_unknown_api_paths_are_404(site) -> None:
    client = site.client(None)
    for path in ("/", "/alarms", "/sources/410902001001", "/no/such/thing"):
        answer = client.get(path)
        assert answer.status_code in (200, 503), "503 while the page is not built"
        assert answer.headers["content-type"].startswith("text/html")
    for path in ("/api/v1/nothing", "/api/", "/api/v2/points"):
        assert client.get(path).status_code == 404


def test_metrics_are_for_this_machine_or_an_admin(site) -> None:
    assert site.client(None, address="127.0.0.1").get("/metrics").status_code == 200
    assert site.client(None, address="::1").get("/metrics").status_code == 200
    assert site.client(None).get("/metrics").status_code == 401
    proxied = site.client(None, address="127.0.0.1").get("/metrics", headers={"X-Forwarded-For": "198.51.100.9"})
    assert proxied.status_code == 401
    text = site.client().get("/metrics").text
    assert "# TYPE hazwatch_samples_total counter" in text


def test_nobody_learns_more_than_health_without_signing_in(site) -> None:
    answer = site.client(None).get("/healthz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"ok": True, "log": "ok", "engine": "ok", "access": "ok", "disk": "ok"},
    )
    site.clock.now += 10_000
    answer = site.client(None).get("/healthz")
    assert (answer.status_code, answer.json()["engine"], answer.json()["log"]) == (503, "down", "ok")
    site.log.connected = False
    assert site.client(None).get("/healthz").json()["log"] == "down"


NUL = [
    "/api/v1/alarms?q=%00",
    "/api/v1/points?q=%00",
    "/api/v1/sources?q=%00",
    "/api/v1/alarms/%00",
    "/api/v1/points/%00",
]


@pytest.mark.parametrize("path", NUL)
def test_a_nul_in_a_query_breaks_nothing(site, path) -> None:
    assert site.client().get(path).status_code in (200, 404, 422)
