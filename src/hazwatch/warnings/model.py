"""Pure: from grades to warnings (docs/warnings.md says the rules in words).

A warning is about one object. While it stands there is never a second one for that object: a colour that rises upgrades
it at once, one that falls downgrades it, another cause is appended. One that was cleared is opened again when a cause
it had comes back within the window; after that, or by a new cause, there is a new warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import WarningKind

#: Causes that are no risk term: a direct rule; several sources at once; several enterprises at once.
FLOOR, MANY, CLUSTER = "floor", "many", "cluster"
CAUSES: Mapping[str, str] = {FLOOR: "直接规则", MANY: "多个危险源叠加", CLUSTER: "多家企业同时预警"}
#: Enterprises that have to stand in a colour for it to be a place's own.
_FEWEST = 2


class Deed(StrEnum):
    """What happens to a warning."""

    RAISED = "raised"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    MERGED = "merged"
    CLEARED = "cleared"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    SEEN = "seen"

    @property
    def zh(self) -> str:
        """The Chinese word on screen."""
        return _DEED_ZH[self]


_DEED_ZH = {
    Deed.RAISED: "发出", Deed.UPGRADED: "升级", Deed.DOWNGRADED: "降级", Deed.MERGED: "合并", Deed.CLEARED: "解除",
    Deed.REOPENED: "再次发出", Deed.ESCALATED: "逐级上报",
    Deed.SEEN: "已阅",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A grade that was written.

    Attributes:
        grade: its id; grades of one writer come in the order of their ids.
        kind, object, name, path: what was graded; ``kind`` None = a place that gets no warnings of its own.
        at: event time, epoch ms.
        colour: of the grade.
        bare: the colour that what is inherent gives by itself; no worse than that is no warning.
        worst: the worst colour among members (enterprises, places).
        cause: the leading cause; for an enterprise or place that of its own, see ``own``.
        sure: whether the grade was scored whole. Unknown, refused and reduced grades may raise, never lower or clear.
        reason, terms: as in the grade.
        simulated: whether the object is made up.
    """

    grade: int
    kind: WarningKind | None
    object: str
    name: str
    path: str
    at: int
    colour: Colour
    cause: str
    bare: Colour = Colour.NONE
    worst: Colour = Colour.NONE
    sure: bool = True
    reason: str = ""
    terms: str = "[]"
    simulated: bool = False

    @property
    def warned(self) -> Colour:
        """The colour that a warning would have."""
        return self.colour if self.colour > self.bare else Colour.NONE


@dataclass(slots=True)
class Standing:
    """A warning that stands, or was cleared not long ago. ``causes``: all it had, the leading one first."""

    id: str
    kind: WarningKind
    object: str
    name: str
    path: str
    causes: tuple[str, ...]
    colour: Colour
    worst: Colour
    raised_at: int
    changed_at: int
    cleared_at: int | None
    grade: int
    reason: str
    terms: str
    data: str = "{}"
    simulated: bool = False


def leading(terms: Iterable[Mapping[str, Any]], floor: Colour, colour: Colour) -> str:
    """The leading cause of a grade: a direct rule that gives the colour, else the live term that adds most.

    Args:
        terms: of the grade; the first is what is inherent.
        floor: colour of the direct rules that hold.
        colour: of the grade.
    """
    if floor is not Colour.NONE and floor >= colour:
        return FLOOR
    live = [(float(t["contribution"]), str(t["id"])) for t in list(terms)[1:] if t["contribution"] > 0]
    return min(live, key=lambda one: (-one[0], one[1]))[1] if live else ""


def own(change: Change, standing: Sequence[Colour]) -> bool:
    """Whether a grade has a cause of its own, so that it does not merely mirror one worst member.

    A source always has. An enterprise, park or region has when its colour is worse than that of its worst member; a
    park or region also when two enterprises have standing warnings of its colour or worse.

    Args:
        change: the grade.
        standing: of a place, the worst standing warning of each of its enterprises.
    """
    if change.kind is WarningKind.SOURCE or change.colour > change.worst:
        return True
    if change.kind is WarningKind.ENTERPRISE:
        return False
    return sum(colour >= change.colour for colour in standing) >= _FEWEST


def decide(last: Standing | None, change: Change, window_ms: int, *, own_cause: bool) -> Deed | None:
    """What a grade does to the newest warning of its object.

    Args:
        last: that warning, standing or cleared; None without one.
        change: the grade.
        window_ms: how long after its clearing a warning is opened again by a cause it had.
        own_cause: see ``own``; without it nothing is raised, but what stands follows its object.
    """
    colour = change.warned
    if last is None or last.cleared_at is not None:
        if colour is Colour.NONE or not own_cause:
            return None
        again = (
            last is not None
            and last.cleared_at is not None
            and change.cause in last.causes
            and change.at - last.cleared_at <= window_ms
        )
        return Deed.REOPENED if again else Deed.RAISED
    if colour > last.colour:
        return Deed.UPGRADED
    if colour < last.colour and change.sure:
        return Deed.CLEARED if colour is Colour.NONE else Deed.DOWNGRADED
    if colour is not Colour.NONE and change.cause and change.cause not in last.causes:
        return Deed.MERGED
    return None


def apply(last: Standing, deed: Deed, change: Change) -> None:
    """Bring a warning in step with what happened to it. Its reason stays that of its worst moment in this colour."""
    last.changed_at = max(last.changed_at, change.at)
    if deed is Deed.CLEARED:
        last.cleared_at = change.at
        return
    if deed is Deed.MERGED:
        last.causes = (*last.causes, change.cause)
        return
    # What gives it its colour now leads.
    if change.cause:
        last.causes = (change.cause, *(c for c in last.causes if c != change.cause))
    last.cleared_at = None
    last.colour, last.worst = change.warned, max(last.worst, change.warned)
    last.grade, last.reason, last.terms = change.grade, change.reason, change.terms


def begun(id_: str, change: Change, kind: WarningKind) -> Standing:
    """A new warning."""
    return Standing(
        id_, kind, change.object, change.name, change.path, (change.cause,), change.warned, change.warned, change.at,
        change.at, None, change.grade, change.reason, change.terms, simulated=change.simulated,
    )  # fmt: skip
