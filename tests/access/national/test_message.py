"""Envelope and message of the national gateway, without any network."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.access.national.envelope import EnvelopeError, Keys, seal, sign, unseal, verify
from hazwatch.access.national.message import Code, Limits, MessageError, parse_time, parse_value, read
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.moments import CHINA, DAY, to_ms
from hazwatch.vocabulary.quality import Quality

NOW = to_ms(datetime(2026, 11, 23, 15, 0, 0, tzinfo=CHINA))
A, B = "410900902001C0001WD001", "410900902001C0001SD001"


@given(st.binary(max_size=200), st.sampled_from([16, 24, 32]))
def test_what_was_sealed_can_be_unsealed_and_no_iv_is_used_twice(plain: bytes, size: int) -> None:
    keys = Keys.of(bytes(range(size)) + b"s" * 32)
    first, second = seal(plain, keys), seal(plain, keys)
    assert first != second
    assert unseal(first, keys) == plain


def test_another_key_opens_nothing() -> None:
    keys, other = Keys.of(b"a" * 64), Keys.of(b"b" * 64)
    text = seal(b"{}" * 40, keys)
    with pytest.raises(EnvelopeError):
        unseal(text, other)
    assert verify(text, sign(text, keys), keys)
    assert verify(text, sign(text, keys).upper(), keys)
    assert not verify(text, sign(text, other), keys)
    assert not verify(text, None, keys)
    assert not verify(text, "签", keys)


@pytest.mark.parametrize("text", ["", "!!!", "AAAA", "中文", "QUJD" * 9])
def test_no_text_breaks_the_envelope(text: str) -> None:
    with pytest.raises(EnvelopeError):
        unseal(text, Keys.of(b"a" * 64))


def test_a_key_of_odd_length_is_a_fault_of_configuration() -> None:
    with pytest.raises(ValueError, match="16/24/32"):
        Keys.of(b"a" * 40)


@pytest.mark.parametrize(
    "text",
    [
        "20261123150000",
        "2026-11-23 15:00:00",
        "2026/11/23 15:00:00",
        "2026-11-23T07:00:00Z",
        str(NOW),
        NOW,
        "20261123150000000",
    ],
)
def test_every_form_of_time_in_use_is_read(text: str) -> None:
    assert parse_time(text) == NOW


@pytest.mark.parametrize("text", ["", None, True, "明天", "2026-13-01 00:00:00", "20261332250000", "1e9", 12, [], 1.5])
def test_other_times_are_refused(text: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # strptime and we word it differently
        parse_time(text)


@pytest.mark.parametrize(
    ("value", "number"),
    [("3.42", 3.42), (3, 3.0), (" -1e3 ", -1000.0), (True, 1.0), ("false", 0.0), ("+.5", 0.5), ("1e999", math.inf)],
)
def test_values_come_as_text_or_number(value: Any, number: float) -> None:
    assert parse_value(value) == number


@pytest.mark.parametrize("value", ["", None, "NaN", "null", math.nan])
def test_nothing_is_not_a_number(value: Any) -> None:
    assert math.isnan(parse_value(value))


@pytest.mark.parametrize("value", ["abc", "1_000", "0x10", [], {}, "1,5", "３", "--1"])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="不是数值"):
        parse_value(value)


@pytest.fixture
def gateway(link: Any) -> Any:
    return link([A, B], "national", code="41090090201")


def fields(**changes: Any) -> dict[str, Any]:
    base = {
        "collectTime": "20261123150000",
        "dataId": "1",
        "datas": [{"quotaId": A, "value": "3.5"}, {"quotaId": B, "value": 40}],
        "gatewayId": "41090090201",
        "isConnectDataSource": "true",
        "reportType": "report",
    }
    return {**base, **changes}


def test_a_report(gateway: Any) -> None:
    outcome = read(fields(), gateway, NOW, Limits())
    assert outcome.code is Code.OK
    assert outcome.lane is Lane.LIVE
    assert outcome.batch.value.tolist() == [3.5, 40.0]
    assert outcome.batch.ts.tolist() == [NOW, NOW]
    assert not outcome.batch.quality.any()


def test_the_sibling_form_with_its_own_names(gateway: Any) -> None:
    inner = {
        "gatewayCode": "41090090201",
        "collectTime": "2026-11-23 15:00:00",
        "isConnectDataSource": False,
        "reportType": "continues",
        "datas": [{"targetCode": A, "value": 1}],
    }
    outcome = read(inner, gateway, NOW, Limits())
    assert outcome.lane is Lane.BACKGROUND
    assert outcome.batch.quality.tolist() == [Quality.DISCONNECTED]


def test_a_part_is_accepted_and_the_rest_is_named(gateway: Any) -> None:
    datas = [
        {"quotaId": A, "value": "3.5"},
        {"quotaId": "410900903001C0001WD001", "value": 1},
        {"quotaId": B, "value": "坏"},
        "not an object",
        {"quotaId": B, "value": "NaN"},
    ]
    outcome = read(fields(datas=datas), gateway, NOW, Limits())
    assert outcome.code is Code.UNKNOWN_QUOTA
    assert [(r.quota, str(r.reason)) for r in outcome.rejected] == [
        ("410900903001C0001WD001", "unknown_point"),
        (B, "wrong_type"),
        ("", "malformed"),
    ]
    assert outcome.batch.quality.tolist() == [Quality.GOOD, Quality.NOT_A_NUMBER]
    assert math.isnan(outcome.batch.value[1])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"collectTime": "20261123150501"}, Code.BAD_TIME),
        ({"collectTime": "20251123150000"}, Code.BAD_TIME),
        ({"collectTime": ""}, Code.BAD_TIME),
        ({"datas": None}, Code.MALFORMED),
        ({"reportType": "dance"}, Code.MALFORMED),
        ({"gatewayId": "41090090301"}, Code.UNKNOWN_GATEWAY),
    ],
)
def test_messages_that_are_refused_whole(gateway: Any, changes: dict[str, Any], code: Code) -> None:
    with pytest.raises(MessageError) as caught:
        read(fields(**changes), gateway, NOW, Limits(future_ms=300_000))
    assert caught.value.code is code


def test_a_clock_five_minutes_ahead_is_still_believed(gateway: Any) -> None:
    assert read(fields(collectTime="20261123150500"), gateway, NOW, Limits(future_ms=300_000)).code is Code.OK


def test_a_datum_may_carry_its_own_time_and_validity(gateway: Any) -> None:
    datas = [
        {"quotaId": A, "value": 1, "collectTime": "20261123145959"},
        {"quotaId": A, "value": 1, "collectTime": "20361123145959"},
        {"quotaId": B, "value": 1, "isValid": "false"},
    ]
    outcome = read(fields(datas=datas), gateway, NOW, Limits(past_ms=DAY))
    assert outcome.batch.ts.tolist() == [NOW - 1000, NOW]
    assert outcome.batch.quality.tolist() == [0, Quality.DISCONNECTED]
    assert outcome.code is Code.BAD_TIME


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([*fields(), "gatewayCode", "data", "x"]), JSON, max_size=7),
    st.lists(JSON, max_size=4),
)
def test_no_json_breaks_the_reader(extra: dict[str, Any], datas: list[Any]) -> None:
    from hazwatch.access.directory import LinkConfig

    config = LinkConfig(1, "41090090201", "", "national", "410900902")
    for message in (fields(**extra), fields(datas=datas)):
        with suppress(MessageError):
            read(message, config, NOW, Limits())
