"""What an engine works on: the whole stream of a node, or one of several shares; and where it keeps what it needs.

A whole node keeps its offset and snapshots at home. A share keeps them where the next owner finds them: the offset in
the records, behind its fence, the snapshot in the log's object store.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hazwatch.alarms.store import Owns, everything
from hazwatch.history.offsets import OffsetFile, OffsetRow, Offsets
from hazwatch.log.client import Log
from hazwatch.log.shares import WHOLE, Share
from hazwatch.log.shelf import Shelf
from hazwatch.records.engine import Sessions, make_engine, make_sessions
from hazwatch.records.fence import guard, raise_fence
from hazwatch.settings import Settings


def _stays(_: Path) -> None:
    """A snapshot of a whole node stays at home."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One engine's place.

    Attributes:
        share: what it reads.
        owns: whether an enterprise is its own.
        sessions: of the records; they wait for a database that is away, and refuse who was replaced.
        offsets: of the history.
        folder: of the snapshots.
        saved_at: told of every snapshot.
    """

    share: Share
    owns: Owns
    sessions: Sessions
    offsets: Offsets
    folder: Path
    saved_at: Callable[[Path], None]


def whole(settings: Settings) -> Seat:
    """The place of the one engine of a node."""
    home = settings.home
    sessions = make_sessions(make_engine(settings.records), math.inf)
    return Seat(WHOLE, everything, sessions, OffsetFile(home / "history.offset"), home / "snapshots", _stays)


async def taken_over(settings: Settings, log: Log, share: Share, token: int) -> Seat:
    """The place of an engine that has just got the lease of a share; its former owner can write no more.

    Raises:
        FencedError: somebody has taken it over meanwhile.
    """
    engine, name = make_engine(settings.records), share.named("share")
    await asyncio.to_thread(raise_fence, make_sessions(engine, math.inf), name, token)
    sessions = make_sessions(engine, math.inf, guard(name, token))
    shelf = Shelf(log, share.named("snapshot"), settings.log_replicas)
    folder = settings.home / "snapshots" / str(share.number)
    await shelf.fetch(folder)
    under_way: set[asyncio.Task[None]] = set()

    def ship(path: Path) -> None:
        if not under_way:
            task = asyncio.create_task(shelf.put(path))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    offsets = await asyncio.to_thread(OffsetRow, sessions, share.named("history"))
    return Seat(share, share.owns, sessions, offsets, folder, ship)
