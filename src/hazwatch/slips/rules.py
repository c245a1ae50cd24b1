"""Pure: the clocks of a region as people write them: every wrong field with its reason, and what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from hazwatch.slips.clocks import LONGEST_MIN, STANDARD, Rules, Unit, form_of, rules_of
from hazwatch.vocabulary.moments import CHINA
from hazwatch.vocabulary.warnings import Tier

_COLOURS = tuple(colour.word for colour in STANDARD)
_SPANS = ("confirm", "start", "feedback", "review", "again")
_TIERS = tuple(tier.word for tier in Tier)
_UNITS = tuple(unit.value for unit in Unit)
_MOST = 24
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
#: What comes first may not be due later: confirmation, beginning, feedback.
_ORDER = (
    ("confirm", "start", "开始处置的时限不应短于确认的时限"),
    ("start", "feedback", "反馈的时限不应短于开始处置的时限"),
)


class RulesError(ValueError):
    """What is wrong with rules: field → reason, in Chinese."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__(";".join(f"{name}:{why}" for name, why in wrong.items()))
        self.wrong = dict(wrong)


def checked(body: Mapping[str, Any], special: Mapping[str, bool], zone: tzinfo = CHINA) -> Rules:
    """Rules from what somebody wrote; what is left out is standard.

    Raises:
        RulesError: every wrong field.
    """
    if wrong := dict(_wrong(body)):
        raise RulesError(wrong)
    try:
        rules = rules_of(body, special, zone)
    except ValueError as error:
        raise RulesError({"hours": str(error)}) from error
    if wrong := dict(_out_of_order(rules)):
        raise RulesError(wrong)
    return rules


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two forms of rules: ``colours.red.confirm``, ``hours``, ``shifts`` → old and new."""
    was, now = _flat(old), _flat(new)
    return {name: (was.get(name), value) for name, value in now.items() if was.get(name) != value}


def _flat(form: Mapping[str, Any]) -> dict[str, Any]:
    spans = {f"colours.{c}.{name}": span for c, row in form.get("colours", {}).items() for name, span in row.items()}
    return {**spans, **{name: form[name] for name in ("hours", "shifts") if name in form}}


def _wrong(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in body.keys() - {"colours", "hours", "shifts"}:
        yield name, "没有这个参数"
    colours = body.get("colours", {})
    if not isinstance(colours, Mapping):
        yield "colours", "应为 颜色 → 时限"
        colours = {}
    for word, row in colours.items():
        if word not in _COLOURS or not isinstance(row, Mapping):
            yield f"colours.{word}", f"应为 {'、'.join(_COLOURS)} 之一的时限"
            continue
        for name, span in row.items():
            if why := _wrong_span(name, span):
                yield f"colours.{word}.{name}", why
    yield from _wrong_times("hours", body.get("hours"))
    yield from _wrong_times("shifts", body.get("shifts"))


def _wrong_span(name: str, span: Any) -> str:
    if name == "top":
        return "" if span in _TIERS else f"应为 {'、'.join(_TIERS)} 之一"
    if name not in _SPANS:
        return "没有这个时限"
    if span is None:
        return "" if name == "again" else "这个时限必须有"
    if not isinstance(span, Mapping) or span.keys() - {"minutes", "unit"}:
        return "应为 {minutes, unit}"
    minutes = span.get("minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= LONGEST_MIN:
        return f"请填 1 至 {LONGEST_MIN} 的整数分钟"
    return "" if span.get("unit", "wall") in _UNITS else f"计时方式应为 {'、'.join(_UNITS)} 之一"


def _wrong_times(name: str, given: Any) -> Iterator[tuple[str, str]]:
    if given is None:
        return
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST:
        yield name, "请至少填写一个时段" if name == "hours" else "请至少填写一个交接班时刻"
        return
    flat: list[Any] = []
    for one in given:
        pair = one if isinstance(one, list) else [one]
        if len(pair) != (2 if name == "hours" else 1):
            yield name, "应为 [[起, 止], …]" if name == "hours" else "应为 [时刻, …]"
            return
        flat += pair
    ends_at_midnight = name == "hours" and flat[-1] == "24:00"
    if not all(isinstance(text, str) and _TIME.fullmatch(text) for text in (flat[:-1] if ends_at_midnight else flat)):
        yield name, "时刻应写成 08:30 的样式"
    elif flat != sorted(set(flat)):
        yield name, "时刻应由早到晚、互不重叠"


def _out_of_order(rules: Rules) -> Iterator[tuple[str, str]]:
    for colour, row in form_of(rules)["colours"].items():
        for first, then, why in _ORDER:
            a, b = row[first], row[then]
            if a["unit"] == b["unit"] and b["minutes"] < a["minutes"]:
                yield f"colours.{colour}.{then}", why
