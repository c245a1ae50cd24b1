"""What a point measures: the two letters of a point code, with the defaults that go with the quantity.

The national dictionary shows WD YL YW QT; other letters exist in the field, so the table is open. Default deadband
(share of span) and on-delay follow design/alarms §2; gas detectors never have an on-delay by default.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured quantity.

    Attributes:
        code: two letters in the point code.
        name_zh: Chinese name.
        unit: usual unit.
        deadband_share: default deadband as a share of the span.
        on_delay_s: default on-delay in seconds.
        discrete: the value is a state, not a measurement.
        national: seen in the national dictionary (the others are ours).
    """

    code: str
    name_zh: str
    unit: str
    deadband_share: float
    on_delay_s: float
    discrete: bool = False
    national: bool = False


QUANTITIES: dict[str, Quantity] = {
    q.code: q
    for q in (
        Quantity("WD", "温度", "℃", 0.01, 60.0, national=True),
        Quantity("YL", "压力", "MPa", 0.02, 15.0, national=True),
        Quantity("YW", "液位", "m", 0.01, 60.0, national=True),
        Quantity("QT", "气体浓度", "%LEL", 0.02, 0.0, national=True),
        Quantity("LL", "流量", "m³/h", 0.05, 15.0),
        Quantity("ZF", "组分", "mol%", 0.01, 60.0),
        Quantity("FW", "阀位", "%", 0.01, 0.0),
        Quantity("KG", "开关状态", "", 0.0, 0.0, discrete=True),
        Quantity("DL", "电流", "A", 0.02, 15.0),
        Quantity("GL", "功率", "kW", 0.02, 15.0),
        Quantity("ZS", "转速", "%", 0.02, 15.0),
        Quantity("SD", "湿度", "%RH", 0.01, 60.0),
        Quantity("FS", "风速", "m/s", 0.02, 15.0),
        Quantity("FX", "风向", "°", 0.0, 0.0),
        Quantity("QY", "大气压", "hPa", 0.01, 60.0),
        Quantity("CL", "储量", "t", 0.01, 60.0),
    )
}
