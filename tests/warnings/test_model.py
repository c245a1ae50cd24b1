"""The rules of merging, mirroring and clearing, and the laws they obey."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import settings as patience
from hypothesis import strategies as st
from tests.warnings.support import JIA, PARK, STORE, TANKS, UNIT, book, grade, told

from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import Tier
from hazwatch.warnings.model import FLOOR, leading
from hazwatch.warnings.rules import DEFAULT, RulesError, parse


def test_a_colour_raises_rises_falls_and_clears() -> None:
    b = book()
    assert told(
        b, grade(1, TANKS, "yellow"), grade(2, TANKS, "yellow", 1), grade(3, TANKS, "red", 2),
        grade(4, TANKS, "orange", 40), grade(5, TANKS, "none", 80),
    ) == [
        f"raised {TANKS} yellow", f"upgraded {TANKS} red", f"downgraded {TANKS} orange", f"cleared {TANKS} orange",
    ]  # fmt: skip
    assert b.warnings[TANKS].worst is Colour.RED


def test_what_is_inherent_is_no_warning_and_a_deviation_on_top_of_it_is() -> None:
    b = book()
    assert told(b, grade(1, TANKS, "blue", bare="blue")) == []
    assert told(b, grade(2, TANKS, "yellow", 1, bare="blue")) == [f"raised {TANKS} yellow"]
    assert told(b, grade(3, TANKS, "blue", 60, bare="blue")) == [f"cleared {TANKS} yellow"]


def test_another_cause_is_appended_while_it_stands_and_the_same_cause_opens_it_again_within_the_window() -> None:
    b = book(window_min=30)
    assert told(b, grade(1, TANKS, "yellow", cause="T"), grade(2, TANKS, "yellow", 1, cause="A")) == [
        f"raised {TANKS} yellow", f"merged {TANKS} yellow",
    ]  # fmt: skip
    assert told(b, grade(3, TANKS, "yellow", 2, cause="T")) == [], "a cause it has says nothing new"
    assert told(b, grade(4, TANKS, "none", 10), grade(5, TANKS, "orange", 39, cause="A")) == [
        f"cleared {TANKS} yellow", f"reopened {TANKS} orange",
    ]  # fmt: skip
    first = b.warnings[TANKS].id
    told(b, grade(6, TANKS, "none", 50))
    assert told(b, grade(7, TANKS, "orange", 55, cause="I")) == [f"raised {TANKS} orange"], "a cause it never had"
    assert b.warnings[TANKS].id != first
    told(b, grade(8, TANKS, "none", 60))
    assert told(b, grade(9, TANKS, "orange", 91, cause="I")) == [f"raised {TANKS} orange"], "after the window"


@pytest.mark.parametrize("colour", ["none", "blue", "yellow"])
def test_a_grade_that_is_not_sure_raises_but_never_lowers_or_clears(colour) -> None:
    b = book()
    assert told(b, grade(1, TANKS, "orange", sure=False)) == [f"raised {TANKS} orange"]
    assert told(b, grade(2, TANKS, colour, 60, sure=False)) == []
    assert b.warnings[TANKS].cleared_at is None
    assert told(b, grade(3, TANKS, "red", 61, sure=False)) == [f"upgraded {TANKS} red"]


def test_an_enterprise_that_mirrors_its_one_worst_source_has_no_warning_of_its_own() -> None:
    b = book()
    assert told(b, grade(1, TANKS, "orange"), grade(2, "410902001", "orange", worst="orange")) == [
        f"raised {TANKS} orange"
    ]
    assert told(b, grade(3, UNIT, "orange", 1), grade(4, "410902001", "red", 1, worst="orange")) == [
        f"raised {UNIT} orange", "raised 410902001 red",
    ], "two together are worse than either"  # fmt: skip
    assert told(b, grade(5, "410902001", "orange", 40, worst="orange")) == ["downgraded 410902001 orange"]


def test_an_enterprise_is_not_cleared_by_sources_that_are_only_half_scored() -> None:
    b = book()
    told(b, grade(1, "410902001", "red", worst="orange"))
    list(b.take(grade(2, TANKS, "none", 30, sure=False), reduced=True))
    assert told(b, grade(3, "410902001", "none", 31)) == []
    assert told(b, grade(4, TANKS, "none", 60), grade(5, "410902001", "none", 61)) == ["cleared 410902001 red"]


def test_a_park_is_warned_of_when_a_second_enterprise_joins_even_when_its_own_grade_was_written_before() -> None:
    b = book()
    assert told(b, grade(1, TANKS, "red"), grade(2, "P4109001", "red", worst="red")) == [f"raised {TANKS} red"]
    assert told(b, grade(3, STORE, "red", 1)) == [f"raised {STORE} red", "raised P4109001 red"]
    b = book()
    told(b, grade(1, TANKS, "red"), grade(2, UNIT, "red"))
    assert told(b, grade(3, "P4109001", "red", 1, worst="red")) == [], "two sources are still one enterprise"


def test_the_leading_cause_is_a_direct_rule_that_gives_the_colour_else_the_term_that_adds_most() -> None:
    terms = [{"id": "B", "contribution": 30.0}, {"id": "T", "contribution": 8.0}, {"id": "A", "contribution": 12.0}]
    assert leading(terms, Colour.NONE, Colour.YELLOW) == "A"
    assert leading(terms, Colour.ORANGE, Colour.ORANGE) == FLOOR
    assert leading(terms, Colour.YELLOW, Colour.ORANGE) == "A"
    assert leading(terms[:1], Colour.NONE, Colour.BLUE) == ""


_COLOURS = [c.word for c in Colour]
_GRADES = st.lists(
    st.tuples(
        st.sampled_from([TANKS, UNIT, STORE]), st.sampled_from(_COLOURS), st.integers(0, 60),
        st.sampled_from("ATI"), st.booleans(), st.sampled_from(["none", "blue"]),
    ),
    max_size=40,
)  # fmt: skip


def _life(rows) -> list:
    now, out = 0, []
    for number, (code, colour, later, cause, sure, bare) in enumerate(rows, 1):
        now += later
        out.append(grade(number, code, colour, now, cause=cause, sure=sure, bare=bare))
    return out


@given(_GRADES)
@patience(max_examples=150)
def test_a_colour_worse_than_what_is_inherent_always_stands_as_a_warning_at_least_as_bad(rows) -> None:
    b = book()
    for change in _life(rows):
        list(b.take(change))
        if change.warned is not Colour.NONE:
            assert b.warnings[change.object].cleared_at is None
            assert b.warnings[change.object].colour >= change.warned, "never masked"
        if not change.sure and change.object in b.warnings and b.warnings[change.object].cleared_at is not None:
            assert b.warnings[change.object].cleared_at < change.at or change.warned is Colour.NONE


@given(_GRADES, st.lists(st.integers(0, 40), max_size=5))
@patience(max_examples=150)
def test_one_standing_warning_an_object_and_a_restart_anywhere_gives_the_same(rows, stops) -> None:
    whole, parted = book(), book()
    said, again = [], []
    for n, change in enumerate(_life(rows)):
        said += told(whole, change)
        if n in stops:
            fresh = book()
            fresh.recall(list(parted.warnings.values()), [], {})
            parted = fresh
        again += told(parted, change)
    assert again == said


@given(_GRADES, st.randoms(use_true_random=False))
@patience(max_examples=150)
def test_grades_of_different_sources_may_change_places(rows, random) -> None:
    changes = _life(rows)
    queues = defaultdict(list)
    for change in changes:
        queues[change.object].append(change)
    mixed = []
    while left := [q for q in queues.values() if q]:
        mixed.append(random.choice(left).pop(0))

    def of_each(order):
        found = defaultdict(list)
        for line in told(book(), *order):
            found[line.split()[1]].append(line)
        return found

    assert of_each(mixed) == of_each(changes)


def test_the_table_is_that_of_the_guidance_and_a_region_may_differ() -> None:
    assert DEFAULT.recipients(JIA, Colour.RED).act == frozenset(t for t in Tier if t <= Tier.PROVINCE)
    assert DEFAULT.recipients(JIA, Colour.ORANGE).inform == {Tier.PROVINCE}
    assert DEFAULT.recipients(JIA, Colour.YELLOW).act == {Tier.ENTERPRISE, Tier.PARK, Tier.COUNTY}
    assert DEFAULT.recipients(JIA, Colour.BLUE).form() == {"act": ["enterprise"], "inform": ["park", "county"]}
    other = parse({"regions": {"410900": {"blue": {"act": ["enterprise", "park"]}}}, "key_regions": ["410900"]})
    assert other.recipients(JIA, Colour.BLUE).act == {Tier.ENTERPRISE, Tier.PARK}
    assert other.recipients(JIA, Colour.RED) == DEFAULT.recipients(JIA, Colour.RED)
    assert other.recipients("/410000/410500/410502001/", Colour.BLUE) == DEFAULT.recipients(PARK, Colour.BLUE)
    assert parse(other.form()).digest() == other.digest() != DEFAULT.digest()


def test_wrong_rules_are_told_field_by_field() -> None:
    with pytest.raises(RulesError) as error:
        parse({
            "merge_min": -1, "what": 1, "table": {"pink": {"act": ["park"]}, "red": {"act": []}},
            "regions": {"41": {"red": {"act": ["moon"]}}}, "key_regions": "all",
        })  # fmt: skip
    assert set(error.value.wrong) == {
        "merge_min", "what", "table.pink", "table.red", "regions.41.red", "key_regions",
    }  # fmt: skip
