"""ClickHouse's Native format: what is written reads as the same, and damage is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hazwatch.history import native

TYPES = [np.uint8, np.uint32, np.uint64, np.int64, np.float64]


@st.composite
def columns(draw: st.DrawFn):
    rows = draw(st.sampled_from([0, 1, 2, 127, 128, 300]))
    names = draw(st.lists(st.text("abcdefgh_", min_size=1, max_size=200), min_size=1, max_size=4, unique=True))
    return {name: draw(arrays.arrays(draw(st.sampled_from(TYPES)), rows)) for name in names}


@given(columns())
def test_what_is_written_reads_as_the_same(block) -> None:
    found = native.decode(native.encode(block))
    assert list(found) == list(block)
    for name, values in block.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


def test_several_blocks_are_one_answer() -> None:
    parts = [native.encode({"a": np.arange(start, start + 3, dtype=np.int64)}) for start in (0, 3)]
    assert native.decode(b"".join(parts))["a"].tolist() == [0, 1, 2, 3, 4, 5]


def test_nothing_is_nothing() -> None:
    assert native.decode(b"") == {}


def test_the_bytes_that_a_server_sends() -> None:
    """Recorded from ClickHouse 18.16: SELECT toUInt8(7) AS q."""
    assert native.decode(b"\x01\x01\x01q\x05UInt8\x07")["q"].tolist() == [7]


@pytest.mark.parametrize("cut", [1, 3, 6, 12])
def test_an_answer_cut_short_is_named(cut) -> None:
    whole = native.encode({"value": np.arange(4, dtype=np.float64)})
    with pytest.raises(ValueError, match=r"cannot be read|buffer"):
        native.decode(whole[:cut])


def test_a_type_that_the_stores_do_not_use_is_named() -> None:
    with pytest.raises(ValueError, match="String"):
        native.decode(b"\x01\x01\x01q\x06String\x01x")
