"""From an alarm record to a message that a service took: on a real desk, a real database and a real webhook."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from zoneinfo import ZoneInfo

import pytest
from defusedxml import ElementTree
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.alarms.support import at, facts, moved
from tests.identity.support import town

from hazwatch.alarms.commands import Commands
from hazwatch.alarms.service import AlarmDesk
from hazwatch.alarms.settings import place
from hazwatch.app.notices import alarms_after, by_id, cap_alarms
from hazwatch.identity import errors
from hazwatch.identity.deps import Gate
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.secrets import master_key
from hazwatch.identity.tokens import create_token
from hazwatch.notify.api import Tools, router
from hazwatch.notify.send import NotSentError, kind_of, send
from hazwatch.notify.service import Notifier
from hazwatch.notify.tables import NoticeChannel
from hazwatch.records import Sessions, reading

CHINA = ZoneInfo("Asia/Shanghai")
FIRM = facts(0).enterprise


class Webhook:
    """A service on this machine that takes messages, or refuses them."""

    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    hook.heard.append(json.loads(body))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self._server.server_port}/secret-path"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Webhook]:
    running = Webhook()
    yield running
    running.stop()


class Office:
    """The routes, the alarm desk behind them, and the loop, a step at a time."""

    def __init__(self, records: Sessions, home) -> None:
        self.town = town(records, home)
        self.town.clock.now = at(0)
        self.records = records
        self.desk = AlarmDesk(records, facts)
        self.key = master_key(home)
        self.app = FastAPI()
        errors.install(self.app)
        self.app.include_router(
            router(
                Tools(
                    sessions=records, gate=Gate(self.town.desk), clock=self.town.clock, key=self.key, zone=CHINA,
                    send=send, cap_alarms=cap_alarms, path_of=lambda session, who, code: place(session, who, code)[0],
                )
            )
        )  # fmt: skip
        self.restart()

    def restart(self) -> None:
        self.notifier = Notifier(self.records, alarms_after, by_id, send, self.key, CHINA)

    def client(self, role: Role = Role.ADMIN, scope: str = "410000") -> TestClient:
        token = create_token(self.town.desk, SYSTEM, name=f"{role.word}-{scope}", role=role, scope_code=scope)
        return TestClient(self.app, headers={"Authorization": f"Bearer {token}"})

    def channel(self, url: str, name: str = "值班群", *, enabled: bool = True) -> str:
        body = {"name": name, "url": url, "enabled": enabled}
        answer = self.client().post("/api/v1/notices/channels", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def route(self, channel: str, **more) -> str:
        body = {"name": "全部", "node": FIRM, "priority": 4, "channels": [channel], **more}
        answer = self.client().post("/api/v1/notices/routes", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def step(self, seconds: float) -> None:
        """One round of the loop at a moment."""
        self.town.clock.now = at(seconds)
        self.notifier.take_in(at(seconds))
        self.notifier.group(at(seconds))
        for number, _ in self.notifier.waiting(at(seconds)):
            self.notifier.deliver(number, self.town.clock)

    def log(self) -> list[dict]:
        return self.client().get("/api/v1/notices/log").json()["items"]


@pytest.fixture
def office(records, tmp_path) -> Office:
    office = Office(records, tmp_path)
    office.step(0)  # the first start: what was before is history
    return office


def test_nothing_leaves_by_default(office, hook) -> None:
    office.channel(hook.url, enabled=False)
    office.desk.apply([moved("normal", "HH", 1)], (1, 0))
    office.step(2)
    assert (hook.heard, office.log(), office.notifier.anybody()) == ([], [], False)


def test_an_alarm_is_told_at_once_and_a_flood_is_grouped(office, hook) -> None:
    office.route(office.channel(hook.url), node="410000")
    office.desk.apply([moved("normal", "H", 1)], (1, 0))
    office.step(1)
    assert len(hook.heard) == 1
    office.desk.apply([moved("normal", "HH", 2, point=n) for n in range(1, 30)], (2, 0))
    for second in range(2, 20):
        office.step(second)
    assert len(hook.heard) == 2
    assert "另有 28 条" in hook.heard[1]["title"]
    assert [(m["state"], m["alarms"]) for m in office.log()] == [("sent", 29), ("sent", 1)]


def test_an_acknowledged_or_late_alarm_is_not_told(office, hook) -> None:
    office.route(office.channel(hook.url))
    office.desk.apply([moved("normal", "H", 1)], (1, 0))
    Commands(office.desk).acknowledge([r.id for r in office.desk.open], "甲", "", at(1))
    office.step(2)
    assert hook.heard == []


def test_a_refused_message_is_tried_again_also_after_a_restart(office, hook) -> None:
    office.route(office.channel(hook.url))
    hook.status = 503
    office.desk.apply([moved("normal", "H", 1)], (1, 0))
    office.step(1)
    (line,) = office.log()
    assert (line["state"], line["attempts"]) == ("queued", 1)
    assert line["outcome"]
    assert "secret-path" not in json.dumps(line)
    office.restart()
    hook.status = 200
    office.step(3)
    assert hook.heard == [], "not before its time"
    office.step(7)
    assert len(hook.heard) == 1
    assert (office.log()[0]["state"], office.log()[0]["attempts"]) == ("sent", 2)
    office.step(30)
    assert len(hook.heard) == 1, "once it was taken it is not sent again"


def test_the_next_in_line_is_told_when_nobody_acknowledges(office, hook) -> None:
    chief = Webhook()
    try:
        team, boss = office.channel(hook.url), office.channel(chief.url, "主任")
        office.route(team, escalate_after_s=60, escalate_channels=[boss])
        office.desk.apply([moved("normal", "HH", 1), moved("normal", "H", 1, point=1)], (1, 0))
        office.step(1)
        Commands(office.desk).acknowledge([r.id for r in office.desk.open if r.point == 1], "甲", "", at(5))
        office.step(50)
        assert chief.heard == []
        office.step(62)
        office.step(200)
        assert len(chief.heard) == 1
        assert chief.heard[0]["title"].startswith("无人确认 P1")
        assert "液位1" not in chief.heard[0]["message"], "what somebody acknowledged is not told"
    finally:
        chief.stop()


def test_a_route_of_another_enterprise_does_not_tell(office, hook) -> None:
    office.route(office.channel(hook.url), node="410500")
    office.desk.apply([moved("normal", "HH", 1)], (1, 0))
    office.step(2)
    assert hook.heard == []


def test_addresses_are_sealed_and_never_shown(office, hook) -> None:
    office.channel(hook.url)
    shown = office.client(Role.ENGINEER).get("/api/v1/notices/channels").text
    assert "secret-path" not in shown
    with reading(office.records) as session:
        assert b"secret-path" not in session.query(NoticeChannel).one().sealed


@pytest.mark.parametrize("url", ["file:///etc/passwd", "syslog://", "dbus://", "http://x", "mailto://", "", "json://"])
def test_what_is_no_address_of_an_allowed_service_is_refused(office, url) -> None:
    answer = office.client().post("/api/v1/notices/channels", json={"name": "x", "url": url})
    assert answer.status_code == 422, url


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("mailtos://user:pass@example.com", "mail"), ("wecombot://0123456789abcdef0123456789abcdef0123", "wecom"),
        ("dingtalk://secret@abcdefgh0123456789", "dingtalk"), ("jsons://host/path", "webhook"),
    ],
)  # fmt: skip
def test_services_are_known_by_their_address(url, kind) -> None:
    assert kind_of(url) == kind


def test_the_test_button_says_what_the_service_said(office, hook) -> None:
    channel = office.channel(hook.url, enabled=False)
    assert office.client().post(f"/api/v1/notices/channels/{channel}/test").json() == {"sent": True}
    assert hook.heard[0]["title"] == "Hazwatch 测试消息"
    hook.status = 403
    answer = office.client().post(f"/api/v1/notices/channels/{channel}/test")
    assert answer.status_code == 502
    assert "secret-path" not in answer.text


def test_who_may_do_what(office, hook) -> None:
    channel = office.channel(hook.url)
    body = {"name": "x", "url": hook.url}
    assert office.client(Role.ENGINEER).post("/api/v1/notices/channels", json=body).status_code == 403
    assert office.client(Role.OPERATOR).get("/api/v1/notices/routes").status_code == 403
    assert office.client(Role.VIEWER).get("/api/v1/notices/log").status_code == 403
    other = office.client(Role.ADMIN, "410500")
    assert other.get("/api/v1/notices/channels").json() == []
    assert other.put(f"/api/v1/notices/channels/{channel}", json={"name": "x"}).status_code == 404
    foreign = {"name": "r", "node": "410500", "channels": [channel]}
    assert other.post("/api/v1/notices/routes", json=foreign).status_code == 404, "not to somebody else's channel"


def test_duty_lists_and_the_calendar(office, hook) -> None:
    client = office.client()
    channel = office.channel(hook.url)
    day = {"day": "2026-11-23", "working": False, "name": "试验假日"}
    assert client.put("/api/v1/notices/calendar", json=[day]).json() == [day]
    shift = {"channel": channel, "days": "working", "start": "00:00", "end": "24:00"}
    duty = client.post("/api/v1/notices/duties", json={"name": "白班", "shifts": [shift]}).json()["id"]
    office.route(channel, channels=[], duties=[duty])
    office.desk.apply([moved("normal", "HH", 1)], (1, 0))
    office.step(1)
    assert hook.heard == [], "a holiday: nobody of the working days is on duty"
    client.put("/api/v1/notices/calendar", json=[])
    office.desk.apply([moved("normal", "HH", 2, point=1)], (2, 0))
    office.step(2)
    assert len(hook.heard) == 1
    assert (
        client.put(f"/api/v1/notices/duties/{duty}", json={"name": "夜班", "shifts": [shift]}).json()["name"] == "夜班"
    )
    assert client.delete(f"/api/v1/notices/duties/{duty}").json() == {"deleted": duty}


def test_the_cap_feed_shows_what_lies_in_scope(office) -> None:
    office.desk.apply([moved("normal", "HH", 1)], (1, 0))
    client = office.client(Role.VIEWER)
    entries = ElementTree.fromstring(client.get("/api/v1/notices/cap").content).findall(
        "{http://www.w3.org/2005/Atom}entry"
    )
    href = entries[0].find("{http://www.w3.org/2005/Atom}link").get("href")
    answer = client.get(href)
    assert answer.headers["content-type"] == "application/cap+xml"
    assert "高高" in answer.text
    assert office.client(Role.VIEWER, "410500").get(href).status_code == 404


def test_a_service_that_is_not_there() -> None:
    with pytest.raises(NotSentError):
        send("json://127.0.0.1:9/secret-path", "t", "x")


def test_a_flood_larger_than_a_databases_question(office) -> None:
    """Ids are asked for in parts."""
    office.desk.apply([moved("normal", "HH", 1)], (1, 0))
    with reading(office.records) as session:
        known = alarms_after(session, -1, 0)[0].id
        found = by_id(session, [*(f"no-{n}" for n in range(70_000)), known])
    assert set(found) == {known}
