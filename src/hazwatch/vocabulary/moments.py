"""Moments: event time is int milliseconds UTC everywhere inside; ISO 8601 stands only at the edges.

Nothing here reads a clock. Rooms that need the time of now are handed a ``Clock``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

#: Epoch milliseconds of now. Only shells hold one; pure rooms get times as data.
Clock = Callable[[], int]

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

#: China has one zone and no daylight saving time.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime.

    Raises:
        ValueError: the datetime is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime names no moment; give it a zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of epoch milliseconds."""
    return _EPOCH + timedelta(milliseconds=ms)


def iso(ms: int) -> str:
    """``2026-11-23T07:00:00.000Z``."""
    return f"{_second(ms // SECOND)}.{ms % SECOND:03d}Z"


@lru_cache(4096)
def _second(s: int) -> str:
    """A second as text. Live data lie within few of them, and making the text costs more than everything around it."""
    return (_EPOCH + timedelta(seconds=s)).isoformat().replace("+00:00", "")


def parse(text: str, *, zone: tzinfo = UTC) -> int:
    """Epoch ms from ISO 8601 or from a number of epoch milliseconds.

    Args:
        text: ``2026-11-23T15:00:00+08:00``, ``2026-11-23 15:00:00`` (read in ``zone``) or ``1795417200000``.
        zone: zone of a text that names none.

    Raises:
        ValueError: neither form.
    """
    text = text.strip()
    if text.lstrip("-").isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"时间 {text!r} 既不是 ISO 8601 也不是毫秒时间戳") from error
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def clock_text(ms: int) -> str:
    """``11-23 15:00`` in China, for sentences that a person reads."""
    return from_ms(ms).astimezone(CHINA).strftime("%m-%d %H:%M")
