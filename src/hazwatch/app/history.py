"""Which store of samples a node has: chDB in its home, or a ClickHouse cluster."""

from __future__ import annotations

import asyncio
import logging

from hazwatch.app.node import authority, login
from hazwatch.disk import room, space_of
from hazwatch.history.port import History
from hazwatch.history.store import Store
from hazwatch.settings import Settings

_log = logging.getLogger(__name__)
_PAUSE_S = 1.0


async def open_history(settings: Settings) -> History:
    """Open the store; waits for a cluster that is away.

    Raises:
        NoLoginError: a cluster is named and its login is not there.
        RuntimeError: another process holds the embedded store, or it is damaged.
    """
    if not settings.history_url:
        await _room_for(settings)
        return await asyncio.to_thread(Store.open, settings.home / "history", settings.raw_days, settings.minute_days)
    from hazwatch.history.cluster import ClusterAddress, ClusterStore, StoreAwayError, shards_of

    address = ClusterAddress(
        shards_of(settings.history_url), *login(settings, "history"), settings.history_cluster,
        settings.history_quorum, authority(settings, "history"),
    )  # fmt: skip
    while True:
        try:
            return await asyncio.to_thread(ClusterStore.open, address, settings.raw_days, settings.minute_days)
        except StoreAwayError as error:
            _log.warning("waiting for the history: %s", error)
            await asyncio.sleep(_PAUSE_S)


async def _room_for(settings: Settings) -> None:
    """Wait while the disk is full: opening writes table definitions anew, and half of one is a lost store."""
    space = space_of(settings.home)
    while (found := room(*space()))["state"] == "full":
        _log.warning("the disk is full, %d bytes left: the history is opened once there is room", found["free"])
        await asyncio.sleep(_PAUSE_S)
