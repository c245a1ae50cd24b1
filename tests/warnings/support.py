"""Grades of a small park in words."""

from __future__ import annotations

import itertools

from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import WarningKind
from hazwatch.warnings.book import Book
from hazwatch.warnings.model import CLUSTER, MANY, Change

NOON = 1_795_417_200_000
MINUTE = 60_000
PARK = "/410000/410900/P4109001/"
JIA, YI = f"{PARK}410902001/", f"{PARK}410902002/"
TANKS, UNIT, STORE = "410902001001", "410902001002", "410902002001"
_PATH = {TANKS: JIA, UNIT: JIA, STORE: YI, "410902001": JIA, "410902002": YI, "P4109001": PARK}
_KIND = {"P4109001": WarningKind.PARK, "410902001": WarningKind.ENTERPRISE, "410902002": WarningKind.ENTERPRISE}
_CAUSE = {WarningKind.PARK: CLUSTER, WarningKind.ENTERPRISE: MANY}


def grade(
    number: int, code: str, colour: str, minutes: float = 0, *, cause: str = "", bare: str = "none",
    worst: str = "none", sure: bool = True,
) -> Change:  # fmt: skip
    """``grade(1, TANKS, "orange", 5, cause="A")``: at 5 min the tank farm became 橙 by its alarms."""
    kind = _KIND.get(code, WarningKind.SOURCE)
    name = _CAUSE.get(kind, cause or "A")
    return Change(
        number, kind, code, code, _PATH[code], NOON + round(minutes * MINUTE), Colour[colour.upper()], name,
        Colour[bare.upper()], Colour[worst.upper()], sure, f"{name} {colour}",
    )  # fmt: skip


def book(window_min: float = 30) -> Book:
    """An empty book."""
    numbers = itertools.count(1)
    return Book(lambda _: f"YJ{next(numbers):03d}", round(window_min * MINUTE))


def told(book_: Book, *changes: Change) -> list[str]:
    """What becomes of grades, in words: ``raised 410902001001 orange``."""
    return [
        f"{s.deed} {s.warning.object} {s.warning.colour.word}" for change in changes for s in book_.take(change)
    ]  # fmt: skip
