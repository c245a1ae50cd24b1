"""What share of a source's inputs may be used, against the obvious way of counting it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.risk.confidence import YOUNG_MS, Inputs, shares, usable

NOW = 10_000_000


@st.composite
def nodes(draw):
    n = draw(st.integers(1, 12))
    owner = [draw(st.integers(0, 3)) for _ in range(n)]
    gateway = np.array([draw(st.integers(-1, 2)) for _ in range(n)], np.int64)
    changing = draw(st.lists(st.booleans(), min_size=3, max_size=3))
    by_exception = np.array([g >= 0 and changing[g] for g in gateway], np.bool_)
    age = st.sampled_from([None, 0, YOUNG_MS - 1, YOUNG_MS, 2 * YOUNG_MS])
    ages = [draw(age) for _ in range(n)]
    received = np.array([0 if a is None else NOW - a for a in ages], np.int64)
    quality = np.array([draw(st.sampled_from([0, 1, 2, 3, 7])) for _ in range(n)], np.uint8)
    return owner, gateway, by_exception, received, quality


@given(nodes())
def test_it_is_the_plain_count(node):
    owner, gateway, by_exception, received, quality = node
    sources = [tuple(i for i, o in enumerate(owner) if o == s) for s in range(4)]
    inputs = Inputs.of(sources, gateway, by_exception)

    found = shares(inputs, usable(inputs, received, quality, NOW)).tolist()

    for points, share in zip(sources, found, strict=True):
        good = 0
        for i in points:
            mates = [received[j] for j in range(len(owner)) if gateway[j] == gateway[i]] if by_exception[i] else []
            heard = max([received[i], *mates])
            good += received[i] > 0 and heard > NOW - YOUNG_MS and quality[i] <= 2
        assert share == (good / len(points) if points else 0.0)


def test_a_valve_that_does_not_move_stays_known_while_its_link_speaks():
    inputs = Inputs.of([(0, 1)], np.array([0, 0]), np.array([True, True]))
    received = np.array([NOW - 3_600_000, NOW])

    assert shares(inputs, usable(inputs, received, np.zeros(2, np.uint8), NOW)).tolist() == [1.0]
    assert shares(inputs, usable(inputs, received, np.zeros(2, np.uint8), NOW + YOUNG_MS)).tolist() == [0.0]
