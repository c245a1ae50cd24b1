"""Pure: may two substances meet? By groups; the worst pair decides, and what nobody has judged is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, product


class Verdict(IntEnum):
    """From harmless to worst. Nothing is compatible unless a rule says so."""

    COMPATIBLE = 0
    UNKNOWN = 1
    CAUTION = 2
    INCOMPATIBLE = 3

    @property
    def zh(self) -> str:
        """The word on screen."""
        return ("相容", "未知", "注意", "禁忌")[self]


@dataclass(frozen=True, slots=True)
class Rule:
    """Every group of ``a`` with every group of ``b``."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    verdict: str
    effects: tuple[str, ...]
    gases: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one pair of groups means."""

    a: str
    b: str
    verdict: Verdict
    effects: tuple[str, ...] = ()
    gases: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two substances: the verdict, and all pairs of groups, worst first."""

    first: str
    second: str
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def gases(self) -> tuple[str, ...]:
        """Gases that may come off, without repeats."""
        return tuple(dict.fromkeys(gas for finding in self.findings for gas in finding.gases))

    @property
    def unjudged(self) -> bool:
        """Whether some pair of groups is unknown, whatever the verdict."""
        return not self.findings or any(finding.verdict is Verdict.UNKNOWN for finding in self.findings)


class Matrix:
    """The matrix of all rules. Where several rules name a pair, the worst holds."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._pairs: dict[frozenset[str], Finding] = {}
        for rule in rules:
            verdict = Verdict[rule.verdict.upper()]
            for a, b in product(rule.a, rule.b):
                key = frozenset((a, b))
                held = self._pairs.get(key)
                if held is None or held.verdict < verdict:
                    self._pairs[key] = Finding(a, b, verdict, rule.effects, rule.gases, rule.reason)

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, a: str, b: str) -> Finding:
        """What two groups mean to each other."""
        return self._pairs.get(frozenset((a, b))) or Finding(a, b, Verdict.UNKNOWN)

    def meet(self, first: tuple[str, Sequence[str]], second: tuple[str, Sequence[str]]) -> Meeting:
        """Two substances.

        Args:
            first: key and groups of the one.
            second: the other.
        """
        found = sorted(
            (self.pair(a, b) for a, b in product(first[1], second[1])), key=lambda f: f.verdict, reverse=True
        )
        verdict = found[0].verdict if found else Verdict.UNKNOWN
        return Meeting(first[0], second[0], verdict, tuple(found))

    def all_pairs(self, substances: Sequence[tuple[str, Sequence[str]]]) -> list[Meeting]:
        """Every two of several substances."""
        return [self.meet(a, b) for a, b in combinations(substances, 2)]
