"""Pure: stored grades scored again with another configuration: which changes of colour would have come and gone.

The inputs of every grade that was written are the evidence. Between two of them nothing moved by a point under the
configuration that was in force, so a draft that weighs something much more sees it at most that late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hazwatch.risk import objects
from hazwatch.risk.configuration import Configuration
from hazwatch.risk.explain import Kept
from hazwatch.risk.features import SERVICES
from hazwatch.risk.model import MINUTE_MS, Held, hold
from hazwatch.risk.scorer import InProcess
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import iso

#: Changes told one by one; all of them are counted.
_TOLD = 500


@dataclass(frozen=True, slots=True)
class Step:
    """A source at one moment under one configuration: colour shown, score."""

    object: str
    at: int
    colour: Colour
    score: float


def _rescored(kept: Sequence[Kept], k: Configuration) -> list[Step]:
    """Scores with hysteresis, in order of object and time."""
    by_service: dict[str, list[int]] = {}
    for n, grade in enumerate(kept):
        by_service.setdefault(grade.inputs["service"], []).append(n)
    scores: dict[int, tuple[float, Colour, Colour]] = {}
    for name, places in by_service.items():
        service = SERVICES[name]
        batch = InProcess().score(service, [objects.parse(service, kept[n].inputs["asked"]) for n in places], k)
        for m, n in enumerate(places):
            scores[n] = (float(batch.score[m]), Colour(int(batch.colour[m])), Colour(int(batch.floor[m])))
    steps: list[Step] = []
    wait = round(k.fall_after_min * MINUTE_MS)
    held: dict[str, Held] = {}
    last_colour: dict[str, Colour] = {}
    for n in sorted(range(len(kept)), key=lambda i: (kept[i].object, kept[i].at, kept[i].id)):
        grade = kept[n]
        score, colour, floor = scores[n]
        before = held.get(grade.object)
        if before and before.lower_since is not None and (due := before.lower_since + wait) < grade.at:
            # It would have fallen in between, to what it was when it began to wait.
            last = steps[-1]
            fallen = min(before.colour, last_colour[grade.object])
            steps.append(Step(grade.object, due, fallen, last.score))
            before = Held(fallen)
        now = hold(before, score, colour, floor, grade.at, k) if before else Held(colour)
        held[grade.object] = now
        last_colour[grade.object] = colour
        steps.append(Step(grade.object, grade.at, now.colour, score))
    return steps


def compare(kept: Sequence[Kept], old: Configuration, new: Configuration) -> dict[str, Any]:
    """Both configurations over the same evidence.

    Args:
        kept: grades of sources with their inputs, of one period.
        old, new: configurations.

    Returns:
        ``{grades, objects, old, new, come, gone, changes}``: episodes of 橙 or 红 by object that only the new (come) or
        only the old one (gone) has, counts of rises by colour, and the episodes one by one.
    """
    usable = [g for g in kept if g.inputs.get("mode") in ("scored", "unknown", "fallback")]
    a, b = _rescored(usable, old), _rescored(usable, new)
    out: dict[str, Any] = {
        "grades": len(usable), "objects": len({g.object for g in usable}), "old": _rises(a), "new": _rises(b),
        "old_digest": old.digest(), "new_digest": new.digest(),
    }  # fmt: skip
    changes: list[dict[str, Any]] = []
    counts = {"come": 0, "gone": 0}
    for colour in (Colour.RED, Colour.ORANGE, Colour.YELLOW):
        mine, theirs = _episodes(a, colour), _episodes(b, colour)
        for kind, own, other in (("gone", mine, theirs), ("come", theirs, mine)):
            for code, begin, end in own:
                if not any(c == code and s <= end and begin <= e for c, s, e in other):
                    counts[kind] += 1
                    changes.append(
                        {"kind": kind, "object": code, "colour": colour.word, "from": iso(begin), "to": iso(end)}
                    )
    changes.sort(key=lambda c: (c["from"], c["object"], c["colour"]))
    return out | counts | {"changes": changes[:_TOLD], "changes_total": len(changes)} | _moved(a, b)


def _rises(steps: Sequence[Step]) -> dict[str, int]:
    """How often each colour was risen to."""
    counts = {c.word: 0 for c in (Colour.RED, Colour.ORANGE, Colour.YELLOW, Colour.BLUE)}
    last: dict[str, Colour] = {}
    for step in steps:
        if step.colour > last.get(step.object, Colour.NONE):
            counts[step.colour.word] += 1
        last[step.object] = step.colour
    return counts


def _episodes(steps: Sequence[Step], colour: Colour) -> list[tuple[str, int, int]]:
    """When each object was at a colour or worse: (object, begin, end)."""
    out: list[tuple[str, int, int]] = []
    begun: dict[str, int] = {}
    last: dict[str, int] = {}
    for step in steps:
        if step.colour >= colour and step.object not in begun:
            begun[step.object] = step.at
        elif step.colour < colour and step.object in begun:
            out.append((step.object, begun.pop(step.object), step.at))
        last[step.object] = step.at
    out += [(code, begin, max(begin, last.get(code, begin))) for code, begin in begun.items()]
    return out


def _moved(a: Sequence[Step], b: Sequence[Step]) -> dict[str, float]:
    """How far scores lie apart where both have one."""
    theirs = {(s.object, s.at): s.score for s in b}
    gaps = np.array([theirs[key] - s.score for s in a if (key := (s.object, s.at)) in theirs])
    if not len(gaps):
        return {"score_change_mean": 0.0, "score_change_most": 0.0}
    most = gaps[np.argmax(np.abs(gaps))]
    return {"score_change_mean": round(float(gaps.mean()), 2), "score_change_most": round(float(most), 2)}
