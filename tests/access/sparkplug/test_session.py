"""One edge node over its life: birth, data, gaps, history, death."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from hazwatch.access.directory import LinkConfig
from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.access.sparkplug.datatypes import DataType
from hazwatch.access.sparkplug.session import EdgeNode, Result
from hazwatch.vocabulary.faults import Refusal
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.quality import Quality

T0 = 1_795_000_000_000


@pytest.fixture
def node(link: Callable[..., LinkConfig]) -> EdgeNode:
    return EdgeNode(link(["反应器/温度", "XMEAS(1)", "XMEAS(2)"], "sparkplug"))


def birth(seq: int = 0, bd_seq: int = 3, names: tuple[str, ...] = ("XMEAS(1)", "XMEAS(2)"), at: int = T0) -> bytes:
    payload = pb.Payload(timestamp=at, seq=seq)
    payload.metrics.add(name="bdSeq", datatype=DataType.INT64, long_value=bd_seq)
    payload.metrics.add(name="Node Control/Rebirth", datatype=DataType.BOOLEAN, boolean_value=False)
    for alias, name in enumerate(names, start=100):
        payload.metrics.add(name=name, alias=alias, timestamp=at, datatype=DataType.DOUBLE, double_value=alias * 1.0)
    return payload.SerializeToString()


def data(seq: int, *values: tuple[int, float], at: int = T0 + 1000, **fields: object) -> bytes:
    payload = pb.Payload(timestamp=at, seq=seq)
    for alias, value in values:
        payload.metrics.add(alias=alias, timestamp=at, double_value=value, **fields)
    return payload.SerializeToString()


def values(result: Result) -> list[tuple[int, float]]:
    return [(p, v) for f in result.frames for p, v in zip(f.batch.point.tolist(), f.batch.value.tolist(), strict=True)]


def test_a_birth_brings_the_values_of_now_and_housekeeping_is_no_data(node: EdgeNode) -> None:
    result = node.birth(birth(), "", T0)
    assert values(result) == [(1, 100.0), (2, 101.0)]
    assert not result.refusals
    assert not result.rebirth


def test_data_come_by_alias(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    result = node.data(data(1, (101, 7.5), (100, 8.5)), "", T0 + 1100)
    assert values(result) == [(2, 7.5), (1, 8.5)]
    assert result.frames[0].batch.ts.tolist() == [T0 + 1000] * 2
    assert result.frames[0].origin.received_at == T0 + 1100


def test_data_may_come_by_name_without_alias(node: EdgeNode) -> None:
    payload = pb.Payload(timestamp=T0, seq=0)
    payload.metrics.add(name="XMEAS(2)", datatype=DataType.FLOAT, float_value=1.5)
    node.birth(payload.SerializeToString(), "", T0)
    payload = pb.Payload(timestamp=T0, seq=1)
    payload.metrics.add(name="XMEAS(2)", float_value=2.5)
    assert values(node.data(payload.SerializeToString(), "", T0)) == [(2, 2.5)]


def test_metrics_of_a_device_are_addressed_with_its_name(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    payload = pb.Payload(timestamp=T0, seq=1)
    payload.metrics.add(name="温度", alias=1, datatype=DataType.INT16, int_value=65535 - 9)
    assert values(node.birth(payload.SerializeToString(), "反应器", T0)) == [(0, -10.0)]
    payload = pb.Payload(timestamp=T0, seq=2)
    payload.metrics.add(alias=1, int_value=65535)  # the type is known from the birth
    assert values(node.data(payload.SerializeToString(), "反应器", T0)) == [(0, -1.0)]


def test_a_hole_in_the_sequence_asks_for_a_rebirth_until_it_comes_but_not_too_often(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    result = node.data(data(2, (100, 1.0)), "", T0 + 10)
    assert result.gap
    assert result.rebirth
    assert values(result) == [(1, 1.0)]  # what did arrive is kept
    assert not node.data(data(3, (100, 1.0)), "", T0 + 500).rebirth
    assert node.data(data(4, (100, 1.0)), "", T0 + 1200).rebirth
    node.birth(birth(at=T0 + 1300), "", T0 + 1300)
    assert not node.data(data(1, (100, 1.0)), "", T0 + 9000).rebirth


def test_the_sequence_wraps_after_255(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    for seq in [*range(1, 256), 0, 1]:
        assert not node.data(data(seq, (100, 1.0)), "", T0).gap


def test_a_redelivered_message_is_data_but_no_gap(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    node.data(data(1, (100, 1.0)), "", T0)
    result = node.data(data(1, (100, 1.0)), "", T0, repeated=True)
    assert values(result) == [(1, 1.0)]
    assert not result.gap


def test_a_repeated_number_is_no_hole(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    node.data(data(1, (100, 1.0)), "", T0)
    result = node.data(data(1, (100, 2.0)), "", T0 + 1000)
    assert (values(result), result.gap, result.rebirth) == ([(1, 2.0)], False, False)


def test_what_cannot_be_read_had_a_number_too(node: EdgeNode) -> None:
    """It is missing, so a birth is asked for; the message after it leaves no second hole."""
    node.birth(birth(), "", T0)
    assert node.data(data(1, (100, 1.0))[:-3], "", T0).refusals[0][0] is Refusal.MALFORMED
    result = node.data(data(2, (100, 2.0)), "", T0 + 1000)
    assert (result.gap, result.rebirth) == (False, True)


def test_a_node_that_is_always_in_trouble_is_asked_more_and_more_rarely(node: EdgeNode) -> None:
    """One message a second, every tenth cannot be read: six births in ten minutes, and none is forgotten."""
    node.birth(birth(), "", T0)
    asked, seq = [], 0
    for second in range(1, 601):
        seq = (seq + 1) % 256
        payload = data(seq, (100, 1.0))
        result = node.data(payload[:-3] if second % 10 == 0 else payload, "", T0 + second * 1000)
        if result.rebirth:
            asked.append(second)
            node.birth(birth(), "", T0 + second * 1000)
            seq = 0
    assert asked == [11, 21, 31, 47, 111, 367]
    # After ten minutes without trouble it counts as new.
    quiet = T0 + 1_400_000
    assert not node.data(data(1, (100, 1.0)), "", quiet).rebirth or node.birth(birth(), "", quiet).frames
    node.birth(birth(), "", quiet)
    assert node.data(data(5, (100, 1.0)), "", quiet + 1000).rebirth


def test_data_before_a_birth_ask_for_one(node: EdgeNode) -> None:
    result = node.data(data(9, (100, 1.0)), "", T0)
    assert result.rebirth
    assert not result.frames


def test_history_goes_to_the_background_lane_and_live_data_stay_live(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    payload = pb.Payload(timestamp=T0, seq=1)
    payload.metrics.add(alias=100, timestamp=T0 - 60_000, is_historical=True, double_value=1.0)
    payload.metrics.add(alias=100, timestamp=T0, double_value=2.0)
    result = node.data(payload.SerializeToString(), "", T0)
    assert [(f.origin.lane, f.batch.value.tolist()) for f in result.frames] == [
        (Lane.LIVE, [2.0]),
        (Lane.BACKGROUND, [1.0]),
    ]


def test_null_nan_and_bad_quality(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    payload = pb.Payload(timestamp=T0, seq=1)
    payload.metrics.add(alias=100, is_null=True)
    payload.metrics.add(alias=100, double_value=math.inf)
    bad = payload.metrics.add(alias=101, double_value=3.0)
    bad.properties.keys.append("Quality")
    bad.properties.values.add(type=3, int_value=0)
    good = payload.metrics.add(alias=101, double_value=4.0)
    good.properties.keys.append("Quality")
    good.properties.values.add(type=3, int_value=192)
    batch = node.data(payload.SerializeToString(), "", T0).frames[0].batch
    assert batch.quality.tolist() == [
        Quality.NOT_A_NUMBER,
        Quality.NOT_A_NUMBER,
        Quality.DISCONNECTED,
        Quality.GOOD,
    ]
    assert math.isnan(batch.value[0])
    assert math.isnan(batch.value[1])


def test_unknown_metrics_are_reported_once_per_birth(node: EdgeNode) -> None:
    names = ("XMEAS(1)", "生人")
    first = node.birth(birth(names=names), "", T0)
    assert [(r, "生人" in d) for r, d in first.refusals] == [(Refusal.UNKNOWN_POINT, True)]
    assert not node.data(data(1, (101, 1.0)), "", T0).refusals
    assert node.birth(birth(names=names), "", T0).refusals


def test_text_values_are_refused_and_the_rest_accepted(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    payload = pb.Payload(timestamp=T0, seq=1)
    payload.metrics.add(alias=100, string_value="坏")
    payload.metrics.add(alias=101, double_value=1.0)
    result = node.data(payload.SerializeToString(), "", T0)
    assert values(result) == [(2, 1.0)]
    assert [r for r, _ in result.refusals] == [Refusal.WRONG_TYPE]


def test_a_death_marks_every_point_disconnected_unless_it_is_an_old_one(node: EdgeNode) -> None:
    node.birth(birth(bd_seq=3), "", T0)
    will = pb.Payload(metrics=[pb.Payload.Metric(name="bdSeq", long_value=2)]).SerializeToString()
    assert not node.death(will, "", T0).frames
    will = pb.Payload(metrics=[pb.Payload.Metric(name="bdSeq", long_value=3)]).SerializeToString()
    batch = node.death(will, "", T0 + 5).frames[0].batch
    assert batch.point.tolist() == [1, 2]
    assert set(batch.quality.tolist()) == {Quality.DISCONNECTED}
    assert node.data(data(1, (100, 1.0)), "", T0 + 2000).rebirth


def test_scale_and_offset(link: Callable[..., LinkConfig]) -> None:
    from dataclasses import replace

    base = link(["XMEAS(1)"], "sparkplug")
    scaled = replace(base, points={k: replace(p, scale=0.1, offset=-5.0) for k, p in base.points.items()})
    node = EdgeNode(scaled)
    assert values(node.birth(birth(names=("XMEAS(1)",)), "", T0)) == [(0, 5.0)]


def test_a_changed_registry_needs_no_rebirth(node: EdgeNode, link: Callable[..., LinkConfig]) -> None:
    node.birth(birth(), "", T0)
    node.relink(link(["XMEAS(2)"], "sparkplug"))
    assert values(node.data(data(1, (100, 1.0), (101, 2.0)), "", T0)) == [(0, 2.0)]


def test_garbage_is_refused(node: EdgeNode) -> None:
    assert node.birth(b"\xff\xff", "", T0).refusals[0][0] is Refusal.MALFORMED
    assert node.data(b"\xff\xff", "", T0).refusals[0][0] is Refusal.MALFORMED


def test_times_that_cannot_be_true_are_refused_and_the_rest_kept(node: EdgeNode) -> None:
    node.birth(birth(), "", T0)
    payload = pb.Payload(timestamp=T0, seq=1)
    payload.metrics.add(alias=100, timestamp=T0 + 301_000, double_value=1.0)
    payload.metrics.add(alias=100, timestamp=86_400_000, double_value=2.0)
    payload.metrics.add(alias=101, timestamp=T0 + 299_000, double_value=3.0, is_historical=True)
    result = node.data(payload.SerializeToString(), "", T0)
    assert values(result) == [(2, 3.0)]
    assert result.frames[0].origin.lane is Lane.BACKGROUND
    assert [r for r, _ in result.refusals] == [Refusal.BAD_TIME]
