"""一企一档: the declaration of an enterprise's file. Fields follow functions.md §7; weights are ours.

Groups with ``table`` stand on rows of the registry (point codes, limits and gateways hang on those); fields with
``column`` are the registry's own columns, the others are held by the file.
"""

from __future__ import annotations

from hazwatch.registry.files.fields import NOTE, amount, choice, count, day, flag, phone, place
from hazwatch.registry.files.model import DocumentKind, Field, Filler, Group, Kind, OwnerKind, Schema

#: 重点监管的危险化工工艺: 安监总管三〔2009〕116号 (1–15), 安监总管三〔2013〕3号 (16–18).
PROCESSES = (
    "光气及光气化工艺",
    "电解工艺(氯碱)",
    "氯化工艺",
    "硝化工艺",
    "合成氨工艺",
    "裂解(裂化)工艺",
    "氟化工艺",
    "加氢工艺",
    "重氮化工艺",
    "氧化工艺",
    "过氧化工艺",
    "胺基化工艺",
    "磺化工艺",
    "聚合工艺",
    "烷基化工艺",
    "新型煤化工工艺",
    "电石生产工艺",
    "偶氮化工艺",
)

PERMITS = (
    "安全生产许可证",
    "危险化学品经营许可证",
    "危险化学品安全使用许可证",
    "危险化学品登记证",
    "易制毒化学品备案证明",
    "排污许可证",
    "特种设备使用登记证",
    "安全生产标准化证书",
    "其他",
)

_PEOPLE = ("学校", "医院", "居民区", "养老机构", "商业场所", "企业", "交通枢纽", "其他")


_IDENTITY = Group(
    "identity",
    "基本信息",
    weight=15,
    table="enterprises",
    fields=(
        Field("name", "企业名称", must=True, weight=2, approved=True, column="name"),
        Field("credit_code", "统一社会信用代码", must=True, weight=2, approved=True, column="credit_code", limit=18),
        Field("registration_code", "登记系统编码", must=True, limit=40, hint="危险化学品登记系统中的企业编码"),
        Field("region", "行政区划代码", must=True, column="region", limit=6, hint="所在县或市的 6 位代码"),
        Field("park", "所属园区编码", column="park", limit=16, hint="不在园区则不填"),
        Field("address", "地址", must=True, column="address", limit=300),
        Field("lon", "经度", Kind.NUMBER, must=True, column="lon", low=73, high=136, unit="°", hint="CGCS2000"),
        Field("lat", "纬度", Kind.NUMBER, must=True, column="lat", low=3, high=54, unit="°", hint="CGCS2000"),
        Field("industry", "行业", must=True, limit=100, hint="国民经济行业分类"),
        choice("type", "企业类型", ("生产", "经营", "使用", "化工", "医药", "其他"), must=True, approved=True),
        choice("scale", "规模", ("大型", "中型", "小型", "微型"), must=True),
        choice("status", "生产状态", ("正常", "试生产", "停产", "在建", "关闭"), must=True),
        count("employees", "从业人数", must=True),
        count("safety_staff", "专职安全管理人员数", must=True),
        day("founded", "成立日期"),
        Field("head", "主要负责人", must=True, limit=50),
        phone("head_phone", "主要负责人电话", must=True),
        Field("safety_head", "安全负责人", must=True, limit=50),
        phone("safety_head_phone", "安全负责人电话", must=True),
        phone("duty_phone", "24 小时值班电话", must=True),
        Field("shifts", "班制", must=True, limit=50, hint="例:四班三运转"),
        NOTE,
    ),
)

_SITE = Group(
    "site",
    "厂区边界",
    weight=8,
    fields=(
        Field("boundary", "厂区边界", Kind.GEOMETRY, must=True, weight=3, hint="GeoJSON 多边形;可在一张图上绘制"),
        amount("area", "占地面积", "m²", must=True),
        Field("source", "边界来源", must=True, limit=100, hint="例:总平面图、实测、影像勾绘"),
    ),
)

