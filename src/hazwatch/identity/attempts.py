"""Limit on failed sign-ins per account and address.

It is kept in memory: a restart forgives, and several web processes each count for themselves. A try is counted before
the password is looked at, so that a hundred tries at once do not all slip through.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from threading import Lock

from hazwatch.vocabulary.moments import MINUTE, SECOND

MAX_KEYS = 10_000


@dataclass(slots=True)
class Attempts:
    """The last failures by (username, address).

    Attributes:
        allowed: failures within the window before further tries are refused unseen.
        window_ms: how long a failure counts.
    """

    allowed: int = 5
    window_ms: int = 5 * MINUTE
    _failures: OrderedDict[tuple[str, str], deque[int]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, username: str, address: str, now: int) -> int:
        """Count a try. Returns 0, or the seconds after which the next one will be looked at."""
        key = (username, address)
        with self._lock:
            failures = self._failures.setdefault(key, deque())
            self._failures.move_to_end(key)
            while failures and failures[0] <= now - self.window_ms:
                failures.popleft()
            if len(failures) >= self.allowed:
                return max(1, -(-(failures[0] + self.window_ms - now) // SECOND))
            failures.append(now)
            while len(self._failures) > MAX_KEYS:
                self._failures.popitem(last=False)
            return 0

    def succeeded(self, username: str, address: str) -> None:
        """Forget the failures: the right password was given."""
        with self._lock:
            self._failures.pop((username, address), None)
