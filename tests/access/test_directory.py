"""A gateway's points in flat arrays answer like the dictionary they replace."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.access.directory import PointAddress, PointTable, resolve

NAMES = st.lists(st.text(min_size=1, max_size=12).filter(lambda t: "\0" not in t), unique=True, max_size=30)


def table(names: list[str]) -> tuple[PointTable, dict[str, PointAddress]]:
    n = len(names)
    code = [f"41090000100{i % 10}G0001YW{i:03d}" for i in range(n)]
    scale, offset = np.arange(n) + 0.5, np.arange(n) - 7.0
    plain = {a: PointAddress(3 * i, code[i], a, float(scale[i]), float(offset[i])) for i, a in enumerate(names)}
    return PointTable(names, code, 3 * np.arange(n), scale, offset), plain


@given(names=NAMES, others=NAMES)
def test_it_answers_like_a_dictionary(names, others) -> None:
    flat, plain = table(names)

    assert dict(flat.items()) == plain
    assert len(flat) == len(plain)
    for name in [*names, *others]:
        assert flat.get(name) == plain.get(name)
        assert (name in flat) is (name in plain)
    asked = [*others, *names, *others]
    for a, b in zip(_columns(resolve(flat, asked)), _columns(resolve(plain, asked)), strict=True):
        np.testing.assert_array_equal(a, b)


def _columns(found):
    return found.index, found.scale, found.offset


@given(names=NAMES.filter(bool))
def test_two_tables_are_equal_when_all_is_equal(names) -> None:
    flat, _ = table(names)
    assert flat == table(names)[0]
    assert flat == table(names[::-1])[0] or len(names) > 1
    assert flat != table([*names[:-1], names[-1] + "x"])[0]
