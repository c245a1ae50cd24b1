"""Link reports: what the 接入 page shows of a link, every second. Pure: status, configuration, time in; rows out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hazwatch.access.directory import LinkConfig
from hazwatch.access.port import LinkStatus

#: A gateway that calls us without a lasting connection counts as offline after three missed heartbeats of 30 s.
OFFLINE_AFTER_S: Final = 90.0
_RATE_WINDOW_S: Final = 10.0


class LinkState(StrEnum):
    """State of a link (docs/api.md)."""

    ONLINE = "online"
    STALE = "stale"
    OFFLINE = "offline"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class LinkReport:
    """A row of ``GET /api/v1/links``; fields as documented there, times in epoch ms (0 = never)."""

    code: str
    name: str
    protocol: str
    enterprise: str
    state: LinkState
    delay_ms: int
    last_data_at: int
    samples: int
    rate: float
    gaps: int
    duplicates: int
    rejected: int
    last_error: str
    last_error_at: int
    simulated: bool
    address: str

    def as_dict(self) -> dict[str, Any]:
        """As in the API, without the name of the enterprise."""
        row = {name: getattr(self, name) for name in self.__slots__ if not name.startswith("last_error")}
        row["state"] = str(self.state)
        row["last_error"] = {"at": self.last_error_at, "text": self.last_error} if self.last_error else None
        return row


def state_of(link: LinkConfig, status: LinkStatus, now: int) -> LinkState:
    """The state of a link at ``now`` (epoch ms)."""
    silent_s = (now - status.last_data_at) / 1000.0
    if not status.last_data_at:
        return LinkState.STALE if status.connected else LinkState.NEVER
    if not status.connected:
        return LinkState.OFFLINE
    if link.protocol == "national" and silent_s > float(link.options.get("offline_s", OFFLINE_AFTER_S)):
        return LinkState.OFFLINE
    return LinkState.STALE if silent_s > link.stale_after_s else LinkState.ONLINE


class Reporter:
    """Makes reports and remembers what it needs for rates."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int, float]] = {}  # code → time, samples, rate

    def reports(
        self, links: Mapping[str, LinkConfig], statuses: Mapping[str, LinkStatus], now: int
    ) -> list[LinkReport]:
        """One row per link."""
        return [self._report(link, statuses.get(code) or LinkStatus(code), now) for code, link in links.items()]

    def _report(self, link: LinkConfig, status: LinkStatus, now: int) -> LinkReport:
        delay = max(0, status.last_data_at - status.last_event_at) if status.last_data_at else 0
        return LinkReport(
            link.code,
            link.name,
            link.protocol,
            link.enterprise,
            state_of(link, status, now),
            delay,
            status.last_data_at,
            status.samples,
            round(self._rate(status, now), 1),
            status.gaps,
            status.duplicates,
            status.rejected,
            status.last_error,
            status.last_error_at,
            link.simulated,
            link.address,
        )

    def _rate(self, status: LinkStatus, now: int) -> float:
        """Samples a second, smoothed over ten seconds."""
        before = self._before.get(status.code)
        if before is None:
            self._before[status.code] = (now, status.samples, 0.0)
            return 0.0
        then, samples, rate = before
        if now <= then:
            return rate
        elapsed = (now - then) / 1000.0
        weight = 1.0 - math.exp(-elapsed / _RATE_WINDOW_S)
        rate += weight * ((status.samples - samples) / elapsed - rate)
        self._before[status.code] = (now, status.samples, rate)
        return rate


class Turns:
    """Which reports are told now: every link whose state changed, and of thousands of others a tenth at a time."""

    _FEW: Final = 500
    _TURNS: Final = 10

    def __init__(self) -> None:
        self._turn = 0
        self._states: dict[str, LinkState] = {}

    def next(self, reports: list[LinkReport]) -> tuple[list[LinkReport], bool]:
        """The reports of this second, and whether they are all there are."""
        states = {r.code: r.state for r in reports}
        before, self._states = self._states, states
        if len(reports) <= self._FEW or states.keys() != before.keys():
            return reports, True
        self._turn = (self._turn + 1) % self._TURNS
        return [
            r for n, r in enumerate(reports) if n % self._TURNS == self._turn or before.get(r.code) is not r.state
        ], False