_SURROUNDINGS = Group(
    "surroundings",
    "周边目标",
    many=True,
    weight=6,
    may_be_none=True,
    clause="GB 18218—2018 表 5(厂区边界外 500 m 人数)",
    fields=(
        Field("name", "名称", must=True),
        choice("kind", "类别", _PEOPLE, must=True),
        count("people", "常住人口", must=True),
        *place(must=True),
        Field("area", "范围", Kind.GEOMETRY),
        Field("basis", "人数依据", limit=200, hint="例:人口普查、村委会证明"),
        phone("phone", "联系电话"),
    ),
)

_PERMITS = Group(
    "permits",
    "证照许可",
    many=True,
    weight=12,
    fields=(
        choice("kind", "证照", PERMITS, must=True, approved=True),
        Field("number", "编号", must=True, approved=True, limit=100),
        Field("scope", "许可范围", Kind.LONG, must=True, limit=1000),
        Field("issuer", "发证机关", must=True, limit=100),
        day("from", "有效期起", must=True, approved=True),
        day("to", "有效期止", must=True, ends=True, approved=True),
        choice("grade", "标准化等级", ("一级", "二级", "三级")),
    ),
)

_CHEMICALS = Group(
    "chemicals",
    "危险化学品",
    many=True,
    weight=10,
    fields=(
        Field("name", "名称", must=True),
        Field("cas", "CAS 号", Kind.CAS, must=True, limit=20, hint="例:67-56-1"),
        Field("un", "UN 号", limit=10),
        Field("ghs", "GHS 类别", limit=200, hint="例:易燃液体 2;急性毒性-经口 3"),
        choice("role", "用途", ("原料", "中间产品", "产品", "辅料", "储存经营"), must=True),
        choice("state", "物态", ("气", "液", "固", "液化气"), must=True),
        amount("annual_output", "年产量", "t"),
        amount("annual_use", "年用量", "t"),
        amount("max_storage", "最大储量", "t", must=True),
        Field("place", "储存地点", limit=200),
        flag("key_regulated", "重点监管", must=True),
        flag("special_control", "特别管控", must=True),
        flag("highly_toxic", "剧毒", must=True),
        flag("explosive_precursor", "易制爆", must=True),
        flag("drug_precursor", "易制毒"),
    ),
)

_PROCESSES = Group(
    "processes",
    "危险化工工艺",
    many=True,
    weight=6,
    may_be_none=True,
    clause="安监总管三〔2009〕116号、安监总管三〔2013〕3号",
    fields=(
        choice("kind", "工艺", PROCESSES, must=True, approved=True),
        Field("unit", "装置名称", must=True),
        Field("product", "产品", limit=100),
        amount("capacity", "设计能力", "t/a"),
        Field("control", "自动控制方式", must=True, limit=200, hint="例:DCS+SIS"),
        flag("sis", "独立 SIS", must=True),
        flag("assessed", "已做反应安全风险评估", must=True),
        choice("hazard_level", "反应工艺危险度", ("1 级", "2 级", "3 级", "4 级", "5 级")),
    ),
)

_SOURCES = Group(
    "sources",
    "重大危险源",
    many=True,
    weight=15,
    may_be_none=True,
    table="sources",
    fields=(
        Field("name", "名称", must=True, column="name"),
        Field("kind", "类型", must=True, column="kind", limit=40),
        Field("level", "级别", Kind.INTEGER, must=True, column="level", low=1, high=4, approved=True),
        Field("r", "R 值", Kind.NUMBER, must=True, column="r", low=0, approved=True),
        Field("lon", "经度", Kind.NUMBER, must=True, column="lon", low=73, high=136, unit="°", hint="CGCS2000"),
        Field("lat", "纬度", Kind.NUMBER, must=True, column="lat", low=3, high=54, unit="°", hint="CGCS2000"),
        Field("boundary", "边界", Kind.GEOMETRY),
        day("commissioned", "投用日期", must=True),
        count("people_500m", "500 m 范围人数", must=True),
        Field("nearest", "最近防护目标", must=True, limit=100),
        amount("nearest_m", "最近防护目标距离", "m", must=True),
        Field("filing", "备案编号", must=True, approved=True, limit=100),
        day("filed_from", "备案起", must=True, approved=True),
        day("filed_to", "备案止", must=True, ends=True, approved=True),
        day("assessed", "安全评估日期", must=True),
        Field("chief", "包保主要负责人", must=True, limit=50),
        phone("chief_phone", "主要负责人电话", must=True),
        Field("technical", "包保技术负责人", must=True, limit=50),
        phone("technical_phone", "技术负责人电话", must=True),
        Field("operations", "包保操作负责人", must=True, limit=50),
        phone("operations_phone", "操作负责人电话", must=True),
        flag("sis", "独立 SIS", must=True),
        flag("shutoff", "紧急切断", must=True),
        day("lightning", "防雷检测有效期止", ends=True),
    ),
    clause="包保责任:应急厅〔2021〕12号",
)

