"""Whose turn it is to write: writers of one process queue here instead of sleeping at SQLite's own lock.

SQLite lets a writer that finds the file locked sleep for up to 0.1 s between two looks. Alarms are urgent: they go
ahead of grades, warnings and slips that wait, and wait themselves for one writer at most. Whoever has waited long is
urgent too, so a flood of alarms does not stop the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: What is not urgent waits behind what is for so long, seconds.
PATIENCE_S = 0.5


class Turns:
    """A lock that knows urgency."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._urgent = 0

    @contextmanager
    def turn(self, *, urgent: bool, timeout_s: float) -> Iterator[None]:
        """Have the turn; after ``timeout_s`` without it go on all the same: the database itself will say no."""
        mine = self._take(urgent=urgent, timeout_s=timeout_s)
        try:
            yield
        finally:
            if mine:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _take(self, *, urgent: bool, timeout_s: float) -> bool:
        begun = time.monotonic()
        with self._changed:
            self._urgent += urgent
            try:
                while self._busy or (self._urgent and not urgent and time.monotonic() - begun < PATIENCE_S):
                    left = timeout_s - (time.monotonic() - begun)
                    if left <= 0:
                        return False
                    self._changed.wait(min(left, PATIENCE_S))
                self._busy = True
                return True
            finally:
                self._urgent -= urgent
