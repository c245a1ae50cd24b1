"""Pure: what hangs on the tree and is inherited downwards: guidance, and how alarms are annunciated.

The chain of a point runs from the province over its enterprise, source and equipment to the point itself. On every
node something may be said for all alarms (part "") or for one part: guidance by level, annunciation by priority. What
is said lower down, and there for the part rather than for all, wins field by field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hazwatch.alarms.model import KIND_QUALITY
from hazwatch.vocabulary.codes import EQUIPMENT_LENGTH, SOURCE_LENGTH
from hazwatch.vocabulary.levels import Level

GUIDANCE, POLICY = "guidance", "policy"
FIELDS = {
    GUIDANCE: ("cause", "consequence", "action", "respond_s"),
    POLICY: ("latch", "realarm_s", "shelve_max_s"),
}
#: The parts of each topic besides "" (all).
PARTS = {GUIDANCE: ("LL", "L", "H", "HH", "quality"), POLICY: ("1", "2", "3")}

#: What holds where the tree says nothing. Longest shelving by priority: the more urgent, the shorter.
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    GUIDANCE: {},
    POLICY: {
        "": {"latch": False, "realarm_s": None},
        "1": {"shelve_max_s": 3_600},
        "2": {"shelve_max_s": 8 * 3_600},
        "3": {"shelve_max_s": 24 * 3_600},
    },
}
#: Off is a named value, never a zero: a field set to this word is off whatever stands above.
OFF = "off"

#: (node, part) → fields that are set there.
Said = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Policy:
    """How an alarm is annunciated.

    Attributes:
        latch: it stays after its return until a person resets it.
        realarm_s: acknowledged and still standing it rings again after this many seconds; None = never.
        shelve_max_s: longest shelving, seconds.
    """

    latch: bool
    realarm_s: int | None
    shelve_max_s: int


def chain(path: str, point_code: str) -> list[str]:
    """The nodes of a point, top first: regions, park, enterprise, source, equipment, point."""
    return [
        *(code for code in path.split("/") if code),
        point_code[:SOURCE_LENGTH],
        point_code[:EQUIPMENT_LENGTH],
        point_code,
    ]


def part_of(kind: str, level: Level) -> str:
    """The part of the guidance that speaks of an alarm."""
    return KIND_QUALITY if kind == KIND_QUALITY else level.word


def inherited(topic: str, nodes: Sequence[str], part: str, said: Said) -> dict[str, tuple[Any, str]]:
    """Every field that is set for a part, with the node that says it ("" = default).

    Args:
        topic: guidance or policy.
        nodes: the chain, top first.
        part: of the topic.
        said: what is set where.
    """
    found: dict[str, tuple[Any, str]] = {}
    for one in ("", part):
        found |= {name: (value, "") for name, value in DEFAULTS[topic].get(one, {}).items()}
    for node in nodes:
        for one in dict.fromkeys(("", part)):
            for name, value in said.get((node, one), {}).items():
                found[name] = (None if value == OFF else value, node)
    return found


def policy(nodes: Sequence[str], priority: int, said: Said) -> Policy:
    """How an alarm of a priority is annunciated at a point."""
    fields = inherited(POLICY, nodes, str(priority), said)
    return Policy(bool(fields["latch"][0]), fields["realarm_s"][0], int(fields["shelve_max_s"][0]))
