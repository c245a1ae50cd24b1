"""How samples lie in a message of the log: whatever goes in comes out, and nothing else does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame, decode, encode
from hazwatch.vocabulary.lanes import Lane

row = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=True), st.integers(0, 255)
)
origin = st.builds(
    Origin, st.integers(0, 2**32 - 1), st.integers(-1, 2**62), st.integers(0, 2**62), st.sampled_from(list(Lane))
)


def batch(rows) -> SampleBatch:
    return SampleBatch.of(*([r[k] for r in rows] for k in range(4)))


frames = st.lists(st.builds(Frame, origin, st.lists(row, max_size=5).map(batch)), max_size=5)


def same(a: SampleBatch, b: SampleBatch) -> bool:
    names = ("point", "ts", "value", "quality")
    return all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n in names)


@given(frames)
def test_what_goes_in_comes_out(sent) -> None:
    message = decode(encode(sent))
    got = list(message.frames())
    assert [f.origin for f in got] == [f.origin for f in sent]
    assert all(same(a.batch, b.batch) for a, b in zip(got, sent, strict=True))
    assert same(message.batch, SampleBatch.concat([f.batch for f in sent]))
    assert message.received_at().tolist() == [f.origin.received_at for f in sent for _ in range(len(f.batch))]


@given(frames, st.data())
def test_a_message_that_was_cut_or_grew_is_refused(sent, data) -> None:
    whole = encode(sent)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match="sample message"):
        decode(whole[:cut])
    with pytest.raises(ValueError, match="sample message"):
        decode(whole + b"\0")


@given(st.binary(max_size=300))
def test_noise_is_refused(noise) -> None:
    with pytest.raises(ValueError, match="sample message"):
        decode(noise)


def test_counts_that_do_not_add_up_are_refused() -> None:
    data = bytearray(encode([Frame(Origin(1, 2, 3), batch([(1, 2, 3.0, 0)]))]))
    data[16 + 24] ^= 3  # samples of the first origin
    with pytest.raises(ValueError, match="hold"):
        decode(bytes(data))


def test_columns_of_one_batch_have_one_length() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        SampleBatch(np.zeros(2, np.uint32), np.zeros(1, np.int64), np.zeros(2), np.zeros(2, np.uint8))


def test_batches() -> None:
    one = SampleBatch.of([1, 2], [10, 20], [1.0, math.nan])
    assert one.quality.tolist() == [0, 0], "good unless told otherwise"
    assert len(SampleBatch.concat([])) == 0
    assert SampleBatch.concat([one]) is one
    assert one.take(np.array([False, True])).point.tolist() == [2]
