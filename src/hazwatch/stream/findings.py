"""From the judge's rows to what the alarm desk takes. Pure."""

from __future__ import annotations

from hazwatch.alarms.model import Transition
from hazwatch.alarms.service import Finding, Revision
from hazwatch.judge import kernel
from hazwatch.judge.judge import Rows
from hazwatch.vocabulary.levels import Level


def findings(rows: Rows, arrived_at: int, limit_version: int, *, background: bool) -> list[Finding]:
    """Transitions and revisions in the order in which they were found.

    Args:
        rows: of one verdict.
        arrived_at: arrival of what led to them, epoch ms.
        limit_version: version of the limits in force.
        background: what the background lane brings was found late and never rings.
    """
    out: list[Finding] = []
    amended: list[Transition] = []
    for row in rows:
        if row["kind"] == kernel.REVISION:
            amended = []
            out.append(Revision(int(row["point"]), int(row["event_ts"]), arrived_at, amended))
            continue
        late = background or bool(row["kind"] == kernel.AMENDED)
        transition = Transition(
            int(row["point"]), int(row["event_ts"]), arrived_at, Level(int(row["from_level"])),
            Level(int(row["to_level"])), float(row["value"]), float(row["limit"]), limit_version, late,
        )  # fmt: skip
        if row["kind"] == kernel.AMENDED:
            amended.append(transition)
        else:
            out.append(transition)
    return out
