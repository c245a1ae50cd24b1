"""The alarm desk on both databases: one record an excursion, escalated in place, amended by late finds."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from tests.alarms.support import at, facts, life, moved, revised, table

from hazwatch.alarms import store
from hazwatch.alarms.commands import Commands
from hazwatch.alarms.model import KIND_QUALITY, State
from hazwatch.alarms.service import AlarmDesk
from hazwatch.alarms.tables import Alarm, AlarmEvent
from hazwatch.records import Sessions, reading
from hazwatch.vocabulary.levels import Level


@pytest.fixture
def desk(records: Sessions) -> AlarmDesk:
    return AlarmDesk(records, facts)


def reopened(records: Sessions) -> AlarmDesk:
    """The desk after a restart."""
    return AlarmDesk(records, facts)


def test_one_record_for_one_excursion(desk, records) -> None:
    desk.apply([moved("normal", "H", 1), moved("H", "HH", 3), moved("HH", "H", 5), moved("H", "normal", 9)], (4, 0))
    (record,) = table(records)
    assert (record.level, record.worst_level, record.state) == (Level.NORMAL, Level.HH, State.RETURNED)
    assert (record.event_time, record.returned_at) == (at(1), at(9))
    assert life(records, record.id) == [
        ("raise", 1, "unacknowledged"), ("escalate", 3, "unacknowledged"), ("ease", 5, "unacknowledged"),
        ("return", 9, "returned_unacknowledged"),
    ]  # fmt: skip


def test_the_next_excursion_is_the_next_record(desk, records) -> None:
    desk.apply([moved("normal", "H", 1), moved("H", "normal", 2), moved("normal", "H", 3)], (1, 0))
    assert [r.state for r in table(records)] == [State.RETURNED, State.UNACKNOWLEDGED]
    assert desk.active(0).event_time == at(3)


def test_over_to_the_other_side_stays_one_record(desk, records) -> None:
    desk.apply([moved("normal", "H", 1)], (1, 0))
    Commands(desk).acknowledge([desk.active(0).id], "张", "", at(2))
    desk.apply([moved("H", "LL", 4)], (2, 0))
    (record,) = table(records)
    assert (record.level, record.worst_level, record.state) == (Level.LL, Level.LL, State.UNACKNOWLEDGED)
    assert record.acknowledged_by == "张", "who saw the first annunciation is not forgotten"


def test_process_and_quality_are_two_records(desk, records) -> None:
    desk.apply([moved("normal", "H", 1)], (1, 0))
    desk.apply([moved("normal", "H", 1)], (0, 0), KIND_QUALITY)
    assert sorted((r.kind, r.priority) for r in table(records)) == [("process", 2), ("quality", 3)]
    assert desk.offset == (1, 0), "quality alarms do not move the offset of the log"
    assert reopened(records).offset == (1, 0)
    assert desk.active(0, KIND_QUALITY).id != desk.active(0).id


def test_the_second_of_two_operators_is_told_who_was_first(desk, records) -> None:
    desk.apply([moved("normal", "H", 1)], (1, 0))
    alarm = desk.active(0).id
    first = Commands(desk).acknowledge([alarm], "张三", "去看", at(10))
    second = Commands(desk).acknowledge([alarm, "no-such"], "李四", "", at(11))
    assert [r.id for r in first.records] == [alarm]
    assert first.refused == []
    assert second.records == []
    assert second.refused[0] == {
        "id": alarm, "reason": "已由 张三 确认", "by": "张三", "at": "2026-11-23T07:00:10.000Z",
    }  # fmt: skip
    assert second.refused[1] == {"id": "no-such", "reason": "没有这条报警", "by": None, "at": None}
    assert (table(records)[0].acknowledged_by, table(records)[0].note) == ("张三", "去看")


def test_a_closed_record_tells_who_acknowledged_it(desk) -> None:
    desk.apply([moved("normal", "H", 1)], (1, 0))
    alarm = desk.active(0).id
    Commands(desk).acknowledge([alarm, alarm], "张三", "", at(2))
    desk.apply([moved("H", "normal", 3)], (2, 0))
    assert Commands(desk).acknowledge([alarm], "李四", "", at(4)).refused[0]["by"] == "张三"


def test_a_return_without_a_record_is_nothing(desk, records) -> None:
    assert desk.apply([moved("H", "normal", 1)], (1, 0)) == []
    assert table(records) == []


def test_a_restart_goes_on_in_the_same_record(desk, records) -> None:
    desk.apply([moved("normal", "H", 1)], (7, 3))
    again = reopened(records)
    assert again.offset == (7, 3)
    again.apply([moved("H", "HH", 5)], (8, 3))
    (record,) = table(records)
    assert (record.worst_level, record.event_time, record.level_since) == (Level.HH, at(1), at(5))
    assert len(list(again.open)) == 1


def test_records_and_offset_change_together_or_not_at_all(desk, records, monkeypatch) -> None:
    desk.apply([moved("normal", "H", 1)], (1, 0))

    def fails(*_: object) -> None:
        raise SQLAlchemyError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(store, "write_offset", fails)
        with pytest.raises(SQLAlchemyError):
            desk.apply([moved("H", "HH", 3), moved("normal", "H", 3, point=1)], (2, 0))
    assert [(r.point, r.level) for r in table(records)] == [(0, Level.H)]
    assert desk.offset == (1, 0)
    assert desk.active(1) is None, "memory was taken from the table again"
    assert desk.active(0).level is Level.H
    desk.apply([moved("H", "HH", 3), moved("normal", "H", 3, point=1)], (2, 0))
    assert [(r.point, r.worst_level) for r in table(records)] == [(0, Level.HH), (1, Level.H)]
    assert desk.offset == (2, 0)


def test_a_failed_acknowledgement_leaves_the_record_as_it_was(desk, records, monkeypatch) -> None:
    desk.apply([moved("normal", "H", 1)], (1, 0))

    def fails(*_: object) -> None:
        raise SQLAlchemyError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(store, "save", fails)
        with pytest.raises(SQLAlchemyError):
            Commands(desk).acknowledge([desk.active(0).id], "张", "", at(2))
    assert desk.active(0).state is State.UNACKNOWLEDGED
    assert table(records)[0].state is State.UNACKNOWLEDGED


# --- late data -----------------------------------------------------------------------------------------------------


def test_a_late_excursion_that_is_over_is_recorded_closed_and_marked(desk, records) -> None:
    desk.apply([revised(0, moved("normal", "HH", 1), moved("HH", "normal", 2))], (1, 0))
    (record,) = table(records)
    assert (record.state, record.found_late, record.worst_level) == (State.NORMAL, True, Level.HH)
    assert list(desk.open) == []


def test_a_late_excursion_that_still_stands_waits_for_somebody(desk, records) -> None:
    desk.apply([revised(0, moved("normal", "H", 1))], (1, 0))
    assert (table(records)[0].state, table(records)[0].found_late) == (State.UNACKNOWLEDGED, True)


def test_a_void_excursion_is_revoked_not_deleted(desk, records) -> None:
    desk.apply([moved("normal", "H", 5)], (1, 0))
    alarm = desk.active(0).id
    desk.apply([revised(1)], (2, 0))
    (record,) = table(records)
    assert (record.id, record.revoked, record.state, record.closed_at) == (alarm, True, State.NORMAL, at(100))
    assert desk.active(0) is None
    assert [e[0] for e in life(records, alarm)] == ["revoke"], "the raise is superseded"


def test_a_revoked_record_is_revoked_once(desk, records) -> None:
    desk.apply([moved("normal", "H", 5)], (1, 0))
    alarm = desk.active(0).id
    desk.apply([revised(1, arrived=100)], (2, 0))
    told = desk.apply([revised(1, arrived=200)], (3, 0))
    assert [e[0] for e in life(records, alarm)] == ["revoke"]
    assert table(records)[0].closed_at == at(100)
    assert told == [], "nothing changed, nobody is told"


def test_a_revoked_record_stays_revoked_when_later_data_is_amended(desk, records) -> None:
    desk.apply([moved("normal", "H", 5)], (1, 0))
    desk.apply([revised(1)], (2, 0))
    told = desk.apply([revised(10, moved("normal", "L", 12))], (3, 0))
    assert [(r.event_time, r.revoked) for r in table(records)] == [(at(5), True), (at(12), False)]
    assert [r.event_time for r in told] == [at(12)]
    assert [r.event_time for r in desk.open] == [at(12)], "a revoked alarm does not ring again"


def test_a_revoked_excursion_may_come_back_with_its_id(desk, records) -> None:
    desk.apply([moved("normal", "H", 5)], (1, 0))
    alarm = desk.active(0).id
    desk.apply([revised(1)], (2, 0))
    desk.apply([revised(1, moved("normal", "H", 5))], (3, 0))
    (record,) = table(records)
    assert (record.id, record.revoked, record.state, record.closed_at) == (alarm, False, State.UNACKNOWLEDGED, None)
    assert desk.active(0).id == alarm


def test_a_redrawn_excursion_keeps_its_id_and_its_acknowledgement(desk, records) -> None:
    desk.apply([moved("normal", "H", 5, arrived=6)], (1, 0))
    alarm = desk.active(0).id
    Commands(desk).acknowledge([alarm], "张三", "看过", at(8))
    desk.apply([revised(1, moved("normal", "H", 5, arrived=100), moved("H", "normal", 7, arrived=100))], (2, 0))
    (record,) = table(records)
    assert (record.id, record.acknowledged_by, record.note) == (alarm, "张三", "看过")
    assert (record.state, record.returned_at, record.arrived_at) == (State.NORMAL, at(7), at(6))
    assert record.closed_at is not None, "what is closed says since when"
    assert not record.found_late


def test_what_late_data_only_repeats_is_not_late(desk, records) -> None:
    desk.apply([moved("normal", "H", 5), moved("H", "HH", 6)], (1, 0))
    desk.apply([revised(1, moved("normal", "H", 5), moved("H", "HH", 6), moved("HH", "normal", 7))], (2, 0))
    (record,) = table(records)
    with reading(records) as session:
        lines = session.scalars(select(AlarmEvent).where(AlarmEvent.superseded.is_(False)).order_by(AlarmEvent.id))
        assert [(e.cause, e.found_late) for e in lines] == [("raise", False), ("escalate", False), ("return", True)]
    assert (record.found_late, record.state) == (False, State.RETURNED)


def test_a_revision_in_the_middle_of_an_excursion_rewinds_it(desk, records) -> None:
    """At 1 s 高, at 5 s 高高; late data shows that at 4 s it was over and at 6 s 高 again."""
    desk.apply([moved("normal", "H", 1), moved("H", "HH", 5)], (1, 0))
    desk.apply([revised(1, moved("H", "normal", 4), moved("normal", "H", 6))], (2, 0))
    first, second = table(records)
    assert (first.event_time, first.worst_level, first.returned_at, first.state) == (
        at(1), Level.H, at(4), State.RETURNED,
    )  # fmt: skip
    assert (first.value, first.limit) == (8.2, 8.0)
    assert (second.event_time, second.state, second.found_late) == (at(6), State.UNACKNOWLEDGED, True)


def test_rewinding_to_an_eased_moment_keeps_the_value_of_the_annunciation(desk, records) -> None:
    desk.apply([moved("normal", "HH", 1), moved("HH", "H", 3), moved("H", "normal", 6)], (1, 0))
    desk.apply([revised(3, moved("H", "normal", 5))], (2, 0))
    (record,) = table(records)
    assert (record.value, record.limit, record.worst_level, record.returned_at) == (9.3, 9.0, Level.HH, at(5))


def test_rewinding_after_a_change_of_side_keeps_the_later_of_two_equal_levels(desk, records) -> None:
    desk.apply([moved("normal", "HH", 1), moved("HH", "LL", 3), moved("LL", "normal", 6)], (1, 0))
    desk.apply([revised(3, moved("LL", "normal", 5))], (2, 0))
    assert table(records)[0].worst_level is Level.LL


@pytest.mark.parametrize("from_the_start", [False, True])
def test_late_data_never_acknowledges_for_a_person(desk, records, from_the_start) -> None:
    """高 at 1 s, seen at 2 s, 高高 at 3 s rings again: late data about 5 s must not take the bell away."""
    desk.apply([moved("normal", "H", 1)], (1, 0))
    Commands(desk).acknowledge([desk.active(0).id], "张", "", at(2))
    desk.apply([moved("H", "HH", 3)], (2, 0))
    assert desk.active(0).state is State.UNACKNOWLEDGED
    again = [moved("normal", "H", 1), moved("H", "HH", 3)] if from_the_start else []
    desk.apply([revised(0 if from_the_start else 3, *again, moved("HH", "H", 5))], (3, 0))
    assert table(records)[0].state is State.UNACKNOWLEDGED
    assert table(records)[0].level is Level.H


def test_an_acknowledgement_after_the_escalation_holds_when_late_data_comes(desk, records) -> None:
    desk.apply([moved("normal", "H", 1), moved("H", "HH", 3)], (1, 0))
    Commands(desk).acknowledge([desk.active(0).id], "张", "", at(4))
    desk.apply([revised(3, moved("HH", "H", 5))], (2, 0))
    assert table(records)[0].state is State.ACKNOWLEDGED


def test_only_the_point_of_the_revision_is_amended(desk, records) -> None:
    desk.apply([moved("normal", "H", 5), moved("normal", "H", 5, point=1)], (1, 0))
    desk.apply([revised(1)], (2, 0))
    assert [(r.point, r.revoked) for r in table(records)] == [(0, True), (1, False)]
    assert desk.active(1) is not None


def test_calm_before(desk) -> None:
    """Excursions 10–20 s and 20–30 s touch; the one at 50 s stands."""
    desk.apply(
        [
            moved("normal", "H", 10), moved("H", "normal", 20), moved("normal", "H", 20), moved("H", "normal", 30),
            moved("normal", "L", 50),
        ],
        (1, 0),
    )  # fmt: skip
    wanted = {5: 5, 10: 10, 15: 10, 25: 10, 30: 10, 31: 31, 45: 45, 60: 50}
    assert {s: (desk.calm_before(0, at(s)) - at(0)) / 1000 for s in wanted} == wanted
    assert desk.calm_before(1, at(15)) == at(15), "another point's excursions do not count"
    desk.apply([revised(40)], (2, 0))
    assert desk.calm_before(0, at(60)) == at(60), "what was revoked never stood"


def test_ids_do_not_depend_on_the_database(desk, records) -> None:
    desk.apply([moved("normal", "H", 1)], (1, 0))
    assert desk.active(0).id == "2466e58a-06a3-524a-ad4e-13f7cd8835e5"
    with reading(records) as session:
        assert session.get(Alarm, desk.active(0).id).path == facts(0).path
