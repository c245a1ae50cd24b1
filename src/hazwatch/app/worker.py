"""The engine process: one engine for a whole node, or one for every share that this process holds a lease of."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys

from hazwatch.app.engine import Engine
from hazwatch.app.history import open_history
from hazwatch.app.node import ended, give_back_memory, open_log, settle_memory, until_told
from hazwatch.app.seat import taken_over, whole
from hazwatch.app.warm import warm_engine
from hazwatch.history.port import History
from hazwatch.log.client import LogConfig
from hazwatch.log.leases import Leases
from hazwatch.log.shares import Share, all_shares
from hazwatch.records.fence import FencedError
from hazwatch.settings import Settings

_log = logging.getLogger(__name__)
#: Threads that grade and warn let the stream's thread in after so long; with Python's 5 ms an alarm waits for dozens.
_SWITCH_S = 0.001


async def serve(settings: Settings) -> None:
    """Work until told to stop."""
    sys.setswitchinterval(_SWITCH_S)
    log = await open_log(settings, "engine")
    warm_engine()
    config = LogConfig(settings.log_hours, settings.log_gib, settings.log_replicas)
    for share in all_shares(settings.shares):
        await log.ensure_stream(config, share)
    store = await open_history(settings)
    try:
        if settings.shares == 1:
            engine = Engine(settings, log, store, whole(settings))
            await engine.begin()
            settle_memory()
            _log.info("engine ready: %d points", engine.pipeline.kept.points)
            await until_told(engine.work(), give_back_memory())
        else:
            worker = Worker(settings, store)
            me = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
            leases = Leases(log, me, settings.shares, settings.lease_s, worker.take, worker.give)
            await until_told(leases.run(settings.log_replicas), worker.failed(), give_back_memory())
    finally:
        store.close()
        await log.close()


class Worker:
    """Engines of the shares that are ours now."""

    def __init__(self, settings: Settings, store: History) -> None:
        self._settings = settings
        self._store = store
        self._at_work: dict[int, asyncio.Task[None]] = {}
        self._fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def failed(self) -> None:
        """Ends, with its error, when an engine ends by a fault: the process starts again, whole."""
        await self._fault

    async def take(self, number: int, token: int) -> None:
        """Begin with a share."""
        task = asyncio.create_task(self._work(Share(number, self._settings.shares), token), name=f"share {number}")
        self._at_work[number] = task
        task.add_done_callback(self._ended)

    async def give(self, number: int) -> None:
        """Stop with a share; returns when nothing of it runs any more. Nothing is saved: stopping is crashing."""
        task = self._at_work.pop(number, None)
        if task is not None:
            await ended(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._fault.done():
            self._fault.set_exception(error)

    async def _work(self, share: Share, token: int) -> None:
        # A connection of its own: closing it ends everything that the engine listens to.
        log = await open_log(self._settings, f"engine-{share.number}")
        try:
            seat = await taken_over(self._settings, log, share, token)
            engine = await asyncio.to_thread(Engine, self._settings, log, self._store, seat)
            await engine.begin()
            settle_memory()
            _log.info("share %d ready: %d points", share.number, engine.pipeline.kept.points)
            await engine.work()
        except FencedError as fenced:
            _log.warning("share %d was taken over: %s", share.number, fenced)
        finally:
            await log.close()
