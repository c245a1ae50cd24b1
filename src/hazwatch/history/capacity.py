"""What a node will take: disk, memory and processor time from how many points it has and how busy they are. Pure.

The figures per sample, row, record and point were measured (docs/performance.md says how) and rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GIB: Final = 1024**3
_DAY_S: Final = 86_400
_MINUTES_A_DAY: Final = 1_440
#: Bytes on disk: a stored sample (merged parts; noisy values at regular times), a rollup row, a sample on the log with
#: its share of headers, an alarm record with its events.
SAMPLE_BYTES: Final = 2.0
MINUTE_BYTES: Final = 8.0
LOG_BYTES: Final = 22.0
ALARM_BYTES: Final = 2_500.0
#: Cores for a million samples a second, generator apart; and for a hundred alarms a second.
CORES_A_MILLION: Final = 1.6
CORES_A_HUNDRED_ALARMS: Final = 0.12
#: Memory of all processes: without points, and for each of them, bytes.
BASE_BYTES: Final = 0.75 * GIB
POINT_BYTES: Final = 3_400.0


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in.

    Attributes:
        points: how many.
        hz: samples a second of each.
        change: share of samples whose value differs from the one before.
        alarms_a_day: records.
    """

    points: int
    hz: float
    change: float
    alarms_a_day: float


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept: samples and rollups for so many days, the log for so many hours and GiB, the heartbeat in s."""

    raw_days: int
    minute_days: int
    log_hours: float
    log_gib: float
    heartbeat_s: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What it takes. Bytes a day grow; bytes kept stay once the time is over."""

    samples_a_second: float
    stored_a_day: float
    samples_day: float
    minutes_day: float
    alarms_day: float
    samples_kept: float
    minutes_kept: float
    log_kept: float
    full_rate_day: float
    cores: float
    memory: float

    @property
    def year(self) -> float:
        """Disk after a year, bytes."""
        return (
            self.samples_kept + min(self.minutes_kept, 365 * self.minutes_day) + 365 * self.alarms_day + self.log_kept
        )


def cost(load: Load, keeping: Keeping) -> Cost:
    """What a load takes.

    A sample is stored when it differs from the one before or when the heartbeat is due, whichever is more.

    Raises:
        ValueError: a figure that makes no sense.
    """
    if load.points < 0 or load.hz <= 0 or not 0 <= load.change <= 1 or load.alarms_a_day < 0:
        raise ValueError("指标数与报警数不能为负,频率应大于 0,变化占比应在 0 与 1 之间")
    rate = load.points * load.hz
    stored_rate = min(rate, max(rate * load.change, load.points / keeping.heartbeat_s))
    stored = stored_rate * _DAY_S
    samples, minutes = stored * SAMPLE_BYTES, load.points * _MINUTES_A_DAY * MINUTE_BYTES
    log = min(rate * LOG_BYTES * 3_600 * keeping.log_hours, keeping.log_gib * GIB)
    return Cost(
        rate, stored, samples, minutes, load.alarms_a_day * ALARM_BYTES, samples * keeping.raw_days,
        minutes * keeping.minute_days, log, rate * _DAY_S * SAMPLE_BYTES,
        rate / 1e6 * CORES_A_MILLION + load.alarms_a_day / _DAY_S / 100 * CORES_A_HUNDRED_ALARMS,
        BASE_BYTES + load.points * POINT_BYTES,
    )  # fmt: skip


def log_lasts_h(load: Load, keeping: Keeping) -> float:
    """Hours that the log really remembers: its size may end before its time does."""
    rate = load.points * load.hz * LOG_BYTES * 3_600
    return keeping.log_hours if not rate else min(keeping.log_hours, keeping.log_gib * GIB / rate)
