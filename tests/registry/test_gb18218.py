"""GB 18218-2018: the tables beside the shared ones, the printed cases, every boundary, and what is refused."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hazwatch.cli import app
from hazwatch.registry.gb18218 import form, model, reading, standard
from hazwatch.registry.gb18218.model import BetaChoice, Entry, exact, grade
from hazwatch.registry.gb18218.reading import UnitError

SHARED = Path(__file__).parents[3] / "shared" / "domain"


def shared(name: str) -> list[dict[str, str]]:
    path = SHARED / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"no shared facts beside the checkout: {path.name}")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def unit(*substances: dict, people: int = 0, beta: BetaChoice = BetaChoice.CLASS_OF_Q) -> dict:
    data = {"population_500m": people, "substances": list(substances)}
    read = reading.read(json.dumps(data).encode())
    return json.loads(form.written(grade(read.entries, read.population, beta)))


def flaws(content: str | bytes) -> dict[str, str]:
    with pytest.raises(UnitError) as refused:
        reading.read(content.encode() if isinstance(content, str) else content)
    return {flaw.field: flaw.message for flaw in refused.value.flaws}


def flaws_of(*substances: dict) -> tuple[reading.Flaw, ...]:
    with pytest.raises(UnitError) as refused:
        unit(*substances)
    return refused.value.flaws


# --- the tables ------------------------------------------------------------------------------------------------------


def test_table_1_is_that_of_the_standard() -> None:
    rows = shared("gb18218_table1")
    assert len(rows) == len(standard.table1()) == 85
    for told, row in zip(rows, standard.table1(), strict=True):
        assert (row.no, row.name, row.name_en) == (int(told["no"]), told["name_zh"], told["name_en"])
        assert (";".join(row.aliases), ";".join(row.cas)) == (told["aliases"], told["cas"])
        assert row.critical == Fraction(told["critical_quantity_t"])


def test_tables_2_and_4_are_those_of_the_standard() -> None:
    rows, betas = shared("gb18218_table2"), shared("gb18218_beta")
    beta = {row["key"]: Fraction(row["beta"]) for row in betas if row["source_table"] == "4"}
    assert len(rows) == len(standard.table2()) == len(beta) == 24
    for row in rows:
        found = standard.table2()[row["category_code"]]
        assert (found.hazard, found.description) == (row["hazard_class_zh"], row["description_zh"])
        assert (found.critical, found.beta) == (Fraction(row["critical_quantity_t"]), beta[row["category_code"]])


def test_tables_3_5_and_6_are_those_of_the_standard() -> None:
    betas = [row for row in shared("gb18218_beta") if row["source_table"] == "3"]
    assert {row["cas"]: (row["name_zh"], Fraction(row["beta"])) for row in betas} == dict(standard.table3())
    alphas = [(Fraction(row["population_min"]), Fraction(row["alpha"])) for row in shared("gb18218_alpha")]
    assert alphas == [(step.least, step.value) for step in standard.table5()]
    levels = [(Fraction(r["r_min_inclusive"]), r["name_zh"], Fraction(r["level"])) for r in shared("gb18218_levels")]
    assert levels == [(step.least, step.name, step.value) for step in standard.table6()]


def test_beta_of_every_row_of_table_1_as_suggested() -> None:
    for hint in shared("gb18218_table1_beta_hint"):
        row = standard.table1()[int(hint["no"]) - 1]
        outcome = grade([Entry(row.name, row, (), row.critical)], 0)
        assert outcome.terms[0].beta == Fraction(hint["beta_hint"]), row.name
        assert bool(outcome.terms[0].note) == (hint["beta_table"] == "4" and hint["confidence"] != "H")


@pytest.mark.parametrize("row", standard.table1(), ids=lambda row: str(row.no))
def test_every_row_is_found_by_its_full_name_and_reaches_one_at_q(row) -> None:
    found = unit({"name": row.name, "q_t": float(row.critical)})
    assert (found["S"], found["is_major_hazard"]) == (1, True)
    assert f"表1 序号{row.no};" in found["terms"][0]["clause"]


# --- printed cases and boundaries ------------------------------------------------------------------------------------


def test_the_printed_cases() -> None:
    dioxide = unit({"name": "二氧化硫", "q_t": 200}, people=60)
    assert dioxide == {
        "S": 10, "is_major_hazard": True, "R": 30, "level": "三级",
        "terms": [{"name": "二氧化硫", "Q_t": 20, "beta": 2, "ratio": 10, "clause": "4.1.2 a) 表1 序号4;β 表3"}],
    }  # fmt: skip
    gas = unit({"name": "煤气", "q_t": 150}, people=20)
    assert (gas["R"], gas["level"], gas["terms"][0]["beta"]) == (15, "三级", 2)
    for told in ({"name": "一氧化碳"}, {"cas": "630-08-0"}, {"name": "煤气", "cas": "630-08-0"}):
        assert unit({"q_t": 150, **told}, people=20)["R"] == 15


@pytest.mark.parametrize(
    ("people", "alpha"),
    [(0, 0.5), (1, 1), (29, 1), (30, 1.2), (49, 1.2), (50, 1.5), (99, 1.5), (100, 2), (10_000, 2)],
)
def test_alpha_at_every_boundary(people, alpha) -> None:
    assert unit({"name": "甲醇", "q_t": 500}, people=people)["R"] == alpha


@pytest.mark.parametrize(
    ("tonnes", "level"),
    [(500, "四级"), (4999.9, "四级"), (5000, "三级"), (24_999.9, "三级"), (25_000, "二级"), (49_999.9, "二级"),
     (50_000, "一级")],
)  # fmt: skip
def test_level_at_every_boundary(tonnes, level) -> None:
    assert unit({"name": "甲醇", "q_t": tonnes}, people=1)["level"] == level


def test_below_one_there_is_nothing_to_grade() -> None:
    found = unit({"name": "甲醇", "q_t": 499.999999999}, people=100)
    assert (found["is_major_hazard"], found["R"], found["level"]) == (False, None, None)
    assert found["S"] < 1


def test_sums_that_floats_miss_are_exactly_one() -> None:
    tenths = [{"name": name, "q_t": q} for name, q in (("氨", 1), ("氯", 0.5), ("氟", 0.1), ("苯", 5), ("甲苯", 50),
              ("甲醇", 50), ("乙醇", 50), ("丙酮", 50), ("苯乙烯", 50), ("乙醚", 1))]  # fmt: skip
    assert unit(*tenths)["S"] == 1
    thirds = [{"name": "三氧化硫", "q_t": 25}, {"name": "光气", "q_t": 0.1}, {"name": "异氰酸甲酯", "q_t": 0.25}]
    assert unit(*thirds)["is_major_hazard"] is True


@given(st.lists(st.fractions(0, 3, max_denominator=300), min_size=1, max_size=5))
def test_s_is_the_sum_and_the_test_is_inclusive(shares) -> None:
    rows = [standard.table1()[no] for no in range(56, 56 + len(shares))]
    outcome = grade([Entry(r.name, r, (), q * r.critical) for r, q in zip(rows, shares, strict=True)], 1)
    assert outcome.s == sum(shares)
    assert outcome.is_major == (sum(shares) >= 1) == (outcome.r is not None)


@given(st.fractions(0, 200, max_denominator=10**30))
def test_a_number_that_is_written_stays_on_its_side_of_a_bound(value) -> None:
    shown = exact(value)
    for bound in (0, 1, 10, 50, 100):
        assert (shown < bound, shown > bound) == (value < bound, value > bound)


# --- rules of Tables 2 to 4 ------------------------------------------------------------------------------------------


def test_several_hazards_take_the_lowest_q_and_the_beta_of_that_class() -> None:
    def term(category, beta=BetaChoice.CLASS_OF_Q) -> tuple[float, float]:
        found = unit({"name": "某物质", "category": category, "q_t": 10}, beta=beta)["terms"][0]
        return found["Q_t"], found["beta"]

    assert term("J1;W2") == (5, 4)
    assert term("W5.4、J5、J3") == (50, 2)
    assert term(["W8", "W2"]) == (10, 1.5)
    assert term("W1.3|W4") == (50, 2), "of two classes with the same Q the larger β"
    assert term("W9.1, W2") == (10, 1.5)
    assert [term("W6.1;J1;W2", beta) for beta in BetaChoice] == [(5, 4), (5, 4)]
    assert [term("W7.1, W1.3", beta) for beta in BetaChoice] == [(10, 1.5), (10, 2)]


def test_above_its_boiling_point_a_flammable_liquid_is_w5_1() -> None:
    assert unit({"name": "苯", "q_t": 50})["terms"][0]["beta"] == 1
    hot = unit({"name": "苯", "q_t": 50, "above_boiling_point": True})["terms"][0]
    assert (hot["Q_t"], hot["beta"], hot["clause"]) == (50, 1.5, "4.1.2 a) 表1 序号57;β 表4 W5.1")
    xylene = unit({"name": "二甲苯", "category": "W5.4", "q_t": 10, "above_boiling_point": True})["terms"][0]
    assert (xylene["Q_t"], xylene["beta"]) == (10, 1.5)
    assert unit({"name": "氨", "q_t": 10, "above_boiling_point": True})["terms"][0]["beta"] == 2


def test_one_substance_under_two_conditions_is_two_terms() -> None:
    found = unit({"name": "苯", "q_t": 25}, {"name": "苯", "q_t": 25, "above_boiling_point": True}, people=1)
    assert (found["S"], found["R"]) == (1, 1.25)


def test_a_form_tells_rows_of_one_cas_apart() -> None:
    def q(**entry) -> float:
        return unit({"q_t": 1, **entry})["terms"][0]["Q_t"]

    assert q(cas="9004-70-0", form="含乙醇>=25%") == 10
    assert q(name="硝化棉", form="[干的或含水(或乙醇)<25%]") == 1
    assert q(name="硝化棉", form="含水≥25%") == 50
    assert q(name="硝酸铵", form="含可燃物 > 0.2%") == 5
    assert q(name="硝酸铵(含可燃物≤0.2%)") == 50
    assert q(name="硝酸铵肥料", form="含可燃物≤0.4%") == 200
    assert q(cas="50-00-0", form="其他", category="J5") == 500
    assert q(name="氯化氢") == q(cas="7647-01-0", form="无水") == 20
    assert q(name="液氧") == q(name="氧", form="液化的") == 200
    assert q(name="丙烷") == q(cas="106-97-8") == 50


@pytest.mark.parametrize(
    ("entry", "field", "least"),
    [
        ({"name": "硝化纤维素"}, "form", 7),
        ({"cas": "9004-70-0"}, "form", 7),
        ({"name": "硝酸铵"}, "form", 3),
        ({"name": "硝酸铵", "form": "工业级"}, "form", 3),
        ({"name": "硝化棉", "form": "含乙醇"}, "form", 7),
        ({"name": "甲醛"}, "form", 2),
        ({"cas": "7647-01-0"}, "form", 2),
        ({"name": "氯化氢", "form": "水溶液"}, "form", 2),
        ({"name": "硝酸"}, "form", 2),
        ({"name": "易燃液体"}, "category", 4),
        ({"name": "爆炸物"}, "category", 3),
        ({"name": "二氧化流"}, "name", 1),
        ({"name": "三乙基铝"}, "name", 1),
        ({"name": "苯", "cas": "67-56-1"}, "cas", 2),
        ({"cas": "67-56-2"}, "cas", 0),
        ({"cas": "57-55-6"}, "cas", 0),
        ({"name": "二甲苯", "category": "W5"}, "category", 24),
        ({"name": "某物质", "category": "易燃液体"}, "category", 4),
        ({"name": "甲醛", "form": "其他"}, "category", 24),
    ],
)
def test_what_is_not_certain_is_refused_with_candidates(entry, field, least) -> None:
    found = flaws_of({"q_t": 1, **entry})
    assert [flaw.field for flaw in found] == [f"substances[0].{field}"]
    assert len(found[0].candidates) >= least


def test_a_name_much_like_one_of_table_1_is_told_where_table_2_decides() -> None:
    def note(name: str, **more) -> str:
        data = {"population_500m": 0, "substances": [{"name": name, "category": "W5.3", "q_t": 1, **more}]}
        read = reading.read(json.dumps(data).encode())
        return grade(read.entries, 0).terms[0].note

    assert "二氧化硫" in note("二氧化流")
    assert "1,2-环氧丙烷" in note("环氧丙烷")
    assert note("二甲苯异构体") == note("润滑油") == note("甲醛", form="其他") == ""
    assert "表1" not in note("甲醇")


def test_the_candidates_can_be_used_as_they_stand() -> None:
    for entry in ({"name": "硝化纤维素"}, {"name": "硝酸铵"}, {"name": "甲醛"}, {"cas": "9004-70-0"}):
        for candidate in flaws_of({"q_t": 1, **entry})[0].candidates[:-1]:
            told = json.loads("{" + candidate.fill + "}")
            no = candidate.text.split()[1]
            assert f"表1 {no};" in unit({"q_t": 1, **told})["terms"][0]["clause"]


def test_entries_that_are_the_same_are_refused_however_they_are_written() -> None:
    (flaw,) = flaws_of({"name": "氨", "q_t": 1}, {"cas": "7664-41-7", "q_t": 2})
    assert (flaw.field, "相加" in flaw.message) == ("substances[1]", True)
    assert unit({"name": "丙烷", "q_t": 25}, {"name": "丁烷", "q_t": 25})["S"] == 1


# --- hostile and careless input --------------------------------------------------------------------------------------

GOOD = '{"population_500m": 0, "substances": [{"name": "氨", "q_t": 1}]}'


def but(old: str, new: str) -> str:
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("", "文件"),
        ("{", "文件"),
        ("[]", "文件"),
        ("[" * 100_000, "文件"),
        (b"\xff\xfe{}", "文件"),
        ("{}", "substances"),
        (but(": 0", ": 1.5"), "population_500m"),
        (but(": 0", ": -1"), "population_500m"),
        (but(": 0", ': "3"'), "population_500m"),
        (but(": 0", ": true"), "population_500m"),
        (but(": 0", ": 1e400"), "population_500m"),
        (but('{"pop', '{"x": 1, "pop'), "x"),
        (but('{"pop', '{"substances": [], "pop'), "substances"),
        ('{"population_500m": 0, "substances": {}}', "substances"),
        ('{"population_500m": 0, "substances": []}', "substances"),
        (but('{"name": "氨", "q_t": 1}', "3"), "substances[0]"),
        (but("q_t", "qt"), "substances[0].qt"),
        (but(": 1}", ": -0.001}"), "substances[0].q_t"),
        (but(": 1}", ": NaN}"), "substances[0].q_t"),
        (but(": 1}", ": -Infinity}"), "substances[0].q_t"),
        (but(": 1}", ": 1e999999}"), "substances[0].q_t"),
        (but(": 1}", f": {'9' * 5000}}}"), "substances[0].q_t"),
        (but(": 1}", ': "1"}'), "substances[0].q_t"),
        (but(": 1}", ": true}"), "substances[0].q_t"),
        (but(": 1}", ": null}"), "substances[0].q_t"),
        (but(": 1}", ": 1e9}"), "substances[0].q_t"),
        (but('"q_t"', '"q_t": 2, "q_t"'), "q_t"),
        (but('"氨"', "7"), "substances[0].name"),
        (but('"氨"', '"氨", "above_boiling_point": "yes"'), "substances[0].above_boiling_point"),
        (but('"name": "氨", ', ""), "substances[0].name"),
        (but('"氨"', '"氨", "category": 3'), "substances[0].category"),
        (but("氨", "氨" * 1000), "substances[0].name"),
    ],
)
def test_what_is_wrong_is_named(content, field) -> None:
    assert field in flaws(content)


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = flaws('{"substances": [{"name": "氨", "q_t": -1, "x": 1}, {"name": "不存在", "q_t": "1"}]}')
    assert set(found) == {
        "population_500m",
        "substances[0].q_t",
        "substances[0].x",
        "substances[1].name",
        "substances[1].q_t",
    }


def test_the_command_prints_the_result_or_refuses(tmp_path) -> None:
    run = CliRunner()
    file = tmp_path / "unit.json"
    file.write_text(GOOD.replace('"氨", "q_t": 1', '"二氧化硫", "q_t": 200').replace(": 0,", ": 60,"), "utf-8-sig")
    told = run.invoke(app, ["identify", str(file)])
    assert (told.exit_code, json.loads(told.stdout)["R"], json.loads(told.stdout)["level"]) == (0, 30, "三级")
    file.write_text(GOOD.replace("氨", "硝化纤维素"), "utf-8")
    told = run.invoke(app, ["identify", str(file)])
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.count("候选") == 7
    assert run.invoke(app, ["identify", str(tmp_path / "missing.json")]).exit_code == 2
    assert run.invoke(app, ["identify", str(file), "--beta", "x"]).exit_code == 2


def test_the_package_has_a_source_for_every_row() -> None:
    assert all(
        row["source"] for name in ("table1", "table2", "table3", "table5", "table6") for row in standard._rows(name)
    )
    assert {model.BetaChoice.CLASS_OF_Q, model.BetaChoice.LARGEST} == set(BetaChoice)


def mixed(name: str, category, pure=None, **more) -> dict:
    """The one term of a unit that holds 10 t of a mixture."""
    mixture = {"category": category} | ({"pure_category": pure} if pure else {})
    return unit({"name": name, "q_t": 10, "mixture": mixture, **more})["terms"][0]


def test_a_mixture_of_the_class_of_its_substance_counts_whole_as_the_substance() -> None:
    same = mixed("甲醇", "W5.3", "W5.3")
    assert (same["Q_t"], same["ratio"], same["beta"]) == (500, 0.02, 1)
    assert "4.2.3 混合物与纯物质同类(W5.3)" in same["clause"]
    assert mixed("硫化氢", ["W2", "J3"], ["J3", "W2"])["beta"] == 5, "Table 3 names the pure substance"
    assert mixed("乙炔", "W2")["Q_t"] == 1, "one class that nobody doubts need not be stated"


def test_a_mixture_of_another_class_counts_by_its_new_class() -> None:
    weaker = mixed("甲醇", "W5.4", "W5.3")
    assert (weaker["Q_t"], "不同类,按新类别" in weaker["clause"]) == (5000, True)
    assert mixed("丙烯醛", ["W5.3", "J5"], ["J2", "W5.3"])["Q_t"] == 500, "of several the lowest Q"
    assert mixed("乙炔", "W11")["Q_t"] == 200
    assert mixed("某溶剂", "W5.4")["Q_t"] == 5000, "outside Table 1 the mixture's class decides either way"
    assert mixed("甲醇", "W5.3", "W5.2", above_boiling_point=True)["Q_t"] == 10


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"name": "甲醇", "mixture": {"category": "W5.4"}}, "mixture.pure_category"),
        ({"name": "硫化氢", "mixture": {"category": "W2"}}, "mixture.pure_category"),
        ({"name": "甲醇", "mixture": {"pure_category": "W5.3"}}, "mixture.category"),
        ({"name": "甲醇", "mixture": {"category": "X", "pure_category": "W5.3"}}, "mixture.category"),
        ({"name": "甲醇", "mixture": True}, "mixture"),
        ({"name": "甲醇", "mixture": {"category": "W5.4", "share": 1}}, "mixture.share"),
        ({"name": "甲醇", "category": "W5.3", "mixture": {"category": "W5.4", "pure_category": "W5.3"}}, "category"),
    ],
)
def test_a_mixture_that_is_not_certain_is_refused(entry: dict, field: str) -> None:
    found = flaws_of({"q_t": 1, **entry})
    assert [flaw.field for flaw in found] == [f"substances[0].{field}"]


def test_a_mixture_beside_its_pure_substance_is_a_line_of_its_own() -> None:
    mixture = {"name": "甲醇", "q_t": 250, "mixture": {"category": "W5.3", "pure_category": "W5.3"}}
    assert unit({"name": "甲醇", "q_t": 250}, mixture)["S"] == 1
    assert flaws_of(mixture, mixture)[0].field == "substances[1]"
