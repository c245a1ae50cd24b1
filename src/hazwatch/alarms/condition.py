"""An alarm record in the words of OPC UA Part 9 (Alarms and Conditions), for clients that speak them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hazwatch.alarms.holds import ONE_SHOT
from hazwatch.alarms.model import KIND_QUALITY, OPEN, WAITING, Record, State
from hazwatch.vocabulary.levels import Level

#: Severity 1–1000 (Part 9 leaves the bands to the server; Annex of IEC 62541-9: 1–333 low, 334–666 medium, else high).
_SEVERITY = {1: 900, 2: 600, 3: 200}


def condition(record: Record, shown: Mapping[str, Any]) -> dict[str, Any]:
    """States of the condition (``AlarmConditionType``) and of its limits (``ExclusiveLimitStateMachineType``).

    ConfirmedState is always true: this system knows no second confirmation.

    Args:
        record: the alarm.
        shown: its form in the API, for names and times.
    """
    return {
        "ConditionType": "OffNormalAlarmType" if record.kind == KIND_QUALITY else "ExclusiveLevelAlarmType",
        "ConditionId": record.id,
        "SourceName": shown["point"],
        "ConditionName": shown["point_name"],
        "Time": shown["event_time"],
        "ReceiveTime": shown["arrived_at"],
        "Severity": _SEVERITY[record.priority],
        "Retain": record.state in OPEN,
        "EnabledState": record.state is not State.OUT_OF_SERVICE,
        "ActiveState": record.active,
        "LimitState": {Level.LL: "LowLow", Level.L: "Low", Level.H: "High", Level.HH: "HighHigh"}.get(record.level),
        "AckedState": record.state not in WAITING,
        "ConfirmedState": True,
        "LatchedState": record.latched,
        "SuppressedState": record.state is State.SUPPRESSED,
        "ShelvingState": _shelving(record),
        "OutOfServiceState": record.state is State.OUT_OF_SERVICE,
        "SuppressedOrShelved": record.state in (State.SUPPRESSED, State.SHELVED, State.OUT_OF_SERVICE),
        "SilenceState": bool(record.silenced_in),
        "Comment": record.note,
        "ClientUserId": record.acknowledged_by,
    }


def _shelving(record: Record) -> str:
    """Name in the ``ShelvedStateMachineType``."""
    if record.state is not State.SHELVED:
        return "Unshelved"
    return "OneShotShelved" if record.aside and record.aside.mode == ONE_SHOT else "TimedShelved"
