"""Grades on a real database become warnings exactly once, also when everything dies between the two."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import func, insert, select
from tests.warnings.support import JIA, MINUTE, NOON, STORE, TANKS, UNIT, YI

from hazwatch.alarms.store import everything
from hazwatch.app import warning_told
from hazwatch.app.cap_out import CapOut
from hazwatch.app.notices import alarms_after, by_id
from hazwatch.app.warningroom import Grades
from hazwatch.documents.cap import CAP, parse, problems
from hazwatch.identity.model import SYSTEM, NodeKind, Principal, Role
from hazwatch.identity.tree import NodeRow, place
from hazwatch.notify.desk import write_channel
from hazwatch.notify.service import Notifier
from hazwatch.records import Sessions, make_engine, make_sessions, migrate, reading, unit_of_work
from hazwatch.registry.tables import Enterprise, Source
from hazwatch.risk.configuration import DEFAULT
from hazwatch.risk.tables import Grade
from hazwatch.settings import Settings
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import Tier
from hazwatch.warnings import receipts, rules_book, service
from hazwatch.warnings.service import Hooks, WarningDesk
from hazwatch.warnings.tables import WarningEvent, WarningOffset, WarningReceipt, WarningRow

_NAMES = {"410902001": "甲化工", "410902002": "乙仓储", TANKS: "甲罐区", UNIT: "甲装置", STORE: "乙仓库"}


class Park:
    """A park with two enterprises, and the warning desk of its node."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.hooked: list[tuple] = []
        self.fault: Exception | None = None
        with unit_of_work(sessions) as session:
            place(session, [
                NodeRow("410000", "河南", NodeKind.PROVINCE, None), NodeRow("410900", "濮阳", NodeKind.CITY, "410000"),
                NodeRow("P4109001", "园区", NodeKind.PARK, "410900"),
                *(NodeRow(e, _NAMES[e], NodeKind.ENTERPRISE, "P4109001") for e in ("410902001", "410902002")),
            ])  # fmt: skip
            for e in ("410902001", "410902002"):
                path = JIA if e == "410902001" else YI
                session.add(Enterprise(code=e, name=_NAMES[e], region="410900", simulated=False, path=path))
                session.flush()
                for s in (TANKS, UNIT, STORE):
                    if s.startswith(e):
                        session.add(
                            Source(code=s, name=_NAMES[s], enterprise=e, kind="罐区", level=1, path=path,
                                   simulated=False)
                        )  # fmt: skip
        self.desk = self.opened()

    def opened(self) -> WarningDesk:
        """A desk after a start."""
        hooks = Hooks(
            lambda s, f: self._hook(s, "raised", f), lambda s, f, was: self._hook(s, "changed", f, was.word),
            lambda s, f, at: self._hook(s, "cleared", f, at), lambda s, f, text: self._hook(s, "merged", f, text),
        )  # fmt: skip
        return WarningDesk(self.sessions, Grades(self.sessions, everything).source(), hooks)

    def _hook(self, session, word, facts, *more) -> None:
        assert session.scalar(select(WarningRow.id).where(WarningRow.id == facts.id)), "the warning is there first"
        if self.fault:
            raise self.fault
        self.hooked.append((word, facts.object, facts.colour.word, *more))

    def graded(self, *rows: tuple) -> None:
        """Grades as the risk desk writes them: code, colour, minutes, and what else."""
        made = []
        for code, colour, minutes, *more in rows:
            other = more[0] if more else {}
            mode = other.get("mode", "scored")
            inputs = {"mode": mode, "raw": {"floor": other.get("floor", "none")}, "members": other.get("members", [])}
            cause = other.get("cause", "A")
            terms = [
                {"id": "B", "name": "固有危险性", "x": other.get("b", 0.1), "contribution": 10.0},
                {"id": cause, "name": "报警", "x": 0.5, "contribution": 40.0},
            ]
            made.append({
                "object": code, "at": NOON + round(minutes * MINUTE), "colour": int(Colour[colour.upper()]),
                "score": 50.0, "confidence": 1.0, "reason": f"{cause} {colour}", "terms": orjson.dumps(terms).decode(),
                "inputs": orjson.dumps(inputs).decode(), "path": YI if code == STORE else JIA, "model": "HW-1",
                "version": "1", "configuration": DEFAULT.digest(),
            })  # fmt: skip
        with unit_of_work(self.sessions) as session:
            session.execute(insert(Grade), made)

    def follow(self) -> list[dict]:
        """Take in everything that is there."""
        told: list[dict] = []
        before = -1
        while before != self.desk.offset:
            before = self.desk.offset
            told += self.desk.take_in(NOON)
        return told

    def events(self) -> list[tuple[str, str, str]]:
        """The whole history: deed, object, colour."""
        with reading(self.sessions) as session:
            rows = session.execute(
                select(WarningEvent.deed, WarningRow.object, WarningEvent.colour)
                .join(WarningRow, WarningRow.id == WarningEvent.warning)
                .order_by(WarningEvent.id)
            )
            return [(deed, code, Colour(c).word) for deed, code, c in rows]


