"""一园一档: the declaration of a park's file. Fields follow functions.md §7; weights are ours and stand here only."""

from __future__ import annotations

from hazwatch.registry.files.fields import NOTE, amount, choice, count, day, phone, place
from hazwatch.registry.files.model import DocumentKind, Field, Filler, Group, Kind, OwnerKind, Schema

_TARGETS = ("学校", "医院", "居民区", "养老机构", "商业场所", "交通枢纽", "水源地", "自然保护区", "其他")


def _list(key: str, title: str, fields: tuple[Field, ...], *, weight: float, none: bool = False) -> Group:
    return Group(key, title, fields, Filler.PARK, many=True, weight=weight, may_be_none=none)


_IDENTITY = Group(
    "identity",
    "基本信息",
    weight=12,
    filler=Filler.PARK,
    table="parks",
    fields=(
        Field("name", "园区名称", must=True, weight=2, approved=True, column="name"),
        Field("region", "行政区划代码", must=True, column="region", limit=6),
        Field("lon", "经度", Kind.NUMBER, must=True, column="lon", low=73, high=136, unit="°", hint="CGCS2000"),
        Field("lat", "纬度", Kind.NUMBER, must=True, column="lat", low=3, high=54, unit="°", hint="CGCS2000"),
        Field("authority", "管理机构", must=True),
        Field("address", "地址", must=True, limit=300),
        Field("industry", "主导产业", must=True, limit=300),
        day("founded", "设立日期"),
        amount("area", "规划面积", "km²", must=True),
        amount("built_area", "建成面积", "km²", must=True),
        count("workers", "从业人数", must=True),
        count("residents", "园区内常住人口", must=True),
        phone("duty_phone", "24 小时值班电话", must=True),
        NOTE,
    ),
)

_BOUNDARY = Group(
    "boundary",
    "边界与安全控制线",
    weight=10,
    filler=Filler.PARK,
    clause="危险化学品安全法 第十七、十九条",
    fields=(
        Field("boundary", "园区四至边界", Kind.GEOMETRY, must=True, weight=2, approved=True, hint="GeoJSON 多边形"),
        Field("control_line", "周边土地规划安全控制线", Kind.GEOMETRY, must=True, weight=2, approved=True),
        Field("control_document", "控制线批准文件", must=True),
        Field("planning", "总体规划与产业规划", must=True),
    ),
)

_RECOGNITION = Group(
    "recognition",
    "认定与安全风险等级",
    weight=12,
    filler=Filler.REGULATOR,
    fields=(
        choice("status", "认定状态", ("已认定", "申报中", "未认定", "已取消"), must=True, approved=True),
        Field("document", "认定文号", must=True, approved=True, limit=100),
        day("recognised", "认定日期", must=True),
        choice("grade", "安全风险等级", ("A", "B", "C", "D"), must=True, approved=True),
        day("graded", "定级日期", must=True),
        Field("graded_by", "定级机关", must=True, limit=100),
        Field("problems", "定级问题与整改", Kind.LONG, limit=2000),
    ),
)

_ASSESSMENTS = Group(
    "assessments",
    "整体性安全风险评估",
    many=True,
    weight=8,
    filler=Filler.PARK,
    clause="危险化学品安全法 第十九条:每三年至少一次",
    fields=(
        Field("title", "评估报告", must=True),
        Field("by", "评估机构", must=True),
        day("at", "评估日期", must=True),
        day("to", "下次评估期限", must=True, ends=True),
        amount("total_r", "重大危险源 R 值合计"),
        Field("individual_risk", "个人风险结论", Kind.LONG, must=True, limit=1000),
        Field("societal_risk", "社会风险结论", Kind.LONG, must=True, limit=1000),
        Field("domino", "多米诺效应结论", Kind.LONG, limit=1000),
        Field("contour", "个人风险等值线", Kind.GEOMETRY),
    ),
)

