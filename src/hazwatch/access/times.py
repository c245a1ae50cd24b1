"""Event times that cannot be true. A clock that runs ahead would drag the whole judgement into the future."""

from __future__ import annotations

from typing import Final

import numpy as np

from hazwatch.samples.batch import SampleBatch

#: Default of ``future_s`` in the settings, ms.
FUTURE_MS: Final = 300_000
#: 2000-01-01: devices without a set clock begin at 1970 or 1980.
EARLIEST_MS: Final = 946_684_800_000


def believable(batch: SampleBatch, now: int, future_ms: int = FUTURE_MS) -> tuple[SampleBatch, str]:
    """Leave out samples whose time cannot be true.

    Args:
        batch: of any times.
        now: arrival, epoch ms.
        future_ms: how far ahead of our clock a sample may be.

    Returns:
        The others, and what is wrong with those left out (Chinese; "" when nothing is).
    """
    ahead = batch.ts > now + future_ms
    ancient = batch.ts < EARLIEST_MS
    wrong = ahead | ancient
    if not wrong.any():
        return batch, ""
    parts = []
    if ahead.any():
        worst = (int(batch.ts.max()) - now) // 1000
        parts.append(f"{int(np.count_nonzero(ahead))} 个数据的时间超前平台时钟,最多 {worst} 秒,请检查对时")
    if ancient.any():
        parts.append(f"{int(np.count_nonzero(ancient))} 个数据的时间早于 2000 年,设备时钟未设置")
    return batch.take(~wrong), ";".join(parts)