@pytest.fixture
def park(records: Sessions) -> Park:
    return Park(records)


def test_grades_become_warnings_with_recipients_and_the_slip_room_is_told_in_the_same_transaction(park) -> None:
    park.follow()
    park.graded((TANKS, "yellow", 0), (TANKS, "red", 1, {"floor": "red"}), (UNIT, "blue", 1, {"b": 0.25}))
    told = park.follow()
    assert [(t["path"], t["warning"]["id"], t["warning"]["colour"]) for t in told] == [
        (JIA, "YJ20261123000001", "red")
    ], "the inherent blue of the unit is none"
    assert park.hooked == [("raised", TANKS, "yellow"), ("changed", TANKS, "red", "yellow")]
    with reading(park.sessions) as session:
        rows = session.scalars(select(WarningReceipt).order_by(WarningReceipt.tier)).all()
        assert [(Tier(r.tier).zh, r.node, r.act) for r in rows] == [
            ("企业", JIA, True), ("园区", "/410000/410900/P4109001/", True), ("市", "/410000/410900/", True),
            ("省", "/410000/", True), ("部", "/", False),
        ]  # fmt: skip
        assert [c["name"] for c in told[0]["warning"]["causes"]] == ["直接规则", "报警"], "what made it red leads"


def test_a_crash_before_the_warning_is_durable_loses_nothing_and_doubles_nothing(park) -> None:
    park.follow()
    park.graded((TANKS, "orange", 0), (STORE, "orange", 0))
    park.fault = RuntimeError("the power goes off here")
    with pytest.raises(RuntimeError):
        park.desk.take_in(NOON)
    assert park.events() == [], "not half a batch"
    park.fault = None
    park.desk = park.opened()
    park.follow()
    park.desk = park.opened()
    park.follow()
    assert park.events() == [("raised", TANKS, "orange"), ("raised", STORE, "orange")]
    park.graded((TANKS, "none", 40), (TANKS, "orange", 50))
    park.desk = park.opened()
    park.follow()
    assert park.events()[2:] == [("cleared", TANKS, "none"), ("reopened", TANKS, "orange")]
    with reading(park.sessions) as session:
        assert session.scalar(select(func.count()).select_from(WarningRow)) == 2
        assert session.scalar(select(WarningOffset.seq)) == 4


def test_what_stands_at_the_very_first_start_is_warned_of_and_history_is_not(park) -> None:
    park.graded((TANKS, "red", 0), (TANKS, "none", 60), (STORE, "red", 0), (STORE, "orange", 60))
    park.follow()
    assert park.events() == [("raised", STORE, "orange")]


def test_a_restart_in_the_middle_of_the_very_first_start_loses_and_doubles_nothing(park, monkeypatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 1)
    park.graded((TANKS, "red", 0), (UNIT, "orange", 0), (STORE, "yellow", 0))
    park.desk.take_in(NOON)
    assert park.events() == [("raised", TANKS, "red")], "the first of three"
    park.desk = park.opened()
    park.follow()
    assert park.events()[1:] == [("raised", UNIT, "orange"), ("raised", STORE, "yellow")]
    park.desk = park.opened()
    assert park.follow() == []


@pytest.mark.parametrize("mode", ["unknown", "refused", "fallback"])
def test_unknown_and_refused_grades_clear_nothing(park, mode) -> None:
    park.follow()
    park.graded((TANKS, "orange", 0))
    park.follow()
    park.graded((TANKS, "none", 60, {"mode": mode}))
    park.follow()
    assert park.events() == [("raised", TANKS, "orange")]
    park.graded((TANKS, "none", 70))
    park.follow()
    assert park.events()[1:] == [("cleared", TANKS, "none")]


def test_a_source_that_was_scored_in_part_still_holds_its_enterprise_after_a_restart(park) -> None:
    park.follow()
    firm = "410902001"
    park.graded((firm, "red", 0, {"mode": "enterprise", "members": [[TANKS, 70, "orange", 70]]}))
    park.follow()
    park.graded((TANKS, "none", 5, {"mode": "fallback"}))
    park.follow()
    park.desk = park.opened()
    park.graded((firm, "none", 6, {"mode": "enterprise"}))
    park.follow()
    assert park.events() == [("raised", firm, "red")]
    park.graded((TANKS, "none", 7), (firm, "none", 8, {"mode": "enterprise"}))
    park.follow()
    assert park.events()[1:] == [("cleared", firm, "none")]


