"""Shelving, suppression by design, out of service, latch and re-alarm on both databases: time comes in as data."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import insert
from tests.alarms.support import at, facts, life, moved, revised, scratch, table

from hazwatch.alarms.commands import Commands
from hazwatch.alarms.inherit import POLICY, chain, inherited, policy
from hazwatch.alarms.model import ASIDE, OPEN, State
from hazwatch.alarms.rules import Reading, parse, suppresses
from hazwatch.alarms.service import AlarmDesk
from hazwatch.alarms.tables import AlarmSetting
from hazwatch.records import Sessions, unit_of_work
from hazwatch.vocabulary.levels import Level

B, C, D, A = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.NORMAL
LATCHED, SEEN = State.LATCHED_UNACKNOWLEDGED, State.LATCHED_ACKNOWLEDGED
HOUR = 3600


class Room:
    """A desk, its commands, and the record of point 0."""

    def __init__(self, records: Sessions) -> None:
        self.records = records
        self.desk = AlarmDesk(records, facts)
        self.commands = Commands(self.desk)
        self.sequence = 0

    def judge(self, *changes) -> None:
        self.sequence += 1
        self.desk.apply(list(changes), (self.sequence, 0))

    def restart(self) -> None:
        self.desk = AlarmDesk(self.records, facts)
        self.commands = Commands(self.desk)

    def say(self, node: str, part: str, body: str) -> None:
        with unit_of_work(self.records) as session:
            row = {"topic": POLICY, "node": node, "part": part, "body": body, "version": 1, "path": facts(0).path}
            session.execute(insert(AlarmSetting), [row])
        self.desk.know_policies()

    @property
    def state(self) -> State:
        return table(self.records)[-1].state

    @property
    def id(self) -> str:
        return table(self.records)[-1].id


@pytest.fixture
def room(records) -> Room:
    return Room(records)


def test_shelved_for_an_hour_then_it_rings_again_as_it_stands(room) -> None:
    room.judge(moved("normal", "H", 1))
    done = room.commands.shelve([room.id], "张", "仪表检修", at(10), seconds=HOUR)
    assert (room.state, done.holds[0].until) == (State.SHELVED, at(10 + HOUR))
    assert room.commands.pass_time(at(9 + HOUR)).records == []
    room.restart()
    (back,) = room.commands.pass_time(at(10 + HOUR)).records
    assert (back.state, back.aside) == (B, None)
    assert [e[0] for e in life(room.records, room.id)] == ["raise", "shelve", "unshelve"]
    assert room.desk.holds == {}


def test_a_shelved_alarm_is_judged_on_and_its_next_excursions_stay_shelved(room) -> None:
    room.judge(moved("normal", "H", 1))
    room.commands.shelve([room.id], "张", "抖动", at(2), seconds=HOUR)
    room.judge(moved("H", "normal", 3), moved("normal", "H", 4))
    first, second = table(room.records)
    assert (first.state, first.closed_at) == (A, at(3)), "nobody owes an acknowledgement for it"
    assert (second.state, second.aside.by, second.aside.why) == (State.SHELVED, "张", "抖动")


def test_who_shelves_high_has_not_seen_high_high(room) -> None:
    room.judge(moved("normal", "H", 1))
    room.commands.shelve([room.id], "张", "抖动", at(2), seconds=HOUR)
    room.judge(moved("H", "HH", 3))
    assert room.state is B
    room.judge(moved("HH", "normal", 4), moved("normal", "L", 5))
    assert room.state is B, "the other side was not shelved either"


def test_nobody_shelves_longer_than_the_priority_allows(room) -> None:
    room.judge(moved("normal", "HH", 1), moved("normal", "H", 1, point=1))
    urgent, high = (room.desk.active(p).id for p in (0, 1))
    done = room.commands.shelve([urgent, high], "张", "检修", at(2), seconds=4 * HOUR)
    assert [r.id for r in done.records] == [high]
    assert [(r["id"], r["reason"]) for r in done.refused] == [(urgent, "优先级 1 最长可搁置 60 分钟")]
    room.say(facts(0).code, "1", '{"shelve_max_s": 18000}')
    assert room.commands.shelve([urgent], "张", "检修", at(3), seconds=4 * HOUR).refused == []


def test_the_second_to_shelve_or_unshelve_is_told(room) -> None:
    room.judge(moved("normal", "H", 1))
    (hold,) = room.commands.shelve([room.id], "张", "检修", at(2), seconds=HOUR).holds
    again = room.commands.shelve([room.id], "李", "检修", at(3), seconds=HOUR)
    assert (again.refused[0]["by"], again.holds) == ("张", [])
    assert "搁置至" in again.refused[0]["reason"]
    assert room.commands.acknowledge([room.id], "李", "", at(4)).refused[0]["reason"] == "已搁置(张)"
    assert room.commands.unshelve([hold.id], "王", "", at(5)).refused == []
    late = room.commands.unshelve([hold.id], "李", "", at(6))
    assert (late.refused[0]["by"], late.refused[0]["reason"]) == ("王", "已由 王 解除")


def test_one_shot_ends_with_the_return(room) -> None:
    room.judge(moved("normal", "H", 1))
    room.commands.shelve([room.id], "张", "检修", at(2), one_shot=True)
    room.judge(moved("H", "normal", 3))
    assert room.desk.holds == {}
    room.judge(moved("normal", "H", 4))
    assert room.state is B
    room.restart()
    assert room.desk.holds == {}


def test_out_of_service_needs_a_second_person_and_ends_at_its_date(room) -> None:
    room.judge(moved("normal", "H", 1))
    (asked,) = room.commands.request_out_of_service([room.id], "张", "更换变送器", at(2), at(7200)).holds
    assert room.state is B, "asking changes nothing"
    mine = room.commands.decide_out_of_service([asked.id], "张", "", at(3), approved=True)
    assert "另一人" in mine.refused[0]["reason"]
    room.commands.decide_out_of_service([asked.id], "李", "", at(4), approved=True)
    assert room.state is State.OUT_OF_SERVICE
    room.judge(moved("H", "HH", 5))
    assert room.state is State.OUT_OF_SERVICE, "all levels"
    room.restart()
    room.commands.pass_time(at(7200))
    assert (room.state, table(room.records)[-1].level) == (B, Level.HH)


def test_a_refused_request_and_an_expired_one_change_nothing(room) -> None:
    room.judge(moved("normal", "H", 1))
    (asked,) = room.commands.request_out_of_service([room.id], "张", "检修", at(2), at(7200)).holds
    room.commands.decide_out_of_service([asked.id], "李", "先检查", at(3), approved=False)
    assert (room.state, room.desk.holds) == (B, {})
    room.commands.request_out_of_service([room.id], "张", "检修", at(4), at(7200))
    room.commands.pass_time(at(7200))
    assert (room.state, room.desk.holds) == (B, {})


def rule(version: int = 1, release_s: int = 0):
    body = {
        "name": "泵停", "every": True, "release_s": release_s,
        "conditions": [{"point": facts(5).code, "op": "==", "value": 0}],
        "targets": [{"point": facts(0).code, "levels": ["L", "LL"]}],
    }  # fmt: skip
    return parse("r1", version, body)


TARGETS = [(0, frozenset({Level.L, Level.LL}))]


def test_pump_stopped_low_flow_is_suppressed_high_is_not(room) -> None:
    room.judge(moved("normal", "L", 1))
    room.commands.suppress([(rule(), TARGETS, True)], at(2))
    assert (room.state, table(room.records)[-1].aside.by) == (State.SUPPRESSED, "泵停")
    assert room.commands.suppress([(rule(), TARGETS, True)], at(3)).holds == [], "nothing new"
    room.judge(moved("L", "H", 4))
    assert room.state is B
    room.judge(moved("H", "normal", 5), moved("normal", "L", 6))
    assert room.state is State.SUPPRESSED
    room.commands.suppress([(rule(), TARGETS, False)], at(7))
    assert room.state is B


def test_suppression_goes_on_for_its_release_time_and_ends_with_its_rule(room) -> None:
    room.judge(moved("normal", "L", 1))
    slow = rule(release_s=30)
    room.commands.suppress([(slow, TARGETS, True)], at(2))
    room.commands.suppress([(slow, TARGETS, False)], at(10))
    room.commands.suppress([(slow, TARGETS, False)], at(39))
    assert room.state is State.SUPPRESSED
    room.commands.suppress([(slow, TARGETS, False)], at(40))
    assert room.state is B
    room.commands.suppress([(slow, TARGETS, True)], at(50))
    room.commands.suppress([], at(51))
    assert room.state is B, "a rule that is no longer in force suppresses nothing"


def test_the_strongest_hold_shows_and_what_is_left_shows_after_it(room) -> None:
    room.judge(moved("normal", "L", 1))
    (shelf,) = room.commands.shelve([room.id], "张", "检修", at(2), seconds=HOUR).holds
    room.commands.suppress([(rule(), TARGETS, True)], at(3))
    assert room.state is State.SUPPRESSED
    room.commands.suppress([(rule(), TARGETS, False)], at(4))
    assert (room.state, table(room.records)[-1].aside.by) == (State.SHELVED, "张")
    room.commands.unshelve([shelf.id], "张", "", at(5))
    assert room.state is B


def test_a_latched_alarm_stays_until_somebody_has_seen_and_reset_it(room) -> None:
    room.say("410902001", "2", '{"latch": true}')
    room.judge(moved("normal", "H", 1), moved("H", "normal", 2))
    assert room.state is LATCHED
    room.restart()
    room.commands.acknowledge([room.id], "张", "", at(3))
    assert room.state is SEEN
    assert room.commands.reset([room.id], "张", "", at(4)).refused == []
    assert (room.state, table(room.records)[-1].closed_at) == (A, at(4))
    assert room.commands.reset([room.id], "李", "", at(5)).refused[0]["by"] == "张"


def test_acknowledged_and_still_standing_it_rings_again(room) -> None:
    room.say("410000", "", '{"realarm_s": 600}')
    room.judge(moved("normal", "H", 1))
    room.commands.acknowledge([room.id], "张", "", at(10))
    assert room.commands.pass_time(at(609)).records == []
    room.restart()
    assert [r.state for r in room.commands.pass_time(at(610)).records] == [B]
    room.commands.acknowledge([room.id], "张", "", at(700))
    room.judge(moved("H", "normal", 800))
    assert room.commands.pass_time(at(2000)).records == []


def test_silence_is_of_one_control_room_and_changes_nothing_else(room) -> None:
    room.judge(moved("normal", "H", 1))
    (quiet,) = room.commands.silence([room.id], "张", "410902001", at(2)).records
    assert (quiet.silenced_in, quiet.state, quiet.acknowledged_by) == (("410902001",), B, None)
    room.commands.silence([room.id], "李", "410900", at(3))
    assert table(room.records)[-1].silenced_in == ("410902001", "410900")
    room.judge(moved("H", "HH", 4))
    assert table(room.records)[-1].silenced_in == ()


def test_late_data_keeps_an_alarm_shelved_and_asks_for_a_new_look_after_it(room) -> None:
    room.judge(moved("normal", "H", 1))
    room.commands.acknowledge([room.id], "张", "", at(2))
    (hold,) = room.commands.shelve([room.id], "张", "检修", at(3), seconds=HOUR).holds
    room.judge(revised(1, moved("H", "HH", 5), moved("HH", "H", 6)))
    assert room.state in (State.SHELVED, B)
    room.commands.unshelve([hold.id], "张", "", at(20))
    room.judge(revised(1))
    assert room.state is B, "what came back from the shelf has been seen by nobody"


def test_only_a_rise_is_told_as_one(room) -> None:
    def rose(*changes) -> list[bool]:
        room.sequence += 1
        return [r.rose for r in room.desk.apply(list(changes), (room.sequence, 0))]

    assert rose(moved("normal", "H", 1)) == [True]
    assert [r.rose for r in room.commands.silence([room.id], "张", "4109", at(2)).records] == [False]
    assert rose(moved("H", "HH", 3)) == [True]
    assert rose(moved("HH", "H", 4)) == [False]
    assert [r.rose for r in room.commands.acknowledge([room.id], "张", "", at(5)).records] == [False]
    assert rose(moved("H", "HH", 6), moved("HH", "H", 7)) == [True], "it rose, whatever followed in the same breath"
    (hold,) = room.commands.shelve([room.id], "张", "x", at(8), seconds=60).holds
    assert [r.rose for r in room.commands.unshelve([hold.id], "张", "", at(9)).records] == [True]
    assert rose(revised(0, moved("normal", "H", 1), moved("H", "HH", 3))) == [False], "late data never rings"
    assert rose(moved("HH", "normal", 10)) == [False]


def test_the_first_of_a_burst_is_marked(room) -> None:
    room.judge(moved("normal", "H", 1), moved("normal", "H", 20, point=1), moved("normal", "H", 90, point=2))
    first, second, third = table(room.records)
    assert first.first_out == second.first_out == third.first_out == first.id
    room.restart()
    room.judge(moved("normal", "H", 400, point=3))
    assert table(room.records)[-1].first_out == table(room.records)[-1].id


# --- pure ----------------------------------------------------------------------------------------------------------


def reading(value: float, quality: int = 0, *, fresh: bool = True) -> Reading:
    return Reading(value, quality, Level.NORMAL, fresh)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [(reading(0.0), True), (reading(1.0), False), (reading(0.0, 7), False), (reading(0.0, fresh=False), False),
     (None, False)],
)  # fmt: skip
def test_what_is_not_known_suppresses_nothing(known, wanted) -> None:
    assert suppresses(rule(), lambda _: known) is wanted


def test_a_rule_does_not_suppress_what_it_watches() -> None:
    body = {"name": "x", "conditions": [{"point": "P", "op": "<", "value": 1}], "targets": [{"point": "P"}]}
    with pytest.raises(ValueError, match="抑制自己"):
        parse("r", 1, body)


def test_inheritance_goes_down_the_tree_field_by_field() -> None:
    nodes = chain("/410000/410902001/", facts(0).code)
    said = {
        ("410000", ""): {"realarm_s": 600, "latch": True}, ("410902001001", "1"): {"shelve_max_s": 60},
        (facts(0).code, ""): {"realarm_s": "off"},
    }  # fmt: skip
    assert inherited(POLICY, nodes, "1", said) == {
        "latch": (True, "410000"), "realarm_s": (None, facts(0).code), "shelve_max_s": (60, "410902001001"),
    }  # fmt: skip
    assert policy(nodes, 2, said).shelve_max_s == 8 * HOUR


deeds = st.lists(
    st.sampled_from(["H", "HH", "L", "normal", "ack", "shelve", "one_shot", "unshelve", "oos", "rule", "no rule",
                     "time", "reset", "restart"]), max_size=25,
)  # fmt: skip


@example(steps=["H", "one_shot", "normal"], latch=True)
@given(steps=deeds, latch=st.booleans())
def test_whatever_people_rules_and_time_do_the_records_tell_the_truth(steps, latch) -> None:
    """Judged on underneath; aside exactly while a hold covers it; nothing is aside for ever."""
    with scratch() as records:
        room = Room(records)
        if latch:
            room.say("410000", "", '{"latch": true, "realarm_s": 60}')
        level, now = Level.NORMAL, 0
        for step in steps:
            now += 30
            ids = [r.id for r in room.desk.open]
            holds = [h.id for held in room.desk.holds.values() for h in held]
            if step in ("H", "HH", "L", "normal"):
                if (to := Level.parse(step)) is not level:
                    room.judge(moved(level.word, step, now))
                    level = to
            elif step == "ack":
                room.commands.acknowledge(ids, "张", "", at(now))
            elif step == "reset":
                room.commands.reset(ids, "张", "", at(now))
            elif step in ("shelve", "one_shot"):
                room.commands.shelve(ids, "张", "x", at(now), seconds=120, one_shot=step == "one_shot")
            elif step == "unshelve":
                room.commands.unshelve(holds, "张", "", at(now))
            elif step == "oos":
                asked = room.commands.request_out_of_service(ids, "张", "x", at(now), at(now + 100)).holds
                room.commands.decide_out_of_service([h.id for h in asked], "李", "", at(now), approved=True)
            elif step in ("rule", "no rule"):
                room.commands.suppress([(rule(), TARGETS, step == "rule")], at(now))
            elif step == "time":
                room.commands.pass_time(at(now))
            else:
                room.restart()
            standing = room.desk.active(0)
            assert (standing is not None) == (level is not Level.NORMAL)
            if standing is not None:
                assert standing.level is level
            for record in table(records):
                assert (record.closed_at is None) == (record.state in OPEN)
                assert (record.aside is not None) == (record.state in ASIDE)
        now += 10_000
        room.commands.pass_time(at(now))
        room.commands.suppress([], at(now))
        assert room.desk.holds == {}
        assert not [r for r in table(records) if r.state in ASIDE]
