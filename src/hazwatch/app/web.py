"""The web process: pages, API and live stream."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from functools import partial
from threading import Thread

import uvicorn

from hazwatch.alarms.hold_store import owners_of
from hazwatch.app.chemistry import nature
from hazwatch.app.node import clock, give_back_memory, open_log, run_process, settle_memory
from hazwatch.disk import space_of
from hazwatch.identity.desk import Desk
from hazwatch.identity.secrets import master_key
from hazwatch.records.engine import Sessions, make_engine, make_sessions, reading
from hazwatch.registry.desk import RegistryDesk
from hazwatch.settings import Settings
from hazwatch.stream import wire
from hazwatch.web.application import Parts, create_app
from hazwatch.web.engines import Engines
from hazwatch.web.hub import Hub
from hazwatch.web.mirror import Mirror
from hazwatch.web.places import Places
from hazwatch.web.slip_news import SlipNews


def _owners(sessions: Sessions, ids: Collection[str]) -> Mapping[str, str]:
    with reading(sessions) as session:
        return owners_of(session, ids)


async def _main(settings: Settings) -> None:
    log = await open_log(settings, "web")
    sessions = make_sessions(make_engine(settings.records))
    places = Places(sessions)
    engines = Engines(log, settings.shares, partial(_owners, sessions))
    mirror = Mirror(clock, places, engines, space=space_of(settings.home))
    hub = Hub(log, mirror, places, clock)
    loop = asyncio.get_running_loop()

    def registry_changed(version: int) -> None:
        """Called in a worker thread after an import was committed."""
        asyncio.run_coroutine_threadsafe(log.tell(wire.SUBJECT_REGISTRY, str(version).encode()), loop).result(10)

    def alarm_room_changed() -> None:
        """Called in a worker thread after rules or annunciation were changed."""
        asyncio.run_coroutine_threadsafe(log.tell(wire.SUBJECT_ALARM_ROOM, b""), loop).result(10)

    def risk_changed() -> None:
        """Called in a worker thread after records were declared or a configuration was decided."""
        asyncio.run_coroutine_threadsafe(log.tell(wire.SUBJECT_RISK, b""), loop).result(10)

    def warning_rules_changed() -> None:
        """Called in a worker thread after other rules of warnings were put in force."""
        asyncio.run_coroutine_threadsafe(log.tell(wire.SUBJECT_WARNING_RULES, b""), loop).result(10)

    registry = RegistryDesk(sessions, clock, master_key(settings.home), registry_changed)
    desk = Desk(sessions, clock, settings.home)
    parts = Parts(
        settings, sessions, clock, log, engines, desk, registry, mirror, places, hub, alarm_room_changed, risk_changed,
        warning_rules_changed,
    )  # fmt: skip
    app = create_app(parts)
    await hub.begin()
    settle_memory()
    # A daemon: a node that is told to stop does not wait for what only makes a first answer faster.
    Thread(target=parts.monitoring.warm, args=(sessions, nature), name="monitoring", daemon=True).start()
    beside = [asyncio.create_task(work) for work in (hub.beats(), SlipNews(sessions).run(hub), give_back_memory())]
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", lifespan="off", server_header=False,
        timeout_graceful_shutdown=1, access_log=False,
    )  # fmt: skip
    try:
        await uvicorn.Server(config).serve()
    finally:
        for task in beside:
            task.cancel()
        await log.close()


def main(settings: Settings) -> None:
    """Entry point of the child process."""
    run_process("web", lambda: _main(settings))
