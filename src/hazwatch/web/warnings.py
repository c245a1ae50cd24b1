"""The routes of warnings, wired: who answers for the whole node, and what the slips say."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from hazwatch.app.weather import Weather
from hazwatch.identity.deps import Gate
from hazwatch.identity.model import Principal
from hazwatch.records.engine import Sessions
from hazwatch.settings import Settings
from hazwatch.slips.views import clocks_of_warnings
from hazwatch.vocabulary.moments import Clock
from hazwatch.warnings import api
from hazwatch.warnings.weather_book import Taken
from hazwatch.web.risk import answers_for_all


def router(
    sessions: Sessions, gate: Gate, clock: Clock, settings: Settings, changed: Callable[[], None],
    risk_changed: Callable[[], None],
    slips_of: api.SlipsOf,
) -> APIRouter:  # fmt: skip
    """The routes of the warning room."""
    weather = Weather(sessions, clock)

    def take_weather(who: Principal, message: bytes, origin: str) -> Taken:
        taken = weather.take_in(who, message, origin)
        if taken.new or taken.over:
            risk_changed()
        return taken

    return api.router(
        api.Tools(
            sessions=sessions, gate=gate, clock=clock, zone=ZoneInfo(settings.zone), rules_changed=changed,
            whole=lambda who: answers_for_all(sessions, who), slips_of=slips_of, slip_clocks=clocks_of_warnings,
            take_weather=take_weather,
        )
    )  # fmt: skip
