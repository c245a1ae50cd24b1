"""A durable outbox: what a gateway could not hand over yet, in an SQLite file, oldest first."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

#: 72 h at one message a second.
CAPACITY: Final = 72 * 3600


class Outbox:
    """Messages of one gateway.

    Args:
        path: of the file.
        capacity: messages kept; the oldest go first.
    """

    def __init__(self, path: Path, capacity: int = CAPACITY) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._capacity = capacity
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, at INTEGER, body BLOB)")

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def put(self, at: int, body: bytes) -> None:
        """Keep a message of time ``at`` (epoch ms)."""
        row = self._db.execute("INSERT INTO outbox (at, body) VALUES (?, ?)", (at, body))
        self._db.execute("DELETE FROM outbox WHERE id <= ?", ((row.lastrowid or 0) - self._capacity,))

    def newest(self) -> tuple[int, int, bytes] | None:
        """The newest message: id, time, body."""
        row = self._db.execute("SELECT id, at, body FROM outbox ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else (row[0], row[1], row[2])

    def oldest(self) -> tuple[int, int, bytes] | None:
        """The oldest message: id, time, body."""
        row = self._db.execute("SELECT id, at, body FROM outbox ORDER BY id LIMIT 1").fetchone()
        return None if row is None else (row[0], row[1], row[2])

    def drop(self, message: int) -> None:
        """Forget a message that was acknowledged."""
        self._db.execute("DELETE FROM outbox WHERE id = ?", (message,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()
