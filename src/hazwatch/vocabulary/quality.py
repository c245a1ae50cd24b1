"""Quality of a sample: a signal of its own, separate from process alarms.

0 is good. 1 and 2 still carry a judgement (a reading beyond the range is certainly beyond the limit), so they take
part in alarming. Everything above holds the last judged state: missing data never lowers an alarm or a risk.
"""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """Quality codes of a sample, worst knowledge last (design/alarms §5; field names after the national schema)."""

    GOOD = 0
    OVER_RANGE = 1
    UNDER_RANGE = 2
    NOT_A_NUMBER = 3
    FROZEN = 4
    JUMP = 5
    TIME_FAULT = 6
    DISCONNECTED = 7
    SUSPENDED = 8


#: The highest code that still takes part in alarming.
LAST_JUDGED = Quality.UNDER_RANGE

QUALITY_ZH: dict[Quality, str] = {
    Quality.GOOD: "正常",
    Quality.OVER_RANGE: "超量程上限",
    Quality.UNDER_RANGE: "超量程下限",
    Quality.NOT_A_NUMBER: "非数值",
    Quality.FROZEN: "数据冻结",
    Quality.JUMP: "数据跳变",
    Quality.TIME_FAULT: "时间异常",
    Quality.DISCONNECTED: "数据源断开",
    Quality.SUSPENDED: "报备停用",
}