PARK = Schema(
    OwnerKind.PARK,
    "一园一档",
    (
        _IDENTITY,
        _BOUNDARY,
        _RECOGNITION,
        _ASSESSMENTS,
        _list(
            "managers",
            "管理人员",
            (
                Field("name", "姓名", must=True, limit=50),
                Field("post", "职务", must=True, limit=100),
                phone("phone", "电话", must=True),
                Field("duty", "职责", limit=300),
            ),
            weight=5,
        ),
        _list(
            "targets",
            "敏感目标",
            (
                Field("name", "名称", must=True),
                choice("kind", "类别", _TARGETS, must=True),
                count("people", "常住人口", must=True),
                *place(must=True),
                Field("area", "范围", Kind.GEOMETRY),
                amount("distance", "距园区边界", "m"),
                phone("phone", "联系电话"),
            ),
            weight=8,
            none=True,
        ),
        _list(
            "works",
            "公用工程",
            (
                Field("name", "名称", must=True),
                choice(
                    "kind",
                    "类别",
                    ("供水", "供电", "供热", "供气", "污水处理", "固废处置", "事故应急池", "其他"),
                    must=True,
                ),
                Field("capacity", "能力", must=True, limit=100),
                *place(),
                phone("phone", "电话"),
            ),
            weight=6,
        ),
        _list(
            "pipelines",
            "公用管廊",
            (
                Field("name", "名称", must=True),
                Field("medium", "介质", must=True),
                amount("length", "长度", "km", must=True),
                Field("operator", "运营单位", must=True),
                Field("line", "走向", Kind.GEOMETRY),
            ),
            weight=3,
            none=True,
        ),
        _list(
            "roads",
            "道路与门禁",
            (
                Field("name", "名称", must=True),
                choice("kind", "类别", ("卡口", "主干道", "危化品车辆专用停车场", "其他"), must=True),
                *place(),
                Field("line", "走向", Kind.GEOMETRY),
                Field("control", "管控方式", must=True),
            ),
            weight=3,
        ),
        _list(
            "stations",
            "消防站与救援队伍",
            (
                Field("name", "名称", must=True),
                choice("kind", "类别", ("消防站", "专业救援队", "医疗", "其他"), must=True),
                count("people", "人数", must=True),
                Field("equipment", "主要装备", Kind.LONG, must=True, limit=1000),
                *place(must=True),
                phone("phone", "电话", must=True),
            ),
            weight=6,
        ),
        _list(
            "musters",
            "疏散与集合点",
            (
                Field("name", "名称", must=True),
                count("capacity", "容纳人数", must=True),
                *place(must=True),
            ),
            weight=4,
        ),
        _list(
            "resources",
            "应急资源",
            (
                Field("name", "名称", must=True),
                Field("kind", "类别", limit=50),
                amount("amount", "数量", must=True),
                Field("unit", "单位", must=True, limit=20),
                Field("place", "存放地点", must=True),
                phone("phone", "电话"),
                day("to", "有效期止", ends=True),
            ),
            weight=5,
        ),
        Group(
            "weather",
            "气象站",
            (
                Field("name", "名称", must=True),
                *place(must=True),
                amount("height", "测风高度", "m", must=True),
                Field("point", "风速指标编码", limit=22, hint="22 位指标编码,供扩散模型取风"),
                day("calibrated_to", "检定有效期止", ends=True),
            ),
            Filler.PARK,
            weight=4,
        ),
        Group(
            "plan",
            "应急预案",
            (
                Field("name", "预案名称", must=True),
                Field("filing", "备案编号", must=True, limit=100),
                day("to", "备案有效期止", must=True, ends=True),
                day("drill", "最近演练日期", must=True),
            ),
            Filler.PARK,
            weight=5,
        ),
        Group(
            "inspections",
            "检查督导",
            (
                Field("title", "检查", must=True),
                day("at", "日期", must=True),
                Field("by", "检查机关", must=True, limit=100),
                count("problems", "问题数", must=True, unit="项"),
                count("closed", "已整改", unit="项"),
                Field("opinion", "意见", Kind.LONG, limit=2000),
            ),
            Filler.REGULATOR,
            many=True,
            weight=3,
            may_be_none=True,
        ),
    ),
    (
        DocumentKind("plot_plan", "园区总平面图", must=True),
        DocumentKind("assessment", "整体性安全风险评估报告", must=True),
        DocumentKind("planning", "规划文件", must=True),
        DocumentKind("control_line", "安全控制线图", must=True),
        DocumentKind("recognition", "认定文件", must=True),
        DocumentKind("plan", "应急预案文本", must=True),
        DocumentKind("risk_map", "风险分布图"),
        DocumentKind("other", "其他"),
    ),
)
