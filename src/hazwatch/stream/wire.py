"""Under which names the processes of a node speak to each other on the log: what is told, and what is asked."""

from __future__ import annotations

SUBJECT_VALUES, SUBJECT_ALARMS, SUBJECT_GRADES, SUBJECT_BEAT, SUBJECT_LINKS = (
    "hz.live.values",
    "hz.live.alarms",
    "hz.live.grades",
    "hz.live.beat",
    "hz.live.links",
)
SUBJECT_REGISTRY = "hz.live.registry"
#: Warnings that were raised or changed; and that their rules were.
SUBJECT_WARNINGS, SUBJECT_WARNING_RULES = "hz.live.warnings", "hz.live.warningrules"
RPC_LEDGER = "hz.rpc.ledger"
RPC_WHATIF = "hz.rpc.whatif"
RPC_FORECAST = "hz.rpc.forecast"
#: Rules of suppression or ways of annunciation were changed.
SUBJECT_ALARM_ROOM = "hz.live.alarmroom"
#: Records for the risk terms were declared or withdrawn, or another configuration of the models is in force.
SUBJECT_RISK = "hz.live.risk"
RPC_VALUES, RPC_GRADES, RPC_SERIES, RPC_ALARM = (
    "hz.rpc.values",
    "hz.rpc.grades",
    "hz.rpc.series",
    "hz.rpc.alarm",
)
RPC_SCENARIOS, RPC_SCENARIO_START, RPC_SCENARIO_STOP = (
    "hz.rpc.scenarios",
    "hz.rpc.scenario.start",
    "hz.rpc.scenario.stop",
)
