"""Files of a made-up province: most fields are filled in, some are missing, some validities have ended. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from hazwatch.registry.files.model import NONE, REASON, SINGLE
from hazwatch.registry.files.schemas import SCHEMAS, kind_of
from hazwatch.registry.model import ParkRow
from hazwatch.registry.synthetic.model import CHEMICALS, MARK
from hazwatch.registry.synthetic.registry_rows import Province, Works

Content = dict[str, dict[str, dict[str, Any]]]

#: A day in the middle of what is made up. It is fixed, so that a seed gives one province whatever the day.
DAY = date(2026, 11, 1)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_NONE = {REASON: "模拟企业,未发生"}
_PEOPLE = ("居民区", "学校", "企业", "医院", "商业场所")


def make_files(random: Random, province: Province) -> dict[str, Content]:
    """Files by owner."""
    found = {one.row.code: _thinned(random, one.row.code, _enterprise(random, one)) for one in province.works}
    for park in province.parks:
        inside = [one for one in province.works if one.row.park == park.code]
        found[park.code] = _thinned(random, park.code, _park(random, park, inside))
    return found


def _thinned(random: Random, owner: str, content: Content) -> Content:
    """Some owners are careful, some are not: fields and whole lists are missing."""
    care = random.choice((0.97, 0.97, 0.93, 0.88, 0.8, 0.65))
    schema = SCHEMAS[kind_of(owner)]
    kept: Content = {}
    for key, rows in content.items():
        group = schema.group(key)
        if group is None or (key not in {"identity", "chemicals"} and random.random() > care + 0.02):
            continue
        names = {field.key for field in group.fields[:2]}
        kept[key] = {
            row_id: {k: v for k, v in row.items() if k in names or row_id == NONE or random.random() < care}
            for row_id, row in rows.items()
        }
    return {key: {r: body for r, body in rows.items() if body} for key, rows in kept.items() if rows}


def _person(random: Random) -> str:
    return f"{random.choice(_SURNAMES)}某{random.choice('甲乙丙丁戊己')}"


def _phone(random: Random) -> str:
    return f"000-{random.randrange(10**7):07d}"


def _day(random: Random, least: int, most: int) -> str:
    return (DAY + timedelta(days=random.randint(least, most))).isoformat()


def _span(random: Random, years: int = 3) -> tuple[str, str]:
    """A validity; one in fifteen has ended, as many end within three months."""
    ends = random.choices(
        (random.randint(-200, -1), random.randint(30, 110), random.randint(111, 365 * years)), (1, 1, 13)
    )[0]
    to = DAY + timedelta(days=ends)
    return (to - timedelta(days=365 * years)).isoformat(), to.isoformat()


def _polygon(random: Random, lon: float, lat: float, metres: float) -> dict[str, Any]:
    """A site of five to eight corners around a place."""
    corners = random.randint(5, 8)
    ring = []
    for n in range(corners):
        turn = 2 * math.pi * (n + random.uniform(-0.3, 0.3)) / corners
        away = metres * random.uniform(0.75, 1.15) / 111_000
        x = lon + away * math.cos(turn) / math.cos(math.radians(lat))
        ring.append([round(x, 6), round(lat + away * math.sin(turn), 6)])
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _around(random: Random, lon: float, lat: float, least: float, most: float) -> tuple[float, float]:
    away, turn = random.uniform(least, most) / 111_000, random.uniform(0, 2 * math.pi)
    return round(lon + away * math.cos(turn) / math.cos(math.radians(lat)), 6), round(lat + away * math.sin(turn), 6)


def _enterprise(random: Random, one: Works) -> Content:
    lon, lat = one.row.lon or 0.0, one.row.lat or 0.0
    radius = random.uniform(120, 380)
    employees = int(random.lognormvariate(4.6, 0.8)) + 12
    head = _person(random)
    return {
        "identity": {SINGLE: {
            "registration_code": f"4101{one.row.code}", "industry": one.trade.industry, "type": one.trade.type,
            "scale": "大型" if employees > 400 else "中型" if employees > 120 else "小型",
            "status": random.choices(("正常", "试生产", "停产", "在建"), (88, 4, 5, 3))[0], "employees": employees,
            "safety_staff": max(1, employees * 2 // 100), "founded": _day(random, -9_000, -1_000), "head": head,
            "head_phone": _phone(random), "safety_head": _person(random), "safety_head_phone": _phone(random),
            "duty_phone": _phone(random), "shifts": random.choice(("四班三运转", "三班两运转", "四班两运转")),
            "note": "程序生成的模拟企业,与任何真实企业无关",
        }},
        "site": {SINGLE: {
            "boundary": _polygon(random, lon, lat, radius), "area": round(math.pi * radius**2), "source": "模拟勾绘",
        }},
        "surroundings": _surroundings(random, one, radius),
        "permits": _permits(random, one),
        "chemicals": _chemicals(random, one),
        "processes": _processes(random, one),
        "sources": _sources(random, one),
        "equipment": {row.code: {"status": random.choices(("在用", "停用", "检修"), (92, 5, 3))[0]}
                      for row in one.equipment},
        "cameras": {f"c{n}": {
            "name": f"{n} 号摄像机", "gb_code": f"{one.row.code[:6]}00001320{n:06d}",
            "place": random.choice(("重大危险源", "重点部位", "值班监控中心", "出入口")), "record_plan": "全天",
        } for n in range(1, random.randint(3, 7))},
        "plan": {SINGLE: _plan(random)},
        "materials": {f"m{n}": {
            "name": name, "kind": kind, "amount": float(random.randint(2, 60)), "unit": unit, "place": "应急物资库",
            "keeper": _person(random), "phone": _phone(random),
        } for n, (name, kind, unit) in enumerate(_MATERIALS[: random.randint(2, len(_MATERIALS))], 1)},
        "staff": _staff(random, head),
        "insurance": {"i1": _insurance(random, employees)},
        "accidents": {NONE: _NONE}, "hidden_dangers": {NONE: _NONE}, "penalties": {NONE: _NONE},
        "inspections": {"x1": {
            "title": f"{MARK}专项检查", "at": _day(random, -300, -10), "by": "模拟应急管理局", "kind": "专项",
            "problems": (found := random.randint(0, 12)), "closed": random.randint(0, found),
        }},
    }  # fmt: skip


_MATERIALS = (
    ("正压式空气呼吸器", "个体防护", "套"), ("重型防化服", "个体防护", "套"), ("堵漏工具", "堵漏", "套"),
    ("泡沫液", "灭火", "t"), ("便携式气体检测仪", "检测", "台"), ("洗消剂", "洗消", "kg"),
)  # fmt: skip


def _surroundings(random: Random, one: Works, radius: float) -> dict[str, dict[str, Any]]:
    count = random.choice((0, 1, 2, 2, 3, 5))
    if not count:
        return {NONE: {REASON: "1 km 内无常住人口(模拟)"}}
    found = {}
    for n in range(1, count + 1):
        lon, lat = _around(random, one.row.lon or 0, one.row.lat or 0, radius + 60, radius + 1_200)
        kind = random.choice(_PEOPLE)
        found[f"t{n}"] = {
            "name": f"{MARK}{kind}{n}", "kind": kind, "people": int(random.lognormvariate(3.6, 1.1)), "lon": lon,
            "lat": lat, "basis": "模拟",
        }  # fmt: skip
    return found


def _permits(random: Random, one: Works) -> dict[str, dict[str, Any]]:
    first = {"经营": "危险化学品经营许可证", "使用": "危险化学品安全使用许可证"}.get(one.trade.type, "安全生产许可证")
    found = {}
    for n, kind in enumerate((first, "危险化学品登记证", "安全生产标准化证书")[: random.randint(2, 3)], 1):
        start, to = _span(random)
        found[f"p{n}"] = {
            "kind": kind, "number": f"模{one.row.code}-{n}", "scope": "、".join(one.trade.chemicals),
            "issuer": "模拟发证机关", "from": start, "to": to,
        }  # fmt: skip
        if n == 3:
            found[f"p{n}"]["grade"] = random.choice(("二级", "三级", "三级"))
    return found


def _chemicals(random: Random, one: Works) -> dict[str, dict[str, Any]]:
    held = {chemical.name for _, chemical in one.sources} | {random.choice(one.trade.chemicals)}
    found = {}
    for n, name in enumerate(sorted(held), 1):
        chemical = CHEMICALS[name]
        trading = one.trade.type == "经营"
        storage = round(random.lognormvariate(4.0, 1.2), 1)
        found[f"h{n}"] = {
            "name": name, "cas": chemical.cas, "state": chemical.state, "max_storage": storage,
            "role": "储存经营" if trading else random.choice(("原料", "产品", "中间产品")),
            "annual_use": round(storage * random.uniform(5, 60), 1),
            "place": "罐区" if chemical.state != "固" else "仓库",
            "key_regulated": chemical.key, "special_control": chemical.special, "highly_toxic": chemical.toxic,
            "explosive_precursor": chemical.explosive, "drug_precursor": chemical.drug,
        }  # fmt: skip
    return found


def _processes(random: Random, one: Works) -> dict[str, dict[str, Any]]:
    if not one.trade.processes:
        return {NONE: {REASON: "不涉及重点监管的危险化工工艺"}}
    chosen = random.sample(list(one.trade.processes), random.randint(1, len(one.trade.processes)))
    return {
        f"g{n}": {
            "kind": kind, "unit": f"{kind.removesuffix('工艺')}装置", "product": random.choice(one.trade.chemicals),
            "control": random.choice(("DCS", "DCS+SIS", "DCS+SIS+GDS")), "sis": random.random() < 0.8,
            "assessed": random.random() < 0.85, "capacity": float(random.randint(1, 60) * 5_000),
            "hazard_level": random.choice(("1 级", "2 级", "3 级", "4 级")),
        }
        for n, kind in enumerate(chosen, 1)
    }  # fmt: skip


def _sources(random: Random, one: Works) -> dict[str, dict[str, Any]]:
    if not one.sources:
        return {NONE: {REASON: "辨识后不构成重大危险源"}}
    found = {}
    for source, _ in one.sources:
        start, to = _span(random)
        found[source.code] = {
            "commissioned": _day(random, -5_000, -400), "people_500m": int(random.lognormvariate(3.2, 1.0)),
            "nearest": f"{MARK}{random.choice(_PEOPLE)}", "nearest_m": float(random.randint(80, 1_500)),
            "filing": f"模BA{source.code}", "filed_from": start, "filed_to": to, "assessed": start,
            "chief": _person(random), "chief_phone": _phone(random), "technical": _person(random),
            "technical_phone": _phone(random), "operations": _person(random), "operations_phone": _phone(random),
            "sis": source.level <= 2 or random.random() < 0.5, "shutoff": True,
            "lightning": _span(random, 1)[1],
        }  # fmt: skip
    return found


def _plan(random: Random) -> dict[str, Any]:
    return {
        "name": f"{MARK}生产安全事故应急预案", "filing": f"模YA{random.randrange(10**6):06d}",
        "filed": _day(random, -900, -200), "to": _span(random)[1], "drill": _day(random, -180, -5),
        "team": "企业义务消防队", "team_people": random.randint(6, 40), "leader": _person(random),
        "leader_phone": _phone(random),
    }  # fmt: skip


def _staff(random: Random, head: str) -> dict[str, dict[str, Any]]:
    works = [("主要负责人", "危险化学品安全管理", head)]
    works += [
        ("特种作业人员", random.choice(("防爆电气作业", "化工自动化控制仪表作业", "焊接与热切割作业")), _person(random))
        for _ in range(random.randint(2, 6))
    ]
    found = {}
    for n, (kind, work, name) in enumerate(works, 1):
        start, to = _span(random)
        certificate = f"模TZ{random.randrange(10**8):08d}"
        found[f"s{n}"] = {"name": name, "kind": kind, "work": work, "certificate": certificate, "from": start, "to": to}
    return found


def _insurance(random: Random, employees: int) -> dict[str, Any]:
    start, to = _span(random, 1)
    return {
        "insurer": "模拟保险公司", "policy": f"模BD{random.randrange(10**9):09d}", "amount": float(employees * 40),
        "people": employees, "from": start, "to": to,
    }  # fmt: skip


def _park(random: Random, park: ParkRow, inside: list[Works]) -> Content:
    lon, lat = park.lon or 0.0, park.lat or 0.0
    place: Mapping[str, float] = {"lon": lon, "lat": lat}
    targets = {}
    for n in range(1, random.randint(2, 6)):
        x, y = _around(random, lon, lat, 1_500, 5_000)
        kind = random.choice(("居民区", "学校", "医院", "水源地"))
        people = 0 if kind == "水源地" else int(random.lognormvariate(5.5, 1.0))
        targets[f"t{n}"] = {"name": f"{MARK}{kind}{n}", "kind": kind, "people": people, "lon": x, "lat": y}
    start, to = _span(random)
    total = round(sum(source.r or 0 for one in inside for source, _ in one.sources), 1)
    return {
        "identity": {SINGLE: {
            "authority": f"{MARK}园区管理委员会", "address": "模拟地址", "industry": "化学原料和化学制品制造",
            "founded": _day(random, -7_000, -2_000), "area": round(random.uniform(2, 20), 1),
            "built_area": round(random.uniform(1, 8), 1), "workers": random.randint(800, 12_000), "residents": 0,
            "duty_phone": _phone(random), "note": "程序生成的模拟园区",
        }},
        "boundary": {SINGLE: {
            "boundary": _polygon(random, lon, lat, 2_900), "control_line": _polygon(random, lon, lat, 3_600),
            "control_document": "模拟批复", "planning": "模拟规划",
        }},
        "recognition": {SINGLE: {
            "status": random.choices(("已认定", "申报中"), (9, 1))[0], "document": f"模RD{park.code}",
            "recognised": _day(random, -1_500, -300), "grade": random.choices("ABCD", (1, 2, 5, 4))[0],
            "graded": _day(random, -700, -60), "graded_by": "模拟应急管理厅",
        }},
        "assessments": {"a1": {
            "title": f"{MARK}整体性安全风险评估报告", "by": "模拟评估机构", "at": start, "to": to, "total_r": total,
            "individual_risk": "模拟结论:可接受", "societal_risk": "模拟结论:尽可能降低区",
        }},
        "managers": {f"m{n}": {"name": _person(random), "post": post, "phone": _phone(random)}
                     for n, post in enumerate(("主任", "安全总监", "值班长"), 1)},
        "targets": targets,
        "works": {f"w{n}": {"name": f"{MARK}{kind}站", "kind": kind, "capacity": "模拟能力", **place}
                  for n, kind in enumerate(("供水", "供电", "供热", "污水处理", "事故应急池"), 1)},
        "pipelines": {"l1": {"name": f"{MARK}公用管廊", "medium": "蒸汽、氮气", "length": 4.2, "operator": "模拟公司"}},
        "roads": {f"r{n}": {"name": f"{n} 号卡口", "kind": "卡口", "control": "人车分流,24 小时值守"} for n in (1, 2)},
        "stations": {"f1": {
            "name": f"{MARK}特勤消防站", "kind": "消防站", "people": random.randint(20, 60),
            "equipment": "泡沫消防车、举高喷射车", "phone": _phone(random), **place,
        }},
        "musters": {f"u{n}": dict(zip(("lon", "lat"), _around(random, lon, lat, 1_800, 3_000), strict=True))
                    | {"name": f"{n} 号集合点", "capacity": random.randint(300, 3_000)} for n in (1, 2)},
        "resources": {f"e{n}": {"name": name, "kind": kind, "amount": float(random.randint(5, 90)), "unit": unit,
                                "place": "园区应急物资库", "phone": _phone(random)}
                      for n, (name, kind, unit) in enumerate(_MATERIALS, 1)},
        "weather": {SINGLE: {"name": f"{MARK}气象站", "height": 10.0, "calibrated_to": _span(random, 2)[1], **place}},
        "plan": {SINGLE: {"name": f"{MARK}园区应急预案", "filing": f"模YA{park.code}", "to": _span(random)[1],
                          "drill": _day(random, -200, -10)}},
        "inspections": {NONE: _NONE},
    }  # fmt: skip
