"""The two lanes upward: live first, history in the background. Both are judged; only the live one may ring."""

from __future__ import annotations

from enum import IntEnum


class Lane(IntEnum):
    """LIVE rings; BACKGROUND (``continues``, Sparkplug ``is_historical``) amends history and never rings."""

    LIVE = 0
    BACKGROUND = 1
