"""Waiting longer after every failure, with jitter, so that many links do not dial a returning server at once."""

from __future__ import annotations

import asyncio
import random


class Backoff:
    """Delays that double from ``first`` to ``most`` seconds.

    Args:
        first: delay after the first failure, seconds.
        most: longest delay, seconds.
    """

    def __init__(self, first: float = 0.5, most: float = 30.0) -> None:
        self._first = first
        self._most = most
        self._next = first

    def reset(self) -> None:
        """It worked: start short again."""
        self._next = self._first

    async def wait(self) -> None:
        """Sleep the present delay, ±20 %, and double it."""
        await asyncio.sleep(self._next * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
        self._next = min(2 * self._next, self._most)
