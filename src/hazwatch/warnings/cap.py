"""Pure: warnings in the words of CAP 1.2 (docs/warnings.md has the table)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hazwatch.documents.cap import CapMessage
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import WarningKind
from hazwatch.warnings.model import Deed

SEVERITY: Mapping[Colour, str] = {
    Colour.RED: "Extreme", Colour.ORANGE: "Severe", Colour.YELLOW: "Moderate", Colour.BLUE: "Minor",
    Colour.NONE: "Minor",
}  # fmt: skip
_URGENCY: Mapping[Colour, str] = {
    Colour.RED: "Immediate", Colour.ORANGE: "Immediate", Colour.YELLOW: "Expected", Colour.BLUE: "Future",
    Colour.NONE: "Past",
}  # fmt: skip
#: Trends and forecasts are likely; what instruments and people report is observed.
_LIKELY = frozenset({"T"})
_OPENING = (Deed.RAISED, Deed.REOPENED)
_TYPE = {Deed.RAISED: "Alert", Deed.REOPENED: "Alert", Deed.CLEARED: "Cancel"}
#: Deeds that are told to the outside; receipts and escalation are our own affair.
TOLD = (Deed.RAISED, Deed.UPGRADED, Deed.DOWNGRADED, Deed.MERGED, Deed.CLEARED, Deed.REOPENED)


@dataclass(frozen=True, slots=True)
class CapEvent:
    """One thing that happened: number of its row, what, when it was written, the colour after it."""

    number: int
    deed: Deed
    at: int
    colour: Colour
    cause: str
    reason: str


def identifier(warning: str, event: CapEvent) -> str:
    """Of a message: one for each event."""
    return f"hazwatch-{warning}-{event.number}"


def message(
    warning: str, kind: WarningKind, object_: str, name: str, raised_at: int, events: Sequence[CapEvent], sender: str,
    *, exercise: bool,
) -> CapMessage:  # fmt: skip
    """The message of the last of some events; it refers to all before it since the warning was last (re)opened.

    Args:
        warning, kind, object_, name, raised_at: of the warning.
        events: told ones, in their order, at least one.
        sender: of all messages.
        exercise: the object is made up.
    """
    now = events[-1]
    opened = max(n for n, e in enumerate(events) if e.deed in _OPENING)
    shown = now.colour if now.colour is not Colour.NONE else max(e.colour for e in events)
    over = now.deed is Deed.CLEARED
    return CapMessage(
        identifier=identifier(warning, now), sender=sender, sent=now.at, exercise=exercise,
        msg_type=_TYPE.get(now.deed, "Update"), references=[(identifier(warning, e), e.at) for e in events[opened:-1]],
        event=f"危险化学品安全生产风险{shown.zh}色预警", urgency="Past" if over else _URGENCY[shown],
        severity=SEVERITY[shown], certainty="Likely" if now.cause in _LIKELY else "Observed", onset=raised_at,
        sender_name="危险化学品安全生产风险监测预警系统", headline=f"{name} 风险{shown.zh}色预警{now.deed.zh}",
        description=now.reason, area=name,
        parameters=[("warning", warning), ("colour", now.colour.word), ("cause", now.cause), ("deed", now.deed.value)],
        geocodes=[(f"hazwatch:{kind.value}", object_)],
    )  # fmt: skip
