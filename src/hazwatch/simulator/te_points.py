"""The 53 variables of the Tennessee Eastman process (Downs & Vogel 1993) as points, with alarm limits.

Limits lie between the normal band of the closed loop and the plant's own shutdown limits: reactor pressure 3000 kPa,
temperature 175 ℃, levels of reactor, separator and stripper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hazwatch.simulator.builder import NONE, Limits, high


@dataclass(frozen=True, slots=True)
class TePoint:
    """A variable of the plant; ``tag`` is also its Sparkplug metric name."""

    tag: str
    name: str
    quantity: str
    unit: str
    span: tuple[float, float]
    limits: Limits = NONE


def _low(ll: float, low: float) -> Limits:
    return (ll, low, None, None)


_XMEAS: Final = (
    ("A进料流量", "LL", "kscmh", (0, 1), _low(0.05, 0.15)),
    ("D进料流量", "LL", "kg/h", (0, 7500), _low(1500, 2800)),
    ("E进料流量", "LL", "kg/h", (0, 9000), _low(1800, 3400)),
    ("A与C进料流量", "LL", "kscmh", (0, 16), _low(3, 6.5)),
    ("循环流量", "LL", "kscmh", (0, 50), NONE),
    ("反应器进料流量", "LL", "kscmh", (0, 70), _low(25, 34)),
    ("反应器压力", "YL", "kPa", (0, 3500), high(2800, 2895)),
    ("反应器液位", "YW", "%", (0, 120), (50.0, 60.0, 90.0, 100.0)),
    ("反应器温度", "WD", "℃", (0, 200), (110.0, 116.0, 124.0, 130.0)),
    ("排放流量", "LL", "kscmh", (0, 2), NONE),
    ("分离器温度", "WD", "℃", (0, 150), high(90, 96)),
    ("分离器液位", "YW", "%", (0, 120), (12.0, 25.0, 75.0, 90.0)),
    ("分离器压力", "YL", "kPa", (0, 3500), high(2750, 2850)),
    ("分离器底流流量", "LL", "m³/h", (0, 65), NONE),
    ("汽提塔液位", "YW", "%", (-30, 120), (15.0, 28.0, 75.0, 90.0)),
    ("汽提塔压力", "YL", "kPa", (0, 4000), high(3230, 3330)),
    ("汽提塔底流流量", "LL", "m³/h", (0, 50), _low(10, 16)),
    ("汽提塔温度", "WD", "℃", (0, 130), (48.0, 56.0, 76.0, 84.0)),
    ("汽提塔蒸汽流量", "LL", "kg/h", (0, 500), NONE),
    ("压缩机功率", "GL", "kW", (0, 600), high(390, 420)),
    ("反应器冷却水出口温度", "WD", "℃", (0, 150), high(103, 108)),
    ("分离器冷却水出口温度", "WD", "℃", (0, 150), high(90, 96)),
)
_ANALYSES: Final = (
    *((f"反应器进料{c}组分", c) for c in "ABCDEF"),
    *((f"排放气{c}组分", c) for c in "ABCDEFGH"),
    *((f"产品{c}组分", c) for c in "DEFGH"),
)
_XMV: Final = (
    "D进料阀", "E进料阀", "A进料阀", "A与C进料阀", "压缩机循环阀", "排放阀", "分离器底流阀", "汽提塔底流阀",
    "汽提塔蒸汽阀", "反应器冷却水阀", "冷凝器冷却水阀", "反应器搅拌转速",
)  # fmt: skip

#: Tag of the shutdown state: 1 after the plant's own protection has tripped it.
TRIP_TAG: Final = "TRIP"

TE_POINTS: Final[tuple[TePoint, ...]] = (
    *(TePoint(f"XMEAS({i})", *row) for i, row in enumerate(_XMEAS, start=1)),
    *(TePoint(f"XMEAS({i})", name, "ZF", "mol%", (-1, 100)) for i, (name, _) in enumerate(_ANALYSES, start=23)),
    *(
        TePoint(f"XMV({i})", name, "ZS" if i == 12 else "FW", "%", (0, 100))  # noqa: PLR2004  # the agitator
        for i, name in enumerate(_XMV, start=1)
    ),
    TePoint(TRIP_TAG, "联锁停车", "KG", "", (0, 1), high(None, 1)),
)
