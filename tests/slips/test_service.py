"""Slips on real databases: with their warnings, by people, by time; and what the check finds after an edit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text
from tests.identity.support import SYSTEM
from tests.slips.support import (
    CITY,
    KEEPER,
    OWNER,
    PARK,
    PROVINCE,
    WORKS,
    Office,
    person,
    photo,
    to_answered,
    warning,
)

from hazwatch.identity.errors import ApiError
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.slips import attachments
from hazwatch.slips.model import Action, State
from hazwatch.slips.verify import SlipReport, verify_slips
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import Tier


@pytest.fixture
def office(records: Sessions) -> Office:
    return Office(records)


def checked(office: Office) -> SlipReport:
    with reading(office.sessions) as session:
        return verify_slips(session)


def refusal(act: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        act()
    return refused.value.status, refused.value.message


def test_a_whole_life(office: Office) -> None:
    slip_id = office.raise_(warning())
    assert office.slip(slip_id).state is State.MADE
    to_answered(office, slip_id)
    office.does(KEEPER, slip_id, Action.REVIEW)
    office.does(KEEPER, slip_id, Action.RETURN, reason="缺少复核数据")
    office.does(OWNER, slip_id, Action.FEEDBACK, result="已补充")
    office.does(KEEPER, slip_id, Action.REVIEW)
    office.does(KEEPER, slip_id, Action.CLOSE, opinion="同意")
    slip = office.slip(slip_id)
    assert (slip.state, slip.returns, slip.form["result"]) == (State.CLOSED, 1, "已补充")
    words = "open deliver confirm start feedback review return feedback review close"
    assert office.life(slip_id) == words.split()
    assert checked(office) == SlipReport(10, 1, 0, ())


def test_a_warning_that_was_not_written_leaves_no_slip(office: Office) -> None:
    def fails_at_the_end() -> None:
        with unit_of_work(office.sessions) as session:
            office.desk.opened(session, warning())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_at_the_end()
    assert checked(office) == SlipReport(0, 0, 0, ())


def test_the_warning_clears_and_comes_back(office: Office) -> None:
    facts = warning()
    slip_id = office.raise_(facts)
    with unit_of_work(office.sessions) as session:
        office.desk.cleared(session, facts, office.clock.now)
    assert office.slip(slip_id).open
    to_answered(office, slip_id)
    office.does(KEEPER, slip_id, Action.REVIEW)
    office.does(KEEPER, slip_id, Action.CLOSE, opinion="同意")
    with unit_of_work(office.sessions) as session:
        office.desk.appended(session, facts, "再次发出")
    assert office.slip(f"{slip_id}-2").state is State.MADE, "a closed slip stays closed; its successor is open"
    with unit_of_work(office.sessions) as session:
        office.desk.appended(session, facts, "另有温度高报")
    assert office.life(f"{slip_id}-2") == ["open", "append"]
    assert checked(office).ok


def test_time_passes_and_tiers_are_told_once(office: Office) -> None:
    slip_id = office.raise_(warning())
    office.at(59)
    assert office.told == []
    office.at(1)
    office.at(30)
    assert office.told == [("YJ20261123000001", Tier.CITY, f"报告单 {slip_id} 超时未确认")]
    office.does(OWNER, slip_id, Action.DELIVER, Action.CONFIRM, Action.START)
    office.at(600)
    assert len(office.told) == 1
    assert checked(office).ok


def test_a_node_that_was_away_tells_what_one_that_was_not_tells(office: Office) -> None:
    ids = [office.raise_(warning(1, Colour.RED)), office.raise_(warning(2, Colour.BLUE))]
    for _ in range(3 * 24 * 2):
        office.at(30)
    looked = {(warning_id, tier, why) for warning_id, tier, why in office.told}
    assert len(looked) == len(office.told), "nobody is told twice"
    assert {(w[-1], tier) for w, tier, _ in looked} >= {("1", Tier.MINISTRY), ("2", Tier.PARK)}
    office.told.clear()
    again = [office.raise_(warning(n, colour)) for n, colour in ((3, Colour.RED), (4, Colour.BLUE))]
    office.at(3 * 24 * 60)
    for before, after in zip(ids, again, strict=True):
        wanted = {(tier, why.replace(before, after)) for _, tier, why in looked if before in why}
        assert wanted == {(tier, why) for _, tier, why in office.told if after in why}


def test_who_comes_too_late_is_recorded_even_if_the_clockwork_did_not_look(office: Office) -> None:
    slip_id = office.raise_(warning())
    office.clock.now += 61 * 60_000
    office.does(OWNER, slip_id, Action.DELIVER)
    assert office.life(slip_id) == ["open", "escalate", "deliver"]


def test_an_upgrade_tightens_on_the_stored_slip(office: Office) -> None:
    facts = warning()
    slip_id = office.raise_(facts)
    before = office.slip(slip_id).due
    office.recolour(facts, Colour.RED)
    assert office.slip(slip_id).due == before - 45 * 60_000


@pytest.mark.parametrize("who", [KEEPER, CITY, PROVINCE, SYSTEM])
def test_only_the_owner_answers(office: Office, who) -> None:
    slip_id = office.raise_(warning())
    status, message = refusal(lambda: office.does(who, slip_id, Action.DELIVER))
    assert status == 403
    assert "企业级" in message


@pytest.mark.parametrize("who", [OWNER, CITY, PROVINCE])
def test_only_the_supervisor_closes(office: Office, who) -> None:
    slip_id = office.raise_(warning())
    to_answered(office, slip_id)
    assert refusal(lambda: office.does(who, slip_id, Action.REVIEW))[0] == 403
    office.does(KEEPER, slip_id, Action.REVIEW)
    assert refusal(lambda: office.does(who, slip_id, Action.CLOSE, opinion="同意"))[0] == 403


def test_a_neighbour_sees_nothing(office: Office) -> None:
    slip_id = office.raise_(warning())
    other = person(f"{PARK}410902002/")
    assert refusal(lambda: office.desk.do(other, slip_id, Action.DELIVER, 1, {}))[0] == 404


def test_what_has_moved_since_is_refused_but_not_by_a_clock(office: Office) -> None:
    slip_id = office.raise_(warning())
    office.does(OWNER, slip_id, Action.DELIVER)
    status, message = refusal(lambda: office.desk.do(OWNER, slip_id, Action.DELIVER, 1, {}))
    assert status == 409
    assert "送达" in message
    seen = office.slip(slip_id).steps
    office.at(61)
    office.desk.do(OWNER, slip_id, Action.CONFIRM, seen, {})
    assert office.slip(slip_id).state is State.CONFIRMED


def test_many_at_once_and_one_wins(office: Office) -> None:
    slip_id = office.raise_(warning())
    outcomes = []

    def deliver() -> None:
        try:
            office.desk.do(OWNER, slip_id, Action.DELIVER, 1, {})
            outcomes.append(200)
        except ApiError as error:
            outcomes.append(error.status)

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200, 409, 409, 409, 409, 409]
    assert checked(office).ok


def test_merging_loses_nothing(office: Office) -> None:
    first, second = office.raise_(warning(1)), office.raise_(warning(2, Colour.RED))
    assert refusal(lambda: office.does(KEEPER, second, Action.MERGE, into="BG1", reason="同因"))[0] == 422
    office.does(KEEPER, second, Action.MERGE, into=first, reason="同因")
    assert (office.slip(second).state, office.slip(second).merged_into) == (State.MERGED, first)
    assert office.slip(first).worst is Colour.RED, "the one that goes on is as urgent as the one that ended"
    with unit_of_work(office.sessions) as session:
        office.desk.appended(session, warning(2, Colour.RED), "温度高报")
    assert office.life(first) == ["open", "append", "change", "append"]
    assert checked(office).ok


def test_a_photo_belongs_to_a_deed(office: Office) -> None:
    slip_id = office.raise_(warning())
    office.does(OWNER, slip_id, Action.DELIVER, Action.CONFIRM, Action.START)
    kept = attachments.attach(office.desk, OWNER, slip_id, photo(), "现场.jpg", "image/jpeg")
    given = {"reason": "探头进水", "signer": "李四"}
    office.desk.do(OWNER, slip_id, Action.FALSE_ALARM, office.slip(slip_id).steps, given, [kept["id"]])
    assert office.slip(slip_id).form["cause_class"] == "false_alarm"
    assert office.slip(slip_id).form["attachments"][0]["sha256"] == kept["sha256"]
    other = office.raise_(warning(2))
    assert refusal(lambda: office.desk.do(OWNER, other, Action.DELIVER, 1, {}, [kept["id"]]))[0] == 422
    assert checked(office).ok


def test_speed(office: Office, figures) -> None:
    ids = [office.raise_(warning(n)) for n in range(1, 13)]
    begun = time.perf_counter()
    for slip_id in ids:
        to_answered(office, slip_id)
    each = (time.perf_counter() - begun) / 48
    with unit_of_work(office.sessions) as session:
        for n in range(100, 700):
            office.desk.opened(session, warning(n))
    begun = time.perf_counter()
    report = checked(office)
    rate = report.steps / (time.perf_counter() - begun)
    kind = office.sessions.kw["bind"].dialect.name
    figures(f"slips on {kind}: {1 / each:,.0f} deeds/s, one transaction each; verify {rate:,.0f} steps/s")
    assert report.ok
    assert (each < 0.25, rate > 500) == (True, True)


EDITS = {
    "a signer is changed": (
        "update slip_step set detail = replace(detail, '张三', '王五') where action = 'feedback'",
        "第 5 步“反馈”(410902001值守 worker,",
    ),
    "a time is moved": ("update slip_step set at = at - 60000 where action = 'confirm'", "第 3 步“确认”"),
    "somebody else did it": ("update slip_step set username = 'boss' where action = 'review'", "第 6 步“受理审核”"),
    "a step is taken out": ("delete from slip_step where action = 'start'", "第 4 步缺失"),
    "the last step is cut": ("delete from slip_step where action = 'close'", "链尾不符:应有 7 条,最后一条是第 6 条"),
    "a step is put in": (
        (
            'insert into slip_step (id, slip, number, at, username, name, action, "before", "after", detail, digest,'
            " path)"
            " select 8, slip, 8, at, 'boss', 'boss', 'supervise', 'closed', 'closed', '{}', digest, path from slip_step"
            " where id = 7"
        ),
        "第 8 步“督办”(boss boss,",
    ),
    "the slip itself is closed by hand": ("update slip set colour = 1 where id = 'BG20261123000001'", "颜色与步骤不符"),
    "the form is changed": ("update slip set body = replace(body, '72', '99')", "表单与时钟与步骤不符"),
    "the slip is deleted": ("delete from slip", "报告单被删除"),
    "a slip is invented": (
        (
            "insert into slip (id, warning, kind, object, name, cause, state, colour, worst, opened_at, version, body,"
            " path) select 'BG9', warning, kind, object, name, cause, state, colour, worst, opened_at, version, body,"
            " path from slip"
        ),
        "没有任何步骤记录",
    ),
    "the chain is emptied": ("delete from slip_step", "链尾不符:应有 7 条"),
    "a picture is swapped": ("update slip_blob set content = ", "的附件《现场.jpg》的内容被改动"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_is_found_and_named(office: Office, edit: str) -> None:
    statement, told = EDITS[edit]
    slip_id = office.raise_(warning())
    office.does(OWNER, slip_id, Action.DELIVER, Action.CONFIRM, Action.START)
    given = {"cause_class": "process", "measures": "降温", "result": "72 %", "prevention": "无", "signer": "张三"}
    numbers = []
    if "picture" in edit:
        numbers = [attachments.attach(office.desk, OWNER, slip_id, photo(), "现场.jpg", "image/jpeg")["id"]]
    office.desk.do(OWNER, slip_id, Action.FEEDBACK, 4, given, numbers)
    office.does(KEEPER, slip_id, Action.REVIEW)
    office.does(KEEPER, slip_id, Action.CLOSE, opinion="同意")
    assert checked(office).ok
    if "picture" in edit:
        postgres = office.sessions.kw["bind"].dialect.name == "postgresql"
        statement += "decode('00', 'hex')" if postgres else "x'00'"
    with unit_of_work(office.sessions) as session:
        assert session.execute(text(statement)).rowcount > 0
    report = checked(office)
    assert not report.ok
    assert any(told in finding.text for finding in report.findings), report.findings
    assert WORKS not in str(report.findings)
