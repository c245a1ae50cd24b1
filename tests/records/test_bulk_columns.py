"""Columns straight from the driver become arrays: nothing is lost between NULL, NaN and a text of any bytes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.records.bulk import Texts, figures, fixed

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(TEXT, max_size=30))
def test_texts_come_apart_as_they_went_together(texts: list[str]) -> None:
    kept = Texts.of(texts)
    starts = np.cumsum([0, *kept.sizes.tolist()])
    assert [kept.data[a:b].decode() for a, b in itertools.pairwise(starts)] == texts


def test_a_nul_in_a_text_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Texts.of(["储罐", "A\0B"])


@given(st.lists(st.text("AZ09", max_size=5), max_size=30))
def test_codes_have_a_fixed_width(codes: list[str]) -> None:
    assert [code.decode() for code in fixed(codes, 5).tolist()] == codes


def test_what_has_no_value_is_not_a_number() -> None:
    assert np.array_equal(figures([1.5, -1.5e300, 0.0]), [1.5, np.nan, 0.0], equal_nan=True)
