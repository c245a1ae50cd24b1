"""The result as JSON, digit for digit."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import orjson

from hazwatch.registry.gb18218.model import Outcome, exact


def written(outcome: Outcome, *, indent: bool = False) -> bytes:
    """``{S, is_major_hazard, R, level, terms: [{name, Q_t, beta, ratio, clause}]}``.

    Numbers are JSON numbers with all their digits (28 where a fraction does not end). ``R`` and ``level`` are null
    where S < 1.
    """
    return orjson.dumps(form(outcome), option=orjson.OPT_INDENT_2 if indent else 0)


def dumped(whole: Mapping[str, Any]) -> bytes:
    """A larger form that holds such fragments; its other Decimals become doubles."""
    return orjson.dumps(whole, default=float)


def form(outcome: Outcome) -> dict[str, Any]:
    """The same before it is written; its numbers are fragments for orjson."""
    return {
        "S": number(outcome.s),
        "is_major_hazard": outcome.is_major,
        "R": None if outcome.r is None else number(outcome.r),
        "level": outcome.level.name if outcome.level else None,
        "terms": [
            {
                "name": t.name, "Q_t": number(t.critical), "beta": number(t.beta), "ratio": number(t.ratio),
                "clause": t.clause,
            }
            for t in outcome.terms
        ],
    }  # fmt: skip


def number(value: Fraction) -> orjson.Fragment:
    """A number digit for digit."""
    return orjson.Fragment(format(exact(value), "f").encode())
