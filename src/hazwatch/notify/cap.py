"""Pure: alarms as CAP 1.2 messages (OASIS Common Alerting Protocol), and the Atom feed that lists them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from hazwatch.documents.cap import ATOM, CAP, CapMessage, Entry, document
from hazwatch.documents.cap import feed as atom

__all__ = ["ATOM", "CAP", "CapAlarm", "alert", "feed", "identifier"]
_SEVERITY = {1: "Severe", 2: "Moderate"}


@dataclass(frozen=True, slots=True)
class CapAlarm:
    """An alarm as far as CAP goes. ``changed`` = its newest change; ``closed`` = over and seen, or revoked."""

    id: str
    begun: int
    changed: int
    closed: bool
    simulated: bool
    priority: int
    level: str
    point: str
    name: str
    source: str
    enterprise: str
    value: float | None
    limit: float | None
    unit: str


def identifier(alarm: CapAlarm) -> str:
    """One message for each state told: CAP allows no spaces, commas, < or & in it."""
    return f"hazwatch-{alarm.id}-{alarm.changed}"


def alert(alarm: CapAlarm, sender: str, zone: tzinfo) -> bytes:
    """One alarm as a CAP 1.2 document."""
    first = alarm.changed <= alarm.begun
    told = [("point", alarm.point), ("value", _number(alarm.value)), ("limit", _number(alarm.limit))]
    message = CapMessage(
        identifier=identifier(alarm), sender=sender, sent=alarm.changed, exercise=alarm.simulated,
        msg_type="Cancel" if alarm.closed else "Alert" if first else "Update",
        references=[(f"hazwatch-{alarm.id}-{alarm.begun}", alarm.begun)] if alarm.closed or not first else [],
        event=f"危险化学品监测报警({alarm.level})", urgency="Past" if alarm.closed else "Immediate",
        severity=_SEVERITY.get(alarm.priority, "Minor"), certainty="Observed", onset=alarm.begun,
        sender_name=alarm.enterprise, headline=f"{alarm.enterprise} {alarm.source} {alarm.name} {alarm.level}",
        parameters=[(n, f"{v} {alarm.unit}".strip() if n != "point" else v) for n, v in told if v],
        area=f"{alarm.enterprise} {alarm.source}",
    )  # fmt: skip
    return document(message, zone)


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:g}"


def feed(alarms: Sequence[CapAlarm], base: str, now: int, zone: tzinfo) -> bytes:
    """An Atom feed of CAP messages, newest first; each entry leads to its document."""
    entries = [
        Entry(identifier(a), f"{a.enterprise} {a.source} {a.name} {a.level}", a.changed, a.id) for a in alarms
    ]  # fmt: skip
    return atom(entries, "cap", "危险化学品监测报警(CAP 1.2)", base, now, zone)
