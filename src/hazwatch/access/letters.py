"""The letter box: refusals of one kind become one letter a second, so that a hostile sender cannot flood anyone."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hazwatch.vocabulary.faults import DeadLetter, Refusal

_log = logging.getLogger(__name__)
_EXCERPT = 500


def excerpt(data: bytes | str) -> str:
    """The beginning of an input, printable, at most 500 characters."""
    text = data[: 4 * _EXCERPT].decode("utf-8", "replace") if isinstance(data, bytes) else data[:_EXCERPT]
    return "".join(c if c.isprintable() else "·" for c in text[:_EXCERPT])


class LetterBox:
    """Aggregates letters by (link, reason) until ``flush``.

    Args:
        deliver: takes one letter; its exceptions are logged, never passed on.
        kinds: at most so many (link, reason) pairs between two flushes; what is beyond is counted under link "".
    """

    def __init__(self, deliver: Callable[[DeadLetter], None], kinds: int = 1000) -> None:
        self._deliver = deliver
        self._kinds = kinds
        self._open: dict[tuple[str, Refusal], tuple[DeadLetter, int]] = {}

    def put(self, letter: DeadLetter) -> None:
        """Count a refusal; the first of its kind keeps its detail and excerpt."""
        key = (letter.link, letter.reason)
        if key not in self._open and len(self._open) >= self._kinds:
            key = ("", letter.reason)
        first, count = self._open.get(key, (letter, 0))
        self._open[key] = (first, count + letter.count)

    def flush(self) -> None:
        """Deliver one letter of each kind."""
        batch, self._open = self._open, {}
        for (link, reason), (first, count) in batch.items():
            letter = DeadLetter(link, reason, first.detail, first.at, count, first.excerpt[:_EXCERPT])
            try:
                self._deliver(letter)
            except Exception:  # noqa: BLE001  # the box outlives whatever its reader does
                _log.exception("dead letter could not be delivered: %s %s", link, reason)
