"""The access room: runs the adapters that the registry asks for and reports on every link.

Dialling adapters follow the directory: a new link starts one, a removed link stops it, a link whose configuration
changed (compared by value) gets a new one. Listeners run as long as the room. An adapter that crashes is started again
with growing delays; its fault stands in the link's status.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from hazwatch.access.backoff import Backoff
from hazwatch.access.directory import DirectoryHolder, LinkConfig
from hazwatch.access.port import Adapter, StatusBoard
from hazwatch.access.report import LinkReport, Reporter
from hazwatch.vocabulary.moments import Clock

#: Builds the adapter of a dialled link; raises ValueError on a fault of configuration.
Factory = Callable[[LinkConfig], Adapter]

_PERIOD_S: Final = 1.0
_log = logging.getLogger(__name__)


class AccessRoom:
    """Runs access.

    Args:
        holder: the registry in force; looked at every second.
        factories: how to build the adapter of a dialled link, by protocol.
        listeners: adapters that run always, by name.
        board: link statuses.
        clock: epoch ms.
        on_reports: called once a second with the report of every link.
    """

    def __init__(
        self,
        holder: DirectoryHolder,
        factories: Mapping[str, Factory],
        listeners: Mapping[str, Adapter],
        board: StatusBoard,
        clock: Clock,
        on_reports: Callable[[list[LinkReport]], None] = lambda _: None,
    ) -> None:
        self._holder = holder
        self._factories = factories
        self._listeners = listeners
        self._board = board
        self._clock = clock
        self._on_reports = on_reports
        self._reporter = Reporter()
        self._running: dict[str, tuple[LinkConfig, asyncio.Task[None]]] = {}
        self._reports: list[LinkReport] = []

    @property
    def reports(self) -> list[LinkReport]:
        """The newest report of every link."""
        return self._reports

    async def run(self) -> None:
        """Run until cancelled."""
        listeners = [
            asyncio.create_task(self._keep(name, partial(_itself, adapter), self._log_fault), name=f"listener-{name}")
            for name, adapter in self._listeners.items()
        ]
        try:
            while True:
                await self.reconcile()
                self.report()
                await asyncio.sleep(_PERIOD_S)
        finally:
            tasks = [*listeners, *(task for _, task in self._running.values())]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._running.clear()

    async def reconcile(self) -> None:
        """Start, stop and restart dialling adapters so that they match the directory."""
        wanted = {c: k for c, k in self._holder.current.links.items() if k.protocol in self._factories}
        stale = [c for c, (link, _) in self._running.items() if wanted.get(c) != link]
        stopping = [self._running.pop(code)[1] for code in stale]
        for task in stopping:
            task.cancel()
        await asyncio.gather(*stopping, return_exceptions=True)
        for code, link in wanted.items():
            if code not in self._running:
                self._running[code] = (link, self._start(link))

    def report(self) -> None:
        """Renew the reports and hand them over."""
        statuses = {status.code: status for status in self._board.all()}
        self._reports = self._reporter.reports(self._holder.current.links, statuses, self._clock())
        try:
            self._on_reports(self._reports)
        except Exception:  # noqa: BLE001  # access outlives whoever listens to it
            _log.exception("link reports could not be delivered")

    def _start(self, link: LinkConfig) -> asyncio.Task[None]:
        factory = self._factories[link.protocol]

        def fault(_name: str, error: BaseException) -> None:
            status = self._board.of(link)
            status.connected = False
            status.fault(f"接入程序异常,稍后重启: {error}", self._clock())

        return asyncio.create_task(self._keep(link.code, lambda: factory(link), fault), name=f"link-{link.code}")

    def _log_fault(self, name: str, error: BaseException) -> None:
        _log.error("listener %s failed: %s", name, error)

    async def _keep(self, name: str, build: Callable[[], Adapter], fault: Callable[[str, BaseException], None]) -> None:
        """Run an adapter; after a crash start a new one, later and later."""
        backoff = Backoff(1.0, 60.0)
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await build().run()
            except Exception as error:  # noqa: BLE001  # whatever an adapter throws must not reach its neighbours
                _log.warning("adapter %s stopped", name, exc_info=True)
                fault(name, error)
            else:
                return
            if loop.time() - began > 60.0:  # noqa: PLR2004  # it had been working: a new kind of trouble
                backoff.reset()
            await backoff.wait()


def _itself(adapter: Adapter) -> Adapter:
    """A listener is built once and runs again as it is."""
    return adapter
