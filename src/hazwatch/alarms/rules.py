"""Pure: suppression by design. A declared rule over other points and states says when some alarms mean nothing.

    水泵 P-101 停运 → 出口流量低 is suppressed: condition ``KG of P-101 == 0``, target the flow with levels L and LL

What is not known never suppresses: a condition whose point has no good, fresh value does not hold.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.quality import LAST_JUDGED

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """The latest of a point: value, quality code, current level, and whether it still stands (is not stale)."""

    value: float
    quality: int
    level: Level
    fresh: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold of a point.

    Attributes:
        point: its code.
        op: ``== != < <= > >=`` compare the value with ``value``; ``level`` asks for the alarm level ``level``.
        value: of a comparison.
        level: of ``op == "level"``; a point at 高高 is at 高 as well. NORMAL asks for no alarm.
    """

    point: str
    op: str
    value: float = 0.0
    level: Level = Level.NORMAL


@dataclass(frozen=True, slots=True)
class Target:
    """An alarm that is suppressed: code of the point, its levels (empty = all)."""

    point: str
    levels: frozenset[Level] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """A suppression by design.

    Attributes:
        id, version: a change is a new version.
        name: in the words of the plant.
        every: all conditions must hold, else any.
        conditions: when it suppresses.
        targets: what it suppresses.
        release_s: how long it goes on after the conditions no longer hold (start-up), seconds.
    """

    id: str
    version: int
    name: str
    every: bool
    conditions: tuple[Condition, ...]
    targets: tuple[Target, ...]
    release_s: int = 0

    @property
    def points(self) -> set[str]:
        """Codes of every point that it names."""
        return {c.point for c in self.conditions} | {t.point for t in self.targets}


def met(condition: Condition, reading: Reading | None) -> bool:
    """Whether a condition holds of what is known of its point."""
    if reading is None or reading.quality > LAST_JUDGED or not reading.fresh:
        return False
    if condition.op != "level":
        return OPERATORS[condition.op](reading.value, condition.value)
    wanted = condition.level
    if wanted is Level.NORMAL:
        return reading.level is Level.NORMAL
    return reading.level.value * wanted.value > 0 and reading.level.severity >= wanted.severity


def suppresses(rule: Rule, reading_of: Callable[[str], Reading | None]) -> bool:
    """Whether a rule suppresses its targets now."""
    found = (met(condition, reading_of(condition.point)) for condition in rule.conditions)
    return all(found) if rule.every else any(found)


def parse(id_: str, version: int, body: dict[str, Any]) -> Rule:
    """A rule from its stored form.

    Raises:
        ValueError: nothing to watch, nothing to suppress, an unknown comparison, a rule about itself.
    """
    conditions = tuple(
        Condition(c["point"], c["op"], float(c.get("value") or 0.0), Level.parse(c.get("level") or "normal"))
        for c in body["conditions"]
    )
    targets = tuple(
        Target(t["point"], frozenset(Level.parse(word) for word in t.get("levels", []))) for t in body["targets"]
    )
    if not conditions or not targets:
        raise ValueError("规则至少要有一个条件和一个被抑制的报警")
    wrong = next((c.op for c in conditions if c.op not in OPERATORS and c.op != "level"), None)
    if wrong is not None:
        raise ValueError(f"比较符应为 {' '.join(OPERATORS)} 或 level,收到 {wrong!r}")
    # An alarm that hides itself as soon as it comes would never be seen.
    own = {c.point for c in conditions} & {t.point for t in targets}
    if own:
        raise ValueError(f"指标 {min(own)} 不能抑制自己")
    return Rule(
        id_, version, body["name"], bool(body.get("every", True)), conditions, targets,
        int(body.get("release_s") or 0),
    )  # fmt: skip
