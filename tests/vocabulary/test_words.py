"""Codes, moments, levels, colours: the words that everybody shares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.vocabulary import codes, moments
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.quality import QUALITY_ZH, Quality
from hazwatch.vocabulary.quantities import QUANTITIES

milliseconds = st.integers(-(2**45), 2**46)


@given(milliseconds)
def test_a_moment_survives_its_text(ms) -> None:
    assert moments.parse(moments.iso(ms)) == ms
    assert moments.parse(str(ms)) == ms
    assert moments.to_ms(moments.from_ms(ms)) == ms
    assert len(moments.iso(ms)) == 24


@given(milliseconds, st.integers(-14 * 60, 14 * 60))
def test_the_zone_changes_the_text_not_the_moment(ms, minutes) -> None:
    zone = timezone(timedelta(minutes=minutes))
    local = moments.from_ms(ms).astimezone(zone)
    assert moments.to_ms(local) == ms
    assert moments.parse(local.isoformat()) == ms
    assert moments.parse(local.replace(tzinfo=None).isoformat(), zone=zone) == ms


def test_midnight_and_month_end_in_china() -> None:
    assert moments.iso(moments.parse("2026-12-01T00:00:00", zone=moments.CHINA)) == "2026-11-30T16:00:00.000Z"
    assert moments.parse("2026-12-01T00:00:00+08:00") == moments.parse("2026-11-30T16:00:00Z")
    assert moments.iso(-1) == "1969-12-31T23:59:59.999Z"


def test_a_naive_datetime_names_no_moment() -> None:
    with pytest.raises(ValueError, match="naive"):
        moments.to_ms(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "12:00", "2026-11-23T25:00:00", "--5", "1e3"])
def test_what_is_no_time(text) -> None:
    with pytest.raises(ValueError, match=r"."):
        moments.parse(text)


def test_a_point_code_taken_apart() -> None:
    code = codes.parse_point("330100001001G0001YW001")
    assert (code.enterprise, code.source, code.equipment) == ("330100001", "330100001001", "330100001001G0001")
    assert (code.equipment_type, code.quantity, code.serial) == ("G0", "YW", "001")


digits = st.from_regex(r"[0-9]{12}", fullmatch=True)


@given(digits, st.sampled_from(list(codes.EQUIPMENT_TYPES)), st.integers(0, 999), st.sampled_from(list(QUANTITIES)))
def test_every_well_formed_code_is_read_and_its_parts_are_prefixes(source, kind, serial, quantity) -> None:
    text = f"{source}{kind}{serial:03d}{quantity}{serial:03d}"
    code = codes.parse_point(text)
    assert len(text) == codes.POINT_LENGTH
    assert text.startswith(code.equipment)
    assert code.equipment.startswith(code.source)
    assert code.source.startswith(code.enterprise)
    assert codes.check_equipment(code.equipment) == code.equipment


@pytest.mark.parametrize(
    "text",
    [
        "", "330100001001G0001YW01", "330100001001G0001YW0011", "330100001001X0001YW001", "330100001001G0001ZZ001",
        "330100001001g0001yw001", "33010000100aG0001YW001", "330100001001G0001YW001\n", " 330100001001G0001YW001",
    ],
)  # fmt: skip
def test_what_is_no_point_code(text) -> None:
    with pytest.raises(ValueError, match=r"."):
        codes.parse_point(text)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (codes.check_enterprise, "330100001", ["33010000", "3301000011", "33010000a", "330100001\n"]),
        (codes.check_source, "330100001001", ["330100001", "33010000100a"]),
        (codes.check_equipment, "330100001001G0001", ["330100001001Z0001", "330100001001G001", "330100001001"]),
        (codes.check_gateway, "33010000101", ["330100001", "33010000l01"]),
    ],
)
def test_checks(check, good, bad) -> None:
    assert check(good) == good
    for text in bad:
        with pytest.raises(ValueError, match=r"."):
            check(text)


def test_levels() -> None:
    assert [Level.parse(w) for w in ("ll", "L", "Normal", "h", "HH")] == list(Level)
    assert all(Level.parse(level.word) is level for level in Level)
    assert [level.severity for level in Level] == [2, 1, 0, 1, 2]
    with pytest.raises(ValueError, match="unknown"):
        Level.parse("HHH")


def test_every_colour_and_quality_has_its_word_and_symbol() -> None:
    assert [(c.word, c.zh, c.symbol) for c in Colour] == [
        ("none", "无", "○"), ("blue", "蓝", "●"), ("yellow", "黄", "■"), ("orange", "橙", "▲"), ("red", "红", "◆"),
    ]  # fmt: skip
    assert set(QUALITY_ZH) == set(Quality)


def test_gas_detectors_have_no_on_delay_by_default() -> None:
    assert QUANTITIES["QT"].on_delay_s == 0
