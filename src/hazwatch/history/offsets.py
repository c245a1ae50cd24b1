"""How far into the log the history is, kept so that a crash between insert and note cannot double or lose a block.

Before a block is inserted, the file says where it will end (``next``); after the insert, that it is done. A start that
finds ``next`` forms exactly that block again from the log and inserts it under the same token; if it had been inserted
before the crash, the store drops it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import orjson

from hazwatch.disk import write_durably
from hazwatch.history.tables import HistoryOffset
from hazwatch.records.engine import Sessions, reading, unit_of_work


@dataclass(frozen=True, slots=True)
class Place:
    """Sequence numbers in the log, per lane: everything up to and including them is done."""

    live: int = 0
    background: int = 0

    def covers(self, other: Place) -> bool:
        """Whether this place is at or beyond the other in both lanes."""
        return self.live >= other.live and self.background >= other.background


class Offsets(ABC):
    """The note. ``done`` and ``next`` are as they stand on disk; both methods wait for the disk."""

    def __init__(self) -> None:
        self.done = Place()
        self.next: Place | None = None

    def intend(self, place: Place) -> str:
        """Say where the next block ends; returns the block's token."""
        self.next = place
        self._write()
        return f"{self.done.live}-{place.live}:{self.done.background}-{place.background}"

    def finish(self) -> None:
        """Say that the intended block is in the store."""
        if self.next is not None:
            self.done, self.next = self.next, None
            self._write()

    @abstractmethod
    def _write(self) -> None:
        """Make the note durable as it is now."""


class OffsetFile(Offsets):
    """The note in a file, of the one process that owns the history."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            kept = orjson.loads(path.read_bytes())
            self.done = Place(*kept["done"])
            self.next = Place(*kept["next"]) if kept["next"] else None

    def _write(self) -> None:
        ends = [self.next.live, self.next.background] if self.next else None
        write_durably(self._path, orjson.dumps({"done": [self.done.live, self.done.background], "next": ends}))


class OffsetRow(Offsets):
    """The note in the records, where whoever takes a share over finds it. The factory's guard keeps others out."""

    def __init__(self, sessions: Sessions, name: str) -> None:
        super().__init__()
        self._sessions = sessions
        self._name = name
        with reading(sessions) as session:
            row = session.get(HistoryOffset, name)
            if row is not None:
                self.done = Place(row.live, row.background)
                if row.next_live is not None and row.next_background is not None:
                    self.next = Place(row.next_live, row.next_background)

    def _write(self) -> None:
        ahead = self.next
        row = HistoryOffset(
            name=self._name, live=self.done.live, background=self.done.background,
            next_live=ahead.live if ahead else None, next_background=ahead.background if ahead else None,
        )  # fmt: skip
        with unit_of_work(self._sessions) as session:
            session.merge(row)