_EQUIPMENT = Group(
    "equipment",
    "设备设施",
    many=True,
    weight=8,
    may_be_none=True,
    table="equipment",
    fields=(
        Field("name", "名称", must=True, column="name"),
        Field("medium", "介质", must=True, column="medium", limit=100),
        Field("cas", "CAS 号", Kind.CAS, column="cas", limit=20),
        Field("form", "型式", column="form", limit=40),
        Field("capacity_m3", "容积", Kind.NUMBER, column="capacity_m3", low=0, unit="m³"),
        Field("diameter_m", "直径", Kind.NUMBER, column="diameter_m", low=0, unit="m"),
        Field("height_m", "高度", Kind.NUMBER, column="height_m", low=0, unit="m"),
        Field("design_t", "设计储量", Kind.NUMBER, column="design_t", low=0, unit="t"),
        amount("design_pressure", "设计压力", "MPa"),
        amount("normal_pressure", "正常压力上限", "MPa"),
        Field("temperature", "温度上限", Kind.NUMBER, low=-273, high=3000, unit="℃"),
        choice("status", "状态", ("在用", "停用", "检修", "报废"), must=True),
        day("commissioned", "投用日期"),
        day("inspected_to", "检验有效期止", ends=True),
    ),
)

_CAMERAS = Group(
    "cameras",
    "视频监控",
    many=True,
    weight=5,
    may_be_none=True,
    clause="GB/T 28181",
    fields=(
        Field("name", "名称", must=True),
        Field("gb_code", "国标编码", must=True, limit=20, hint="GB/T 28181 的 20 位编码"),
        choice("place", "场所", ("重大危险源", "重点部位", "值班监控中心", "出入口", "装卸区", "其他"), must=True),
        Field("source", "重大危险源编码", limit=12),
        *place(),
        Field("record_plan", "录像计划", limit=100),
    ),
)

_PLAN = Group(
    "plan",
    "应急预案与队伍",
    weight=6,
    fields=(
        Field("name", "预案名称", must=True),
        Field("filing", "备案编号", must=True, limit=100),
        day("filed", "备案日期", must=True),
        day("to", "备案有效期止", must=True, ends=True),
        day("drill", "最近演练日期", must=True),
        Field("team", "应急队伍", must=True, limit=100),
        count("team_people", "队伍人数", must=True),
        Field("leader", "队长", must=True, limit=50),
        phone("leader_phone", "队长电话", must=True),
    ),
)

_MATERIALS = Group(
    "materials",
    "应急物资",
    many=True,
    weight=4,
    fields=(
        Field("name", "名称", must=True),
        Field("kind", "类别", limit=50, hint="例:个体防护、堵漏、灭火、洗消"),
        amount("amount", "数量", must=True),
        Field("unit", "单位", must=True, limit=20),
        Field("place", "存放地点", must=True),
        Field("keeper", "保管人", limit=50),
        phone("phone", "电话"),
        day("to", "有效期止", ends=True),
    ),
)

_STAFF = Group(
    "staff",
    "人员资质",
    many=True,
    weight=5,
    clause="特种作业人员持证上岗",
    fields=(
        Field("name", "姓名", must=True, limit=50),
        choice(
            "kind",
            "类别",
            ("主要负责人", "安全管理人员", "特种作业人员", "特种设备作业人员", "注册安全工程师"),
            must=True,
        ),
        Field("work", "作业项目", must=True, limit=100, hint="例:氯化工艺作业、防爆电气作业"),
        Field("certificate", "证书编号", must=True, limit=100),
        day("from", "发证日期"),
        day("to", "有效期止", must=True, ends=True),
    ),
)

