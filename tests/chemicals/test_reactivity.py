"""May they meet: famous pairs, symmetry, and unknown is never compatible."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazwatch.chemicals import desk
from hazwatch.chemicals.book import book
from hazwatch.chemicals.desk import UnknownSubstanceError
from hazwatch.chemicals.reactivity import Matrix, Rule, Verdict

CAS = sorted(book().substances)
MATRIX = book().matrix


def meeting(a: str, b: str):
    first, second = (book().substances[cas] for cas in (a, b))
    return MATRIX.meet((a, first.groups), (b, second.groups))


@pytest.mark.parametrize(
    ("a", "b", "gas"),
    [
        ("硫酸", "硫化钠", "H2S"), ("盐酸", "硫氢化钠", "H2S"), ("醋酸", "氰化钠", "HCN"), ("硫酸", "氰化钾", "HCN"),
        ("盐酸", "次氯酸钠", "Cl2"), ("甲酸", "漂粉精", "Cl2"), ("硫酸", "氯酸钾", "ClO2"), ("盐酸", "高锰酸钾", "Cl2"),
        ("盐酸", "叠氮化钠", "HN3"), ("硝酸", "乙醇", "NO2"), ("盐酸", "亚硫酸钠", "SO2"), ("盐酸", "亚硝酸钠", "NO2"),
        ("水", "电石", "C2H2"), ("水", "金属钠", "H2"), ("水", "磷化铝", "PH3"), ("水", "三氯化磷", "HCl"),
        ("水", "四氯化钛", "HCl"), ("水", "TDI", "CO2"), ("水", "氢化钠", "H2"), ("氢氧化钠", "氯化铵", "NH3"),
        ("氢氧化钠", "铝粉", "H2"), ("氨", "次氯酸钠", "NH2Cl"), ("氯化铵", "次氯酸钠", "NCl3"), ("氨", "氯", "NCl3"),
        ("氢氧化钠", "丙酮氰醇", "HCN"), ("水", "光气", "HCl"), ("盐酸", "锌粉", "H2"),
    ],
)  # fmt: skip
def test_what_everybody_must_know(a, b, gas) -> None:
    for names in ([a, b], [b, a]):
        found = desk.meet(names)
        assert found["verdict"] == "incompatible", found
        assert gas in found["pairs"][0]["gases"]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("氯酸钾", "硫磺"), ("氯酸钠", "煤油"), ("高锰酸钾", "乙二醇"), ("液氧", "柴油"), ("双氧水", "丙酮"),
        ("氯", "乙炔"),
        ("氢", "氯"), ("过氧化甲乙酮", "苯乙烯"), ("环氧乙烷", "氨"), ("金属钠", "四氯化碳"), ("三乙基铝", "水"),
        ("叠氮化钠", "二氯甲烷"), ("硝酸银", "氨"), ("次氯酸钙", "三氯异氰尿酸"), ("肼", "过氧化氢"),
        ("苦味酸", "氢氧化钠"),
    ],
)  # fmt: skip
def test_pairs_that_burn_or_explode(a, b) -> None:
    assert desk.meet([a, b])["verdict"] == "incompatible"


def test_what_is_stored_together_on_purpose_is_compatible() -> None:
    for a, b in (
        ("煤油", "金属钠"),
        ("氢氧化钠", "次氯酸钠"),
        ("甲苯", "己烷"),
        ("氮", "甲醇"),
        ("氰化钠", "氢氧化钠"),
    ):
        assert desk.meet([a, b])["verdict"] == "compatible", (a, b)


@given(st.sampled_from(CAS), st.sampled_from(CAS))
@settings(max_examples=200)
def test_the_order_does_not_matter_and_the_worst_pair_decides(a, b) -> None:
    one, other = meeting(a, b), meeting(b, a)
    assert one.verdict == other.verdict
    assert set(one.gases) == set(other.gases)
    assert one.verdict == max((f.verdict for f in one.findings), default=Verdict.UNKNOWN)
    groups = product(book().substances[a].groups, book().substances[b].groups)
    if one.verdict is Verdict.COMPATIBLE:
        assert all(MATRIX.pair(*pair).verdict is Verdict.COMPATIBLE for pair in groups)


def test_what_nobody_judged_is_unknown_and_never_compatible() -> None:
    empty = Matrix([])
    assert empty.meet(("a", ("x",)), ("b", ("y",))).verdict is Verdict.UNKNOWN
    assert empty.meet(("a", ()), ("b", ("y",))).verdict is Verdict.UNKNOWN
    half = Matrix([Rule(("x",), ("y",), "compatible", (), (), "")])
    found = half.meet(("a", ("x", "z")), ("b", ("y",)))
    assert (found.verdict, found.unjudged) == (Verdict.UNKNOWN, True)
    worse = Matrix([Rule(("x",), ("y",), "incompatible", (), (), ""), Rule(("y",), ("x",), "compatible", (), (), "")])
    assert worse.pair("x", "y").verdict is Verdict.INCOMPATIBLE


def test_every_rule_names_groups_and_says_why_or_what() -> None:
    assert len(MATRIX) > 600
    for finding in MATRIX._pairs.values():
        assert {finding.a, finding.b} <= set(book().groups)
        if finding.verdict is Verdict.INCOMPATIBLE:
            assert finding.effects, (finding.a, finding.b)


def test_names_that_are_not_certain_are_refused() -> None:
    with pytest.raises(UnknownSubstanceError) as refused:
        desk.meet(["硫酸啊", "水"])
    assert refused.value.candidates
    with pytest.raises(ValueError, match="两种"):
        desk.meet(["液氨", "氨气"])
