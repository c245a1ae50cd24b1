"""Pure: S, whether a unit is a major hazard, R and the level (GB 18218-2018, 4.1–4.3).

All arithmetic is in fractions, so that S = 1 and R = 100 are exactly that: ten times 0.1 is 1 here, and so are three
times one third.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from fractions import Fraction

from hazwatch.registry.gb18218.standard import Category, Row, Step, table2, table3, table5, table6

ONE = Fraction(1)
_BOILING = ("W5.2", "W5.3", "W5.4")
_DIGITS = Context(prec=28, rounding=ROUND_HALF_EVEN)


class BetaChoice(StrEnum):
    """Which β where a substance outside Table 3 has several classes; the standard does not say.

    ``CLASS_OF_Q``: that of the class that fixed Q (common practice); ``LARGEST``: the largest of them (conservative).
    """

    CLASS_OF_Q = "class_of_q"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True)
class Entry:
    """One substance of a unit, identified.

    Attributes:
        name: as the result shows it.
        row: of Table 1; None outside it.
        categories: classes of Table 2 that somebody stated; for a row of Table 1 they only choose β.
        quantity: design maximum in t (4.2.2); for a mixture of the hazard class of the pure substance the whole
            mixture (4.2.3).
        above_boiling: worked with above its boiling point; then a flammable liquid counts as W5.1.
        doubt: what a person should look at once more, empty if nothing.
        mixture: how 4.2.3 was applied to a mixture, in words; empty for a pure substance.
    """

    name: str
    row: Row | None
    categories: tuple[Category, ...]
    quantity: Fraction
    above_boiling: bool = False
    doubt: str = ""
    mixture: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """What one substance adds: ``ratio`` = q/Q, ``symbol`` the class (or ``表3``) that β was taken from."""

    name: str
    quantity: Fraction
    critical: Fraction
    beta: Fraction
    ratio: Fraction
    symbol: str
    clause: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result; ``r`` and ``level`` are None where S < 1: there is nothing to grade."""

    s: Fraction
    alpha: Fraction
    alpha_label: str
    terms: tuple[Term, ...]
    r: Fraction | None
    level: Step | None

    @property
    def is_major(self) -> bool:
        """Whether the unit is a major hazard installation."""
        return self.level is not None


def grade(entries: Sequence[Entry], population: int, choice: BetaChoice = BetaChoice.CLASS_OF_Q) -> Outcome:
    """Identify and grade one unit.

    Args:
        entries: its substances.
        population: people who live within 500 m of the boundary of the site.
        choice: which β where it is open.
    """
    terms = tuple(_term(entry, choice) for entry in entries)
    s = sum((term.ratio for term in terms), Fraction(0))
    alpha = _step(table5(), Fraction(population))
    if s < ONE:
        return Outcome(s, alpha.value, alpha.name, terms, None, None)
    r = alpha.value * sum((term.beta * term.ratio for term in terms), Fraction(0))
    return Outcome(s, alpha.value, alpha.name, terms, r, _step(table6(), r))


def exact(number: Fraction) -> Decimal:
    """A number to write: all its digits where they end, else 28 of them, never rounded up to a bound.

    A unit just below S = 1 must not be shown as 1.
    """
    value = _DIGITS.divide(Decimal(number.numerator), Decimal(number.denominator))
    if Fraction(value) != number and value == value.to_integral_value():
        value = value.next_minus(_DIGITS) if Fraction(value) > number else value.next_plus(_DIGITS)
    return value.normalize(_DIGITS) if value else Decimal(0)


def _term(entry: Entry, choice: BetaChoice) -> Term:
    held = tuple(_at_condition(category, entry) for category in entry.categories)
    if entry.row is not None:
        critical, place = entry.row.critical, f"4.1.2 a) 表1 序号{entry.row.no}"
        beta, symbol, note = _beta_of_row(entry, entry.row, held)
    else:
        critical = min(category.critical for category in held)
        fixing = [category for category in held if category.critical == critical]
        place = f"4.1.2 b) 表2 {'、'.join(category.symbol for category in fixing)}"
        if len(held) > len(fixing):
            place += "(多种危险性取最低临界量)"
        asked = held if choice is BetaChoice.LARGEST else fixing
        beta, symbol = _largest(asked)
        note = "多类别,β 取最大值" if choice is BetaChoice.LARGEST and len(held) > 1 else ""
    note = ";".join(filter(None, (note, entry.doubt)))
    clause = f"{place};β {'表3' if symbol == '表3' else f'表4 {symbol}'.strip()}"
    if entry.mixture:
        clause = f"{entry.mixture};{clause}"
    return Term(entry.name, entry.quantity, critical, beta, entry.quantity / critical, symbol, clause, note)


def _at_condition(category: Category, entry: Entry) -> Category:
    """A flammable liquid worked with above its boiling point is W5.1 (Table 2)."""
    return table2()["W5.1"] if entry.above_boiling and category.symbol in _BOILING else category


def _beta_of_row(entry: Entry, row: Row, stated: Sequence[Category]) -> tuple[Fraction, str, str]:
    named = _named_gas(row)
    if named is not None:
        return named, "表3", ""
    if stated:
        beta, symbol = _largest(stated)
        return beta, symbol, ""
    usual = [_at_condition(table2()[symbol], entry) for symbol in row.symbols]
    if not usual:
        return ONE, "", "表4 没有对应类别,β 取 1,请核对其危险性类别"
    beta, symbol = _largest(usual)
    doubt = (
        "" if row.certainty == "H" else f"β 按建议类别 {symbol} 取值(把握 {row.certainty}),请按 SDS 用 category 确认"
    )
    return beta, symbol, doubt


def _named_gas(row: Row) -> Fraction | None:
    """β of Table 3. Coal gas is graded by its carbon monoxide."""
    if row.certainty != "table3":
        return None
    return next(beta for cas, (_, beta) in table3().items() if cas in row.cas or cas in row.called)


def _largest(categories: Sequence[Category]) -> tuple[Fraction, str]:
    beta = max(category.beta for category in categories)
    symbols = dict.fromkeys(category.symbol for category in categories if category.beta == beta)
    return beta, "/".join(symbols)


def _step(steps: Sequence[Step], value: Fraction) -> Step:
    return next(step for step in steps if value >= step.least)