_INSURANCE = Group(
    "insurance",
    "安全生产责任保险",
    many=True,
    weight=3,
    fields=(
        Field("insurer", "承保机构", must=True),
        Field("policy", "保单号", must=True, limit=100),
        amount("amount", "保额", "万元", must=True),
        count("people", "承保人数"),
        day("from", "保险期起", must=True),
        day("to", "保险期止", must=True, ends=True),
    ),
)

_ACCIDENTS = Group(
    "accidents",
    "事故",
    many=True,
    weight=3,
    may_be_none=True,
    fields=(
        Field("title", "事故", must=True),
        day("at", "日期", must=True),
        Field("kind", "类型", must=True, limit=50),
        count("deaths", "死亡", must=True),
        count("injuries", "受伤", must=True),
        amount("loss", "直接损失", "万元"),
        Field("cause", "原因", Kind.LONG, must=True, limit=2000),
        Field("lesson", "整改与教训", Kind.LONG, limit=2000),
    ),
)

_HAZARDS = Group(
    "hidden_dangers",
    "重大隐患",
    many=True,
    weight=2,
    may_be_none=True,
    clause="安监总管三〔2017〕121号",
    fields=(
        Field("title", "隐患", must=True),
        day("found", "发现日期", must=True),
        choice("state", "状态", ("整改中", "待验收", "已验收"), must=True),
        day("deadline", "整改期限", must=True),
        Field("person", "整改责任人", must=True, limit=50),
        Field("measures", "措施", Kind.LONG, limit=2000),
    ),
)

_INSPECTIONS = Group(
    "inspections",
    "检查",
    many=True,
    weight=3,
    filler=Filler.REGULATOR,
    may_be_none=True,
    fields=(
        Field("title", "检查", must=True),
        day("at", "日期", must=True),
        Field("by", "检查机关", must=True, limit=100),
        choice("kind", "类型", ("日常", "专项", "抽查", "督导", "线上巡查"), must=True),
        count("problems", "问题数", must=True, unit="项"),
        count("closed", "已整改", unit="项"),
        Field("opinion", "意见", Kind.LONG, limit=2000),
    ),
)

_PENALTIES = Group(
    "penalties",
    "行政处罚",
    many=True,
    weight=2,
    filler=Filler.REGULATOR,
    may_be_none=True,
    fields=(
        Field("title", "违法行为", must=True),
        day("at", "日期", must=True),
        Field("number", "文书号", must=True, approved=True, limit=100),
        Field("by", "处罚机关", must=True, limit=100),
        Field("clause", "依据", limit=200),
        amount("amount", "罚款", "万元"),
        flag("closed", "已结案", must=True),
    ),
)

ENTERPRISE = Schema(
    OwnerKind.ENTERPRISE,
    "一企一档",
    (
        _IDENTITY,
        _SITE,
        _SURROUNDINGS,
        _PERMITS,
        _CHEMICALS,
        _PROCESSES,
        _SOURCES,
        _EQUIPMENT,
        _CAMERAS,
        _PLAN,
        _MATERIALS,
        _STAFF,
        _INSURANCE,
        _ACCIDENTS,
        _HAZARDS,
        _INSPECTIONS,
        _PENALTIES,
    ),
    (
        DocumentKind("plot_plan", "总平面布置图", must=True),
        DocumentKind("pid", "工艺管道及仪表流程图(P&ID)", must=True),
        DocumentKind("risk_map", "风险四色图", must=True),
        DocumentKind("surroundings", "周边 500 m 环境图", must=True),
        DocumentKind("evaluation", "安全评价报告", must=True),
        DocumentKind("source_assessment", "重大危险源安全评估报告", must=True, only_with="sources"),
        DocumentKind("plan", "应急预案文本", must=True),
        DocumentKind("permit", "证照扫描件"),
        DocumentKind("sds", "安全技术说明书(SDS)"),
        DocumentKind("photo", "现场照片"),
        DocumentKind("other", "其他"),
    ),
)
