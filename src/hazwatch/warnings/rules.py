"""Pure: who acts on a warning and who is told, by colour and region; key regions; the window of merging.

The table is risk.md §7's; the figures have no public source and are this product's own. A version is plain data and
never changes; its digest stands on every warning that it ruled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import MINUTE
from hazwatch.vocabulary.warnings import Tier

_TIERS: Mapping[str, Tier] = {tier.word: tier for tier in Tier}
_COLOURS: Mapping[str, Colour] = {c.word: c for c in Colour if c is not Colour.NONE}
_LONGEST_MERGE_MIN = 1440
_MOST_REGIONS = 5_000


@dataclass(frozen=True, slots=True)
class Recipients:
    """Tiers that act on a colour, and those that are told only."""

    act: frozenset[Tier]
    inform: frozenset[Tier]

    def form(self) -> dict[str, list[str]]:
        """As plain data."""
        return {"act": [t.word for t in sorted(self.act)], "inform": [t.word for t in sorted(self.inform)]}


Table = Mapping[Colour, Recipients]


def _of(act: int, *inform: Tier) -> Recipients:
    return Recipients(frozenset(t for t in Tier if t <= act), frozenset(inform))


#: risk.md §7: 红 up to the province, the ministry on call; 橙 up to the city; 黄 up to the county; 蓝 the enterprise.
TABLE: Table = {
    Colour.RED: _of(Tier.PROVINCE, Tier.MINISTRY), Colour.ORANGE: _of(Tier.CITY, Tier.PROVINCE),
    Colour.YELLOW: _of(Tier.COUNTY, Tier.CITY), Colour.BLUE: _of(Tier.ENTERPRISE, Tier.PARK, Tier.COUNTY),
}  # fmt: skip


class RulesError(ValueError):
    """What is wrong with rules: field → reason, in Chinese."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__(";".join(f"{name}:{why}" for name, why in wrong.items()))
        self.wrong = dict(wrong)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a node.

    Attributes:
        merge_min: a cleared warning is opened again by a cause it had within these minutes.
        table: recipients by colour.
        regions: code of a region or park → what differs there and below; the nearest one above an object rules.
        key_regions: codes of counties, cities or provinces that get warnings of their own (重点区域).
    """

    merge_min: float = 30.0
    table: Table = field(default_factory=lambda: dict(TABLE))
    regions: Mapping[str, Table] = field(default_factory=dict)
    key_regions: tuple[str, ...] = ()

    @property
    def window_ms(self) -> int:
        """The window of merging."""
        return round(self.merge_min * MINUTE)

    def recipients(self, path: str, colour: Colour) -> Recipients:
        """Who gets a warning of a colour about an object at a path."""
        for code in reversed(path.strip("/").split("/")):
            found = self.regions.get(code, {}).get(colour)
            if found is not None:
                return found
        return self.table[colour]

    def form(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "merge_min": self.merge_min, "table": _told(self.table),
            "regions": {code: _told(table) for code, table in sorted(self.regions.items())},
            "key_regions": sorted(self.key_regions),
        }  # fmt: skip

    def digest(self) -> str:
        """SHA-256 of the rules, 12 hex digits."""
        text = json.dumps(self.form(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


DEFAULT = Rules()


def _told(table: Table) -> dict[str, Any]:
    return {colour.word: table[colour].form() for colour in sorted(table, reverse=True)}


def parse(body: Mapping[str, Any]) -> Rules:
    """Rules from plain data.

    Raises:
        RulesError: every wrong field with its reason.
    """
    wrong = dict(_wrong(body))
    if wrong:
        raise RulesError(wrong)
    regions = {code: _table(t) for code, t in body.get("regions", {}).items()}
    table = {**TABLE, **_table(body.get("table", {}))}
    return Rules(float(body.get("merge_min", DEFAULT.merge_min)), table, regions, tuple(body.get("key_regions", ())))


def differences(old: Rules, new: Rules) -> dict[str, tuple[Any, Any]]:
    """What differs: ``table.red``, ``regions.410900.blue``, ``merge_min``, ``key_regions`` → old, new (None = none)."""
    was, now = _flat(old), _flat(new)
    return {name: (was.get(name), now.get(name)) for name in was | now if was.get(name) != now.get(name)}


def _flat(rules: Rules) -> dict[str, Any]:
    form = rules.form()
    tables = {f"table.{colour}": row for colour, row in form["table"].items()}
    regions = {
        f"regions.{code}.{colour}": row for code, table in form["regions"].items() for colour, row in table.items()
    }
    return {"merge_min": form["merge_min"], **tables, **regions, "key_regions": form["key_regions"]}


def _table(body: Mapping[str, Any]) -> dict[Colour, Recipients]:
    return {
        _COLOURS[word]: Recipients(
            frozenset(_TIERS[t] for t in row["act"]),
            frozenset(_TIERS[t] for t in row.get("inform", ())) - {_TIERS[t] for t in row["act"]},
        )
        for word, row in body.items()
    }


def _wrong(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in body.keys() - {"merge_min", "table", "regions", "key_regions"}:
        yield name, "没有这个参数"
    minutes = body.get("merge_min", 0)
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 <= minutes <= _LONGEST_MERGE_MIN:
        yield "merge_min", f"应为 0–{_LONGEST_MERGE_MIN} 分钟"
    keys = body.get("key_regions", [])
    if not isinstance(keys, list) or len(keys) > _MOST_REGIONS or not all(isinstance(k, str) for k in keys):
        yield "key_regions", "应为区域编码列表"
    regions = body.get("regions", {})
    if not isinstance(regions, Mapping) or len(regions) > _MOST_REGIONS:
        yield "regions", "应为 区域编码 → 接收层级表"
        regions = {}
    yield from _wrong_table("table", body.get("table", {}))
    for code, table in regions.items():
        yield from _wrong_table(f"regions.{code}", table)


def _wrong_table(name: str, table: object) -> Iterator[tuple[str, str]]:
    if not isinstance(table, Mapping):
        yield name, "应为 颜色 → {act, inform}"
        return
    for word, row in table.items():
        if word not in _COLOURS:
            yield f"{name}.{word}", f"应为 {'、'.join(_COLOURS)} 之一"
        elif not isinstance(row, Mapping) or not row.get("act") or row.keys() - {"act", "inform"}:
            yield f"{name}.{word}", "应有 act(至少一个层级),可有 inform"
        else:
            named = [t for part in row.values() for t in (part if isinstance(part, list) else [part])]
            if any(t not in _TIERS for t in named):
                yield f"{name}.{word}", f"层级应为 {'、'.join(_TIERS)}"
