"""The simulated park as plain data: 濮阳市模拟化工园区 with five enterprises behind five gateways of four protocols.

Set points of gas detectors follow GB/T 50493-2019: combustible 25/50 %LEL; toxic 100/200 % of the occupational limit
(chlorine MAC 1 mg/m³, ammonia PC-TWA 20 mg/m³). Critical quantities and β follow GB 18218-2018: methanol 500 t, β 1;
benzene 50 t, β 1; ammonia 10 t, β 2; chlorine 5 t, β 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hazwatch.simulator.builder import Builder, high
from hazwatch.simulator.rows import ParkDescription, ParkRow, Substance
from hazwatch.simulator.te_points import TE_POINTS

REGION: Final = "410900"
SPARKPLUG_GROUP: Final = "puyang"
SPARKPLUG_NODE: Final = "te-plant"

METHANOL, BENZENE, AMMONIA, CHLORINE = "甲醇", "苯", "氨", "氯"
_CAS: Final = {METHANOL: "67-56-1", BENZENE: "71-43-2", AMMONIA: "7664-41-7", CHLORINE: "7782-50-5"}
_CRITICAL: Final = {METHANOL: 500.0, BENZENE: 50.0, AMMONIA: 10.0, CHLORINE: 5.0}
_BETA: Final = {METHANOL: 1.0, BENZENE: 1.0, AMMONIA: 2.0, CHLORINE: 4.0}

DETECTORS: Final = {"GT-1": 6, "GT-2": 6, "AT-3": 8}
WAREHOUSE_ZONES: Final = 4
DRUM_ZONES: Final = 3


@dataclass(frozen=True, slots=True)
class Gateways:
    """Codes of the gateways (the order of the enterprises is fixed, so the codes are)."""

    tank_farm: str = "41090090101"
    chlorine: str = "41090090201"
    tennessee: str = "41090090301"
    utilities: str = "41090090401"
    drums: str = "41090090501"


GATEWAYS: Final = Gateways()


def substance(name: str, q: float) -> Substance:
    """A substance of the park with its figures of GB 18218."""
    return Substance(name, _CAS[name], q, _CRITICAL[name], _BETA[name])


def park(opcua_port: int = 8610, modbus_port: int = 8611, host: str = "127.0.0.1") -> ParkDescription:
    """Describe the park.

    Args:
        opcua_port: of the simulated tank farm's OPC UA server.
        modbus_port: of the simulated utilities' Modbus TCP server.
        host: where both are reached.
    """
    builder = Builder(ParkRow("P410900001", "濮阳市模拟化工园区", REGION, 115.0290, 35.7620))
    _tank_farm(builder, f"opc.tcp://{host}:{opcua_port}/hazwatch/simulator")
    _chlorine(builder)
    _tennessee(builder)
    _utilities(builder, f"modbus://{host}:{modbus_port}")
    _drums(builder)
    return builder.build()


def _tank_farm(b: Builder, url: str) -> None:
    b.enterprise("濮阳模拟石化储运有限公司", "濮阳市模拟化工园区一号路1号", 115.0262, 35.7641)
    options = {"publish_ms": "1000", "watchdog_s": "15"}
    b.gateway("储运罐区数据网关(模拟)", "opcua", url, options, lambda tag, _c: (f"ns=2;s={tag}", 1.0, 0.0))
    # Design maxima: 85 % of the volumes at liquid density.
    b.source("甲醇苯罐组(模拟)", "储罐区", 1.2, substance(METHANOL, 2060.0), substance(BENZENE, 1494.0))
    _tank(b, "101", "甲醇储罐T-101", METHANOL, 3000.0, 17.0, 14.0, (1.0, 1.8, 12.3, 13.0))
    _tank(b, "102", "甲醇日罐V-102", METHANOL, 60.0, 3.5, 6.2, (0.5, 0.9, 4.6, 5.1))
    _tank(b, "201", "苯储罐T-201", BENZENE, 2000.0, 14.5, 12.8, (1.0, 1.6, 11.2, 11.9))
    for group, name in (("GT-1", "甲醇罐组可燃气探测器"), ("GT-2", "苯罐组可燃气探测器")):
        b.equipment("Q0", name, medium=METHANOL if group == "GT-1" else BENZENE)
        for i in range(1, DETECTORS[group] + 1):
            b.point("QT", f"{group}{i:02d}", f"{i:02d}", "%LEL", (0, 100), high(25, 50))
    b.source("液氨球罐(模拟)", "储罐区", 1.2, substance(AMMONIA, 518.0))
    _sphere(b)
    b.equipment("Q0", "液氨球罐氨气探测器", medium=AMMONIA, cas=_CAS[AMMONIA])
    for i in range(1, DETECTORS["AT-3"] + 1):
        b.point("QT", f"AT-3{i:02d}", f"{i:02d}", "mg/m³", (0, 60), high(20, 40))


def _tank(
    b: Builder, n: str, name: str, medium: str, volume: float, diameter: float, height: float,
    level: tuple[float, float, float, float],
) -> None:  # fmt: skip
    b.equipment(
        "G0", name, medium=medium, cas=_CAS[medium], form="立式固定顶储罐(氮封)",
        capacity_m3=volume, diameter_m=diameter, height_m=height,
        design_t=round(0.85 * volume * (0.792 if medium == METHANOL else 0.879), 1),
    )  # fmt: skip
    flow = (0.0, 200.0)
    b.point("YW", f"LT-{n}", "液位", "m", (0, height), level, deadband=0.02)
    b.point("WD", f"TT-{n}A", "下部温度", "℃", (-20, 80), high(45, 50))
    b.point("WD", f"TT-{n}B", "上部温度", "℃", (-20, 80), high(45, 50))
    b.point("YL", f"PT-{n}", "氮封压力", "kPa", (-1, 3), (-0.4, 0.1, 1.6, 2.0))
    b.point("LL", f"FT-{n}A", "进料流量", "m³/h", flow)
    b.point("LL", f"FT-{n}B", "出料流量", "m³/h", flow)
    b.point("FW", f"XV-{n}A", "进料切断阀阀位", "%", (0, 100))
    b.point("FW", f"XV-{n}B", "出料切断阀阀位", "%", (0, 100))
    b.point("CL", f"MT-{n}", "储量", "t", (0, round(volume, 0)))
    b.point("KG", f"LSHH-{n}", "高高液位开关", "", (0, 1), high(None, 1), on_delay_s=0.0)


def _sphere(b: Builder) -> None:
    b.equipment(
        "G0", "液氨球罐V-301", medium=AMMONIA, cas=_CAS[AMMONIA], form="球形储罐",
        capacity_m3=1000.0, diameter_m=12.4, height_m=12.4, design_t=518.0,
    )  # fmt: skip
    b.point("YW", "LT-301A", "液位A", "m", (0, 12.4), (0.8, 1.5, 9.6, 10.2), deadband=0.05)
    b.point("YW", "LT-301B", "液位B", "m", (0, 12.4), (0.8, 1.5, 9.6, 10.2), deadband=0.05)
    b.point("WD", "TT-301A", "液相温度", "℃", (-40, 60), high(38, 42))
    b.point("WD", "TT-301B", "气相温度", "℃", (-40, 60), high(40, 45))
    b.point("YL", "PT-301A", "压力A", "MPa", (0, 2.5), high(1.5, 1.73))
    b.point("YL", "PT-301B", "压力B", "MPa", (0, 2.5), high(1.5, 1.73))
    b.point("LL", "FT-301A", "进料流量", "m³/h", (0, 100))
    b.point("LL", "FT-301B", "出料流量", "m³/h", (0, 100))
    b.point("FW", "XV-301A", "进料切断阀阀位", "%", (0, 100))
    b.point("FW", "XV-301B", "出料切断阀阀位", "%", (0, 100))
    b.point("CL", "MT-301", "储量", "t", (0, 700))
    b.point("KG", "SW-301", "水喷淋投用", "", (0, 1))


def _by_code(_tag: str, code: str) -> tuple[str, float, float]:
    return code, 1.0, 0.0


def _chlorine(b: Builder) -> None:
    b.enterprise("濮阳模拟氯碱有限公司", "濮阳市模拟化工园区二号路8号", 115.0331, 35.7655)
    b.gateway("液氯仓库采集网关(模拟,HTTPS)", "national", None, {}, _by_code)
    b.source("液氯钢瓶仓库(模拟)", "库区", 1.2, substance(CHLORINE, 60.0))
    for zone in range(1, WAREHOUSE_ZONES + 1):
        n = f"4{zone}"
        b.equipment("C0", f"液氯仓库{zone}区", medium=CHLORINE, cas=_CAS[CHLORINE], form="封闭式库房", design_t=15.0)
        b.point("WD", f"TT-{n}1", "温度", "℃", (-20, 60), high(35, 40))
        b.point("SD", f"MT-{n}1", "湿度", "%RH", (0, 100), high(90))
        b.point("KG", f"FAN-{n}1", "事故风机运行", "", (0, 1))
        b.point("CL", f"WT-{n}1", "在库量", "t", (0, 20), high(15))
        b.point("QT", f"AT-{n}1", "氯气1", "mg/m³", (0, 3), high(1, 2))
        b.point("QT", f"AT-{n}2", "氯气2", "mg/m³", (0, 3), high(1, 2))
    b.equipment("S0", "事故氯吸收装置")
    b.point("KG", "P-451", "碱液循环泵运行", "", (0, 1))
    b.point("DL", "IT-451", "碱液循环泵电流", "A", (0, 40), high(28, 32))
    b.point("YL", "PT-451", "吸收塔负压", "Pa", (-800, 200), (None, None, -60, -20), on_delay_s=5.0)
    b.point("WD", "TT-451", "碱液温度", "℃", (0, 80), high(45, 50))
    b.point("ZF", "AT-451", "碱液浓度", "wt%", (0, 30), (10, 12, None, None))


def _tennessee(b: Builder) -> None:
    b.enterprise("濮阳模拟精细化工有限公司", "濮阳市模拟化工园区三号路16号", 115.0345, 35.7592)
    options = {"group": SPARKPLUG_GROUP, "node": SPARKPLUG_NODE}
    b.gateway("反应装置边缘节点(模拟)", "sparkplug", None, options, lambda tag, _c: (tag, 1.0, 0.0))
    b.source("田纳西-伊斯曼反应装置(模拟)", "生产装置", 1.5, substance(METHANOL, 550.0), substance(BENZENE, 20.0))
    b.equipment("S0", "田纳西-伊斯曼装置", form="连续反应-分离-汽提")
    for p in TE_POINTS:
        b.point(p.quantity, p.tag, p.name, p.unit, p.span, p.limits, on_delay_s=3.0)


def _utilities(b: Builder, url: str) -> None:
    b.enterprise("濮阳模拟园区公用工程有限公司", "濮阳市模拟化工园区中心路2号", 115.0296, 35.7605)
    layout = _Registers()
    b.gateway("公用工程与气象站(模拟)", "modbus", url, {"poll_s": "1", "unit": "1"}, lambda tag, _c: layout.place(tag))
    b.source("液氨制冷机房(模拟)", "生产装置", 1.2, substance(AMMONIA, 12.0))
    b.equipment("S0", "园区气象站")
    b.point("WD", "WX-TEMP", "气温", "℃", (-40, 60))
    b.point("SD", "WX-RH", "湿度", "%RH", (0, 100))
    b.point("FS", "WX-WS", "风速", "m/s", (0, 60), high(13.8, 17.2))
    b.point("FX", "WX-WD", "风向", "°", (0, 360))
    b.point("QY", "WX-P", "气压", "hPa", (800, 1100))
    b.equipment("S0", "循环水站")
    b.point("YL", "PT-601", "供水压力", "MPa", (0, 1), (0.28, 0.34, 0.6, 0.65))
    b.point("WD", "TT-601", "供水温度", "℃", (0, 60), high(34, 37))
    b.point("WD", "TT-602", "回水温度", "℃", (0, 80), high(46, 50))
    b.point("LL", "FT-601", "供水流量", "m³/h", (0, 5000), (2200, 2600, None, None))
    for i in (1, 2, 3):
        b.point("DL", f"IT-60{i}", f"{i}号泵电流", "A", (0, 80), high(62, 68))
        b.point("KG", f"P-60{i}", f"{i}号泵运行", "", (0, 1))
    b.equipment("S0", "动力站")
    b.point("YL", "PT-611", "蒸汽压力", "MPa", (0, 2.5), (0.85, 1.0, 1.5, 1.6))
    b.point("WD", "TT-611", "蒸汽温度", "℃", (0, 400), high(255, 270))
    b.point("LL", "FT-611", "蒸汽流量", "t/h", (0, 100))
    b.point("YL", "PT-612", "仪表风压力", "MPa", (0, 1.2), (0.45, 0.5, None, None))
    b.point("YL", "PT-613", "氮气压力", "MPa", (0, 1.6), (0.45, 0.55, None, None))
    b.point("GL", "JT-611", "总负荷", "kW", (0, 20000), high(16000, 18000))
    b.equipment("S0", "液氨制冷机组")
    b.point("YL", "PT-621", "吸气压力", "MPa", (0, 0.6), (0.08, 0.12, None, None))
    b.point("YL", "PT-622", "排气压力", "MPa", (0, 2.5), high(1.6, 1.8))
    b.point("WD", "TT-621", "排气温度", "℃", (0, 160), high(115, 125))
    b.point("DL", "IT-621", "压缩机电流", "A", (0, 400), high(320, 350))
    b.equipment("Q0", "制冷机房氨气探测器", medium=AMMONIA, cas=_CAS[AMMONIA])
    for i in (1, 2, 3):
        b.point("QT", f"AT-62{i}", f"{i}", "mg/m³", (0, 60), high(20, 40))


class _Registers:
    """Lays out the Modbus map: switches as discrete inputs, some analogues as scaled integers, the others as floats."""

    def __init__(self) -> None:
        self._next = {"di": 0, "ir": 0, "hr": 0}

    def place(self, tag: str) -> tuple[str, float, float]:
        """Address, scale and offset of the next point."""
        if tag.startswith("P-"):
            return f"di:{self._take('di', 1)}", 1.0, 0.0
        if tag.startswith("WX-"):
            return f"ir:{self._take('ir', 1)}:i16", 0.1, 0.0  # weather stations speak in tenths
        return f"hr:{self._take('hr', 2)}:f32:be", 1.0, 0.0

    def _take(self, table: str, width: int) -> int:
        at = self._next[table]
        self._next[table] += width
        return at


def _drums(b: Builder) -> None:
    b.enterprise("濮阳模拟仓储物流有限公司", "濮阳市模拟化工园区四号路3号", 115.0238, 35.7588)
    b.gateway("桶装仓库采集网关(模拟,TCP)", "national", None, {}, _by_code)
    b.source("甲醇桶装仓库(模拟)", "库区", 1.2, substance(METHANOL, 800.0))
    for zone in range(1, DRUM_ZONES + 1):
        n = f"5{zone}"
        b.equipment("C0", f"甲醇仓库{zone}区", medium=METHANOL, cas=_CAS[METHANOL], form="甲类库房", design_t=270.0)
        b.point("WD", f"TT-{n}1", "温度", "℃", (-20, 60), high(35, 40))
        b.point("SD", f"MT-{n}1", "湿度", "%RH", (0, 100), high(92))
        b.point("KG", f"FAN-{n}1", "通风机运行", "", (0, 1))
        b.point("CL", f"WT-{n}1", "在库量", "t", (0, 300), high(270))
        b.point("QT", f"GT-{n}1", "可燃气1", "%LEL", (0, 100), high(25, 50))
        b.point("QT", f"GT-{n}2", "可燃气2", "%LEL", (0, 100), high(25, 50))
