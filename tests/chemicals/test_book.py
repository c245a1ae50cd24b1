"""The knowledge base: complete against the lists, honest about what it does not know, right about what it does."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hazwatch.chemicals import desk
from hazwatch.chemicals.book import book
from hazwatch.chemicals.model import FLAGS, PROPERTIES, NoVapourPressureError, hazard_words, vapour_pressure
from hazwatch.cli import app
from hazwatch.registry.model import check_cas

SHARED = Path(__file__).parents[3] / "shared" / "domain"
SUBSTANCES = list(book().substances.values())


def shared(name: str) -> list[dict[str, str]]:
    path = SHARED / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"no shared facts beside the checkout: {path.name}")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def codes(text: str) -> list[str]:
    return [code for code in text.split(";") if code]


def test_there_are_enough_substances_and_accidents() -> None:
    assert len(SUBSTANCES) >= 250
    assert len(book().accidents) >= 40


@pytest.mark.parametrize("name", ["gb18218_table1", "key_chemicals", "special_control_chemicals", "alarm_thresholds"])
def test_every_substance_of_the_lists_is_in(name) -> None:
    wanted = {code for row in shared(name) for code in codes(row["cas"])}
    assert len(wanted) >= 20
    assert wanted - set(book().substances) == set()


def test_flags_are_those_of_the_lists() -> None:
    def flagged(flag: str) -> set[str]:
        return {s.cas for s in SUBSTANCES if any(f.flag == flag for f in s.flags)}

    assert flagged("key_regulated") == {c for row in shared("key_chemicals") for c in codes(row["cas"])}
    assert flagged("special_control") == {row["cas"] for row in shared("special_control_chemicals")}


def test_exposure_limits_are_those_of_the_shared_table() -> None:
    columns = {"LEL": "lel_volpct", "UEL": "uel_volpct", "MAC": "mac_mgm3", "PC-TWA": "pc_twa_mgm3",
               "PC-STEL": "pc_stel_mgm3", "IDLH": "idlh_ppm"}  # fmt: skip
    seen = 0
    for row in shared("alarm_thresholds"):
        if row["detect_type"] == "oxygen":
            continue
        held = book().substances[row["cas"]].exposure
        for kind, column in columns.items():
            told = held[kind].value if kind in held else None
            assert told == (float(row[column]) if row[column] else None), (row["name_zh"], kind)
            seen += told is not None
    assert seen == 250


@pytest.mark.parametrize("substance", SUBSTANCES, ids=lambda s: s.cas)
def test_every_substance_is_in_order(substance) -> None:
    assert check_cas(substance.cas)
    assert substance.name
    assert substance.name_en
    assert all(len(un) == 4 and un.isdigit() for un in substance.un)
    assert set(substance.groups) <= set(book().groups)
    assert substance.groups
    assert set(substance.families) <= set(book().families)
    assert substance.families
    assert all(hazard_words(code) != code for code in substance.ghs)
    assert set(substance.properties) <= set(PROPERTIES)
    for facts in (*substance.properties.values(), tuple(substance.exposure.values())):
        assert all(fact.unit and fact.source for fact in facts)
    assert all(flag.flag in FLAGS and flag.source for flag in substance.flags)
    lel, uel = substance.property("lel"), substance.property("uel")
    assert lel is None or uel is None or 0 < lel.value < uel.value <= 100
    melting, boiling = substance.property("melting_point"), substance.property("boiling_point")
    assert not (melting and boiling) or melting.value <= boiling.value
    critical = substance.property("critical_temperature")
    assert not (boiling and critical) or boiling.value < critical.value


def test_nothing_is_told_of_what_decomposes_and_nothing_above_tc() -> None:
    for name in ("三硝基甲苯", "过氧化苯甲酰", "偶氮二异丁腈", "过氧化氢", "硝酸铵"):
        substance = desk.find(name)
        assert substance.property("boiling_point") is None
        with pytest.raises(NoVapourPressureError):
            vapour_pressure(substance, 20)
    methane = desk.find("甲烷")
    with pytest.raises(NoVapourPressureError, match="临界温度"):
        vapour_pressure(methane, 20)
    assert 100 < vapour_pressure(methane, -161.5) < 103
    with pytest.raises(NoVapourPressureError, match="适用范围"):
        vapour_pressure(desk.find("苯"), -40)
    with pytest.raises(NoVapourPressureError, match="未知"):
        vapour_pressure(desk.find("汽油"), 20)


def test_a_substance_boils_at_one_atmosphere() -> None:
    checked = 0
    for substance in SUBSTANCES:
        boiling = substance.property("boiling_point")
        if substance.curve is None or boiling is None:
            continue
        try:
            pressure = vapour_pressure(substance, boiling.value)
        except NoVapourPressureError:
            continue
        assert pressure == pytest.approx(101.325, rel=0.05), substance.name
        checked += 1
    assert checked > 90


def test_vapour_pressures_as_in_handbooks() -> None:
    for name, kpa in (("水", 2.34), ("苯", 10.0), ("甲醇", 12.9), ("丙酮", 24.6), ("乙醇", 5.9), ("氨", 857.0)):
        assert vapour_pressure(desk.find(name), 20) == pytest.approx(kpa, rel=0.02), name


def test_unknown_is_named() -> None:
    card = desk.card(desk.find("苦味酸"))
    assert "沸点(101.325 kPa)" in card["unknown"]
    assert "蒸气压" in card["unknown"]
    assert card["vapour_pressure"]["kpa"] is None
    assert "UN 编号" in desk.card(desk.find("水"))["unknown"]


def test_rules_of_a_substance_come_before_those_of_its_family() -> None:
    measures = desk.card(desk.find("金属钠"))["measures"]
    assert measures["fire"][0].startswith("禁止用水")
    assert desk.card(desk.find("液化石油气"))["measures"]["isolation_fire_m"] == 1600


def test_accidents_name_cause_lesson_and_source() -> None:
    for accident in book().accidents:
        assert len(accident.date) == 10
        assert all((accident.place, accident.title, accident.cause, accident.lesson, accident.source)), accident.title
        assert set(accident.cas) <= set(book().substances)
    assert [a["place"] for a in desk.accidents("硝化棉")] == ["中国天津港"]
    assert len(desk.accidents(cas="6484-52-2")) >= 5


def test_the_commands(figures) -> None:
    run = CliRunner()

    def said(*words: str, code: int = 0) -> str:
        told = run.invoke(app, ["chemicals", *words])
        assert told.exit_code == code, told.output
        return told.output

    assert "67-56-1" in said("search", "甲纯")
    assert json.loads(said("show", "木精", "--json"))["cas"] == "67-56-1"
    assert "名录:重点监管、特别管控" in said("show", "67-56-1")
    assert "HCN" in said("react", "氰化钠", "醋酸", code=3)
    assert "相容" in said("react", "甲苯", "己烷")
    assert "候选" in said("show", "甲醇啊", code=2)
    assert "两种" in said("react", "甲醇", "木醇", code=2)
    said("search", "zzzzzz", code=1)
    assert "教训" in said("accidents", "天津")
    told = json.loads(said("coverage", "--json"))
    figures("化学品知识库:" + ",".join(f"{k} {v}" for k, v in told["fields"].items()))
    assert told["substances"] == len(SUBSTANCES)
    assert "物质" in said("coverage")
