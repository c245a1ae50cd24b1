"""The node's side of the check: what its store and the running minutes of its engines hold."""

from __future__ import annotations

from typing import Any

import orjson

from hazwatch.log.client import Log
from hazwatch.log.shares import Share, all_shares
from hazwatch.stream import wire

_NAMES = ("samples", "total", "weighted")
_TIMEOUT_S = 120.0


async def read(log: Log, shares: int) -> dict[str, Any]:
    """Good samples in all, their sum and weighted sum, and what the store's tables take.

    Of several shares, each engine counts the store, which they have in common, and its own running minute. What one
    flushes after another has counted would be missed, so they are asked until two rounds agree.
    """
    before, now = None, await _round(log, shares)
    while shares > 1 and (before is None or any(before[name] != now[name] for name in _NAMES)):
        before, now = now, await _round(log, shares)
    return now


async def _round(log: Log, shares: int) -> dict[str, Any]:
    answers = [await _asked(log, share) for share in all_shares(shares)]
    last = answers[-1]
    counted = {name: last["store"][name] + sum(a["running"][name] for a in answers) for name in _NAMES}
    return {**counted, "tables": last["tables"]}


async def _asked(log: Log, share: Share) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(await log.ask(share.named(wire.RPC_LEDGER), timeout_s=_TIMEOUT_S))
    return found


def compare(parts: list[dict[str, Any]], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What was sent, in some parts, against what came into the store."""
    sent = {name: sum(part[name] for part in parts) for name in _NAMES}
    there = {name: after[name] - before[name] for name in _NAMES}
    return {
        "sent": sent["samples"], "stored": there["samples"], "lost_or_doubled": sent["samples"] - there["samples"],
        "checksum_equal": there["total"] == sent["total"] and there["weighted"] == sent["weighted"],
    }  # fmt: skip


def disk(samples: int, tables: dict[str, dict[str, int]]) -> dict[str, float]:
    """How much the history takes, of the parts that are in use."""
    size = sum(t["bytes"] for t in tables.values())
    kept = tables["samples"]
    return {
        "history_mib": round(size / 1024**2, 1), "bytes_per_sample_sent": round(size / max(1, samples), 3),
        "bytes_per_stored_sample": round(kept["bytes"] / max(1, kept["rows"]), 3), "rows": kept["rows"],
        "minute_rows": tables["minutes"]["rows"],
    }  # fmt: skip
