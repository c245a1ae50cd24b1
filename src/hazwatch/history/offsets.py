"""How far into the log the history is, kept so that a crash between insert and note cannot double or lose a block.

Before a block is inserted, the file says where it will end (``next``); after the insert, that it is done. A start that
finds ``next`` forms exactly that block again from the log and inserts it under the same token; if it had been inserted
before the crash, the store drops it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Place:
    """Sequence numbers in the log, per lane: everything up to and including them is done."""

    live: int = 0
    background: int = 0

    def covers(self, other: Place) -> bool:
        """Whether this place is at or beyond the other in both lanes."""
        return self.live >= other.live and self.background >= other.background


class OffsetFile:
    """The note on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done = Place()
        self.next: Place | None = None
        if path.exists():
            kept = orjson.loads(path.read_bytes())
            self.done = Place(*kept["done"])
            self.next = Place(*kept["next"]) if kept["next"] else None

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

    def _write(self) -> None:
        ends = [self.next.live, self.next.background] if self.next else None
        write_durably(self._path, orjson.dumps({"done": [self.done.live, self.done.background], "next": ends}))


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file so that after a crash either the old or the new content stands there, whole."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    replace_durably(fresh, path)


def replace_durably(fresh: Path, path: Path) -> None:
    """Give a file that is on disk the place of another, and make that durable too."""
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