def test_receipts_delivered_seen_once_and_anew_after_an_upgrade(park) -> None:
    park.follow()
    park.graded((TANKS, "yellow", 0))
    park.follow()
    city = Principal("zhang", "张三", Role.OPERATOR, "/410000/410900/")
    firm = Principal("li", "李四", Role.OPERATOR, JIA)
    number = "YJ20261123000001"
    with unit_of_work(park.sessions) as session:
        assert receipts.delivered(session, [number], firm.scope, "短信", NOON + 1) == 1
        assert receipts.delivered(session, [number], firm.scope, "邮件", NOON + 2) == 0, "the first stands"
        assert receipts.seen(session, firm, number, NOON + 3)
        assert not receipts.seen(session, firm, number, NOON + 4)
        assert receipts.seen(session, city, number, NOON + 5)
        assert not receipts.escalate(session, number, Tier.PARK, "超时", NOON + 6), "it acts already"
        assert receipts.escalate(session, number, Tier.CITY, "逾时未确认", NOON + 7)
        assert not receipts.escalate(session, number, Tier.CITY, "逾时未确认", NOON + 8)
    with reading(park.sessions) as session:
        mine = {r.tier: r for r in session.scalars(select(WarningReceipt))}
        assert (mine[0].delivered_at, mine[0].delivered_by, mine[0].seen_by) == (NOON + 1, "短信", "li")
        assert (mine[3].act, mine[3].seen_at) == (True, None), "to act is more than to be told: seen anew"
    park.graded((TANKS, "red", 5))
    park.follow()
    with reading(park.sessions) as session:
        assert all(r.seen_at is None for r in session.scalars(select(WarningReceipt)))
    assert [e[0] for e in park.events()] == ["raised", "seen", "seen", "escalated", "upgraded"]


def test_rules_are_versions_and_rule_from_the_next_grade_on(park) -> None:
    park.follow()
    body = {"table": {"yellow": {"act": ["enterprise"], "inform": []}}, "key_regions": ["410900"]}
    with unit_of_work(park.sessions) as session:
        made = rules_book.draft(session, replace(SYSTEM, username="wang"), body, "试点", NOON)
        rules_book.decide(session, SYSTEM, made["id"], NOON, approve=True, why="同意")
    park.desk.forget()
    park.graded((TANKS, "yellow", 0))
    park.follow()
    with reading(park.sessions) as session:
        assert list(session.scalars(select(WarningReceipt.tier))) == [0]
        assert session.scalar(select(WarningRow.rules)) == rules_book.in_force(session).digest()


def test_five_hundred_transitions_a_second_are_taken_in(park, figures) -> None:
    park.follow()
    colours = ("yellow", "red", "orange", "none")
    rows = [(code, colours[n % 4], n * 40) for n in range(700) for code in (TANKS, UNIT, STORE)]
    park.graded(*rows)
    begun = time.perf_counter()
    park.follow()
    rate = len(rows) / (time.perf_counter() - begun)
    figures(f"warnings: {rate:,.0f} transitions/s taken in")
    assert rate > 500


def test_a_warning_is_pushed_to_the_channels_of_its_tiers_and_only_those_and_delivery_is_noted(park, figures) -> None:
    sent: list[tuple[str, str]] = []
    key = b"k" * 32
    notifier = Notifier(
        park.sessions, alarms_after, by_id, lambda url, title, text: sent.append((url, title + "\n" + text)), key,
        ZoneInfo("Asia/Shanghai"), warning_told.after, warning_told.sent,
    )  # fmt: skip
    nodes = {"firm": JIA, "other": YI, "city": "/410000/410900/", "province": "/410000/"}
    with unit_of_work(park.sessions) as session:
        for name, path in nodes.items():
            who = Principal("admin", "管理", Role.ADMIN, path)
            write_channel(session, who, key, None, name, f"json://127.0.0.1/{name}", NOON, enabled=True)
    park.follow()
    notifier.take_over(NOON)
    begun = time.perf_counter()
    park.graded((TANKS, "orange", 0))
    park.follow()
    notifier.take_over(NOON)
    notifier.group(NOON)
    for number, _ in notifier.waiting(NOON):
        notifier.deliver(number, lambda: NOON + 7)
    figures(
        f"warnings: grade written → taken by three channels in {1000 * (time.perf_counter() - begun):.0f} ms of work"
    )
    assert sorted(url.rpartition("/")[2] for url, _ in sent) == ["city", "firm", "province"]
    assert "橙色预警" in sent[0][1]
    assert notifier.take_over(NOON) == 0, "nobody is told twice"
    with reading(park.sessions) as session:
        rows = {Tier(r.tier).word: r.delivered_by for r in session.scalars(select(WarningReceipt))}
    assert rows == {"enterprise": "firm", "park": None, "city": "city", "province": "province"}
    with unit_of_work(park.sessions) as session:
        receipts.escalate(session, "YJ20261123000001", Tier.PROVINCE, "逾时未确认", NOON)
    notifier.take_over(NOON)
    notifier.group(NOON + 20_000)
    for number, _ in notifier.waiting(NOON + 20_000):
        notifier.deliver(number, lambda: NOON + 20_000)
    assert "无人确认" in sent[-1][1]
    assert sorted(url.rpartition("/")[2] for url, _ in sent[3:]) == ["city", "firm", "province"]


