"""Raw frames: what is written is what is read, and every length that does not fit is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.access.frames import codec

KEY = b"k" * 32


@given(
    n=st.integers(0, 300), dense=st.booleans(), one_time=st.booleans(), good=st.booleans(), historical=st.booleans(),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_a_frame_comes_out_as_it_went_in(n, dense, one_time, good, historical, seed) -> None:
    rng = np.random.default_rng(seed)
    value, slot = rng.normal(size=n), rng.integers(0, 5000, n)
    delta, quality = rng.integers(-60_000, 60_000, n), rng.integers(0, 9, n).astype(np.uint8)
    data = codec.frame(
        KEY, 7, 1_795_000_000_000, value, slot=None if dense else slot, delta=None if one_time else delta,
        quality=None if good else quality, historical=historical,
    )  # fmt: skip
    header = codec.read_header(data[: codec.HEADER.size])
    columns = codec.read_body(header, data[codec.HEADER.size : -codec.MAC])

    assert header.fits
    assert (header.samples, header.sequence) == (n, 7)
    assert bool(header.flags & codec.HISTORICAL) is historical
    assert data[-codec.MAC :] == codec.seal(KEY, data[: -codec.MAC])
    np.testing.assert_array_equal(columns.value, value)
    np.testing.assert_array_equal(columns.slot, np.arange(n) if dense else slot)
    np.testing.assert_array_equal(columns.ts, 1_795_000_000_000 + (0 if one_time else delta))
    np.testing.assert_array_equal(columns.quality, 0 if good else quality)


def test_8_bytes_a_sample_when_all_points_come_at_one_moment() -> None:
    data = codec.frame(KEY, 1, 0, np.zeros(1000))
    assert len(data) == 1000 * 8 + codec.HEADER.size + codec.MAC


@pytest.mark.parametrize(
    ("flags", "samples", "length", "sequence"),
    [(7, 10, 81, 1), (7, 10, 79, 1), (0, 10, 80, 1), (16, 10, 80, 1), (7, 10, 80, -1)],
)
def test_a_head_that_does_not_fit_its_body(flags, samples, length, sequence) -> None:
    assert not codec.Header(flags, samples, length, sequence, 0).fits


def test_rubbish_is_no_head_and_no_answer() -> None:
    with pytest.raises(ValueError, match="HZD1"):
        codec.read_header(bytes(codec.HEADER.size))
    with pytest.raises(ValueError, match="HZA1"):
        codec.read_acknowledgement(bytes(codec.ACK.size))
    assert codec.read_acknowledgement(codec.acknowledgement(codec.AWAY, 9, 3)) == (codec.AWAY, 9, 3)
