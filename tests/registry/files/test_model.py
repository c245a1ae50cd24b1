"""Values, completeness and meeting edits, as pure rules."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazwatch.registry.files.enterprise import ENTERPRISE, PROCESSES
from hazwatch.registry.files.merge import WHOLE, Op, Refused, clean, merge, needs_approval, put
from hazwatch.registry.files.model import NONE, REASON, BadValueError, Field, Kind, checked
from hazwatch.registry.files.park import PARK
from hazwatch.registry.files.score import score

TODAY = date(2026, 11, 25)
PERMIT = {
    "kind": "安全生产许可证",
    "number": "豫A1",
    "scope": "甲醇",
    "issuer": "省厅",
    "from": "2024-01-01",
    "to": "2027-01-01",
}


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (Kind.TEXT, "  甲醇 ", "甲醇"), (Kind.TEXT, 91410900.0, "91410900"), (Kind.NUMBER, "3.50", 3.5),
        (Kind.INTEGER, "12", 12), (Kind.DATE, "2026/3/1", "2026-03-01"), (Kind.YES_NO, "否", False),
        (Kind.CHOICE, "大型", "大型"), (Kind.PHONE, "0393-5550100", "0393-5550100"), (Kind.CAS, "67-56-1", "67-56-1"),
        (Kind.TEXT, "   ", None),
        (Kind.GEOMETRY, {"type": "Point", "coordinates": [115, 35]}, {"type": "Point", "coordinates": [115, 35]}),
    ],
)  # fmt: skip
def test_values_are_kept_in_one_form(kind, given, kept) -> None:
    assert checked(Field("f", "字段", kind, choices=("大型", "小型")), given) == kept


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Kind.TEXT, "a\u202eb"), (Kind.TEXT, "x" * 201), (Kind.TEXT, True), (Kind.NUMBER, "1e999"), (Kind.NUMBER, -1),
        (Kind.INTEGER, 1.5), (Kind.DATE, "2026-02-30"), (Kind.DATE, 20260101),
        (Kind.YES_NO, "也许"), (Kind.CHOICE, "巨型"),
        (Kind.PHONE, "call me"), (Kind.CAS, "67-56-2"), (Kind.GEOMETRY, "POINT(1 2)"),
        (Kind.GEOMETRY, {"type": "Polygon", "coordinates": [[[200, 35], [1, 2], [3, 4]]]}),
        (Kind.GEOMETRY, {"type": "Point", "coordinates": [float("nan"), 35]}),
    ],
)  # fmt: skip
def test_values_that_no_field_can_hold(kind, given) -> None:
    with pytest.raises(BadValueError):
        checked(Field("f", "字段", kind, choices=("大型", "小型"), low=0), given)


def test_the_declarations_hold_together() -> None:
    assert len(PROCESSES) == 18
    for schema in (ENTERPRISE, PARK):
        keys = [group.key for group in schema.groups]
        assert len(keys) == len(set(keys))
        for group in schema.groups:
            names = [field.key for field in group.fields]
            assert len(names) == len(set(names)), group.key
            assert all(field.choices for field in group.fields if field.kind is Kind.CHOICE), group.key
            assert group.table or not any(field.column for field in group.fields), group.key
    wanted = {"permits", "chemicals", "processes", "sources", "equipment", "cameras", "plan", "materials", "staff",
              "insurance", "accidents", "penalties", "inspections", "surroundings"}  # fmt: skip
    assert wanted <= {group.key for group in ENTERPRISE.groups}
    chiefs = {"chief", "technical", "operations"}
    assert chiefs <= {field.key for field in ENTERPRISE.group("sources").fields if field.must}


def test_an_empty_file_scores_nothing_and_says_who_must_fill_it_in() -> None:
    found = score(ENTERPRISE, {}, (), TODAY)
    assert found.percent == 0
    assert sum(gap.points for gap in found.gaps) == pytest.approx(100, abs=0.1)
    assert {gap.filler for gap in found.gaps} == {"企业", "应急管理部门"}
    assert {gap.row for gap in found.gaps if gap.group == "documents"} >= {"plot_plan", "pid"}


def test_a_list_that_is_declared_empty_is_complete_where_that_may_be() -> None:
    none = {NONE: {REASON: "无重点监管工艺"}}
    assert score(ENTERPRISE, {"processes": none}, (), TODAY).groups["processes"] == 100
    assert score(ENTERPRISE, {"permits": none}, (), TODAY).groups["permits"] == 0


def test_what_has_expired_counts_as_missing_and_what_ends_soon_is_shown() -> None:
    def permits(to: str):
        found = score(ENTERPRISE, {"permits": {"a": PERMIT | {"to": to}}}, (), TODAY)
        return found.groups["permits"], [one.days for one in found.endings if one.group == "permits"]

    assert permits("2027-12-31") == (100, [])
    assert permits("2026-11-25") == (100, [0])
    assert permits("2027-02-23") == (100, [90])
    share, days = permits("2026-11-24")
    assert (share < 100, days) == (True, [-1])
    assert score(ENTERPRISE, {"permits": {"a": PERMIT}}, (), TODAY).next_end == date(2027, 1, 1)


def test_many_rows_weigh_no_more_than_one() -> None:
    rows = {str(n): PERMIT for n in range(20)}
    one = score(ENTERPRISE, {"permits": {"a": PERMIT}}, (), TODAY).percent
    assert score(ENTERPRISE, {"permits": rows}, (), TODAY).percent == one
    assert score(ENTERPRISE, {"permits": rows | {"bad": {"number": "x"}}}, (), TODAY).percent < one


def test_edits_of_different_fields_both_win_and_of_the_same_field_meet() -> None:
    content = {"identity": {"": {"head": "甲", "shifts": "三班"}}}
    mine = Op("identity", "", "head", "甲", "乙")
    merged = merge(content, [mine])
    assert merged.apply == (mine,)
    changed = {"identity": {"": {"head": "丙", "shifts": "四班"}}}
    assert merge(changed, [Op("identity", "", "head", "丙", "乙"), mine]).conflicts == ()
    met = merge(changed, [mine])
    assert (met.apply, [(one.op, one.now) for one in met.conflicts]) == ((), [(mine, "丙")])
    assert merge({"identity": {"": {"head": "乙"}}}, [mine]) == merge({}, [])


def test_a_field_of_a_row_that_is_gone_is_a_conflict() -> None:
    op = Op("permits", "a", "issuer", "省厅", "市局")
    assert [one.now for one in merge({"permits": {}}, [op]).conflicts] == [None]
    away = Op("permits", "a", WHOLE, PERMIT, None)
    assert merge({"permits": {"a": PERMIT | {"issuer": "市局"}}}, [away]).conflicts[0].now["issuer"] == "市局"


@pytest.mark.parametrize(
    "op",
    [
        Op("nowhere", "", "x", None, 1), Op("identity", "", "nothing", None, 1), Op("identity", "a", "head", None, "x"),
        Op("permits", "../a", "number", None, "x"), Op("permits", NONE, REASON, None, "无"),
        Op("identity", "", WHOLE, None, {"head": "x"}), Op("sources", "410902001009", WHOLE, None, {"chief": "x"}),
        Op("permits", "a", WHOLE, None, {}), Op("permits", "a", WHOLE, None, {"kind": "营业执照"}),
    ],
)  # fmt: skip
def test_edits_that_no_file_allows(op) -> None:
    with pytest.raises(Refused):
        clean(ENTERPRISE, op)


def test_which_edits_wait_for_a_second_person() -> None:
    assert needs_approval(ENTERPRISE, Op("permits", "a", "to", None, "2027-01-01"))
    assert needs_approval(ENTERPRISE, Op("permits", "a", WHOLE, None, PERMIT))
    assert not needs_approval(ENTERPRISE, Op("permits", "a", "issuer", None, "x"))
    assert not needs_approval(ENTERPRISE, Op("processes", NONE, REASON, None, "无"))


FIELDS = st.sampled_from(["head", "shifts", "industry"])
WORDS = st.sampled_from(["甲", "乙", None])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(FIELDS, WORDS.filter(bool)), st.lists(st.tuples(FIELDS, WORDS), max_size=8))
def test_taking_edits_back_gives_what_was(start, wanted) -> None:
    content = {"identity": {"": dict(start)}} if start else {"identity": {}}
    now = {key: {row: dict(values) for row, values in rows.items()} for key, rows in content.items()}
    done = []
    for field, word in wanted:
        op = Op("identity", "", field, now["identity"].get("", {}).get(field), word)
        for one in merge(now, [op]).apply:
            put(now["identity"], one)
            done.append(one)
    for op in reversed(done):
        put(now["identity"], op, back=True)
    assert now == content