def test_a_grade_is_a_durable_warning_within_milliseconds(park, figures) -> None:
    park.follow()
    took = []
    for n in range(100):
        park.graded((TANKS, ("yellow", "red", "orange", "none")[n % 4], n * 40))
        begun = time.perf_counter()
        assert len(park.desk.take_in(NOON)) == 1
        took.append(1000 * (time.perf_counter() - begun))
    took.sort()
    figures(f"warnings: grade written → warning durable p50 {took[50]:.1f} ms, p99 {took[99]:.1f} ms")
    assert took[50] < 500


def test_every_event_goes_to_the_address_as_cap_in_order_and_again_when_it_was_not_taken(park, tmp_path) -> None:
    heard: list[bytes] = []
    answers = [503, 200, 422, 200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers[len(heard) - 1])
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    park.follow()
    park.graded((TANKS, "yellow", 0))
    park.follow()
    out = CapOut(
        Settings(home=tmp_path, cap_webhook=f"http://127.0.0.1:{server.server_port}/cap", cap_sender="node"),
        park.sessions,
    )
    assert asyncio.run(out.step()), "what was before the first start is history"
    park.graded((TANKS, "red", 1), (TANKS, "none", 40), (STORE, "blue", 41))
    park.follow()
    assert not asyncio.run(out.step()), "503: it waits"
    assert asyncio.run(out.step())
    server.shutdown()
    assert [problems(m) for m in heard] == [[], [], [], []]
    types = [parse(m).findtext(f"{{{CAP}}}msgType") for m in heard]
    assert types == ["Update", "Update", "Cancel", "Alert"], "the first twice; the refused one is passed over"


_CHILD = """
import sys
from hazwatch.app.warningroom import Grades
from hazwatch.alarms.store import everything
from hazwatch.records import make_engine, make_sessions
from hazwatch.warnings import service
service.AT_ONCE = 3
sessions = make_sessions(make_engine(sys.argv[1]))
desk = service.WarningDesk(sessions, Grades(sessions, everything).source(), service.Hooks())
print("begun", flush=True)
while True:
    before = desk.offset
    desk.take_in(0)
    if desk.offset == before and before == int(sys.argv[2]):
        break
print("done", flush=True)
"""


def test_killed_at_any_moment_the_warnings_are_those_of_a_desk_that_never_was(tmp_path, figures) -> None:
    def opened(name: str) -> tuple[str, Park]:
        url = f"sqlite:///{tmp_path / name}"
        migrate(url)
        made = Park(make_sessions(make_engine(url)))
        made.follow()
        rows = [
            (code, ("yellow", "red", "orange", "none", "yellow")[(n * k) % 5], n * 12, {"cause": "ATI"[n % 3]})
            for n in range(400)
            for k, code in enumerate((TANKS, UNIT, STORE), 1)
        ]  # fmt: skip
        made.graded(*rows)
        return url, made

    _, straight = opened("straight.sqlite")
    straight.follow()
    url, killed = opened("killed.sqlite")
    kills = 0
    while True:
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, url, str(straight.desk.offset)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        if kills < 4:
            time.sleep(0.02 + 0.11 * kills)
            child.kill()
        rest = child.stdout.read()
        child.wait()
        child.stdout.close()
        kills += 1
        if "done" in rest:
            break
    assert killed.events() == straight.events()
    assert len(straight.events()) > 500
    figures(f"warnings: {kills - 1} × kill -9 in 1,200 grades: {len(straight.events())} events, none lost, none twice")
