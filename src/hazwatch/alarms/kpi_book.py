"""KPIs as a workbook."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hazwatch.documents.cells import cell

_ROOMS = (
    ("code", "企业编码"), ("name", "企业"), ("region", "行政区划"), ("park", "园区"), ("points", "监测点数"),
    ("class_zh", "等级"), ("activations", "报警次数"), ("per_hour", "每小时(每岗)"), ("per_day", "每天(每岗)"),
    ("peak", "10 分钟峰值"), ("flood_count", "泛滥次数"), ("flood_share", "泛滥时间占比"),
    ("chatter_share", "抖动占比"), ("top_share", "前十占比"), ("stale", "长期报警"), ("standing", "现存报警"),
    ("disturbance_rate", "扰动率"), ("repeat_points", "重复报警点位数"),
)  # fmt: skip
_ACTORS = (
    ("point", "指标编码"), ("point_name", "指标"), ("source_name", "重大危险源"), ("activations", "报警次数"),
    ("share", "占比"), ("chattering", "抖动次数"), ("fleeting", "瞬时次数"), ("standing_s", "报警时长 s"),
)  # fmt: skip
_FLOODS = (
    ("start", "开始"), ("end", "结束"), ("seconds", "时长 s"), ("activations", "报警次数"),
    ("peak_10min", "10 分钟峰值"),
)  # fmt: skip
_STALE = (
    ("point", "指标编码"), ("point_name", "指标"), ("source_name", "重大危险源"), ("type", "级别"), ("since", "开始"),
    ("until", "结束"), ("hours", "小时"),
)  # fmt: skip
_FIGURES = (
    ("from", "开始"), ("to", "结束"), ("operators", "岗位数"), ("points", "监测点数"), ("class_zh", "等级"),
    ("activations", "报警次数"), ("rate.per_hour", "每小时(每岗)"), ("rate.per_day", "每天(每岗)"),
    ("peak_10min.activations", "10 分钟峰值"), ("peak_10min.at", "峰值时刻"), ("flood_count", "泛滥次数"),
    ("flood_share", "泛滥时间占比"), ("chatter_share", "抖动占比"), ("fleeting_share", "瞬时占比"),
    ("repeat_share", "重复占比"), ("stale", "长期报警"), ("top_share", "前十占比"),
    ("priorities.urgent", "紧急"), ("priorities.high", "重要"), ("priorities.other", "其他"),
    ("national.disturbance_rate", "扰动率"), ("national.disturbance_rate_per_point", "扰动率(每点平均)"),
    ("national.repeat_points", "重复报警点位数"), ("national.repeat_count", "重复报警次数"),
    ("national.average_count_per_point_day", "平均报警次数(每点每天)"),
    ("national.average_duration_s", "平均消警时长 s"), ("national.longest_s", "最长报警时间 s"),
)  # fmt: skip


def rooms_book(items: Iterable[Mapping[str, Any]]) -> bytes:
    """The list of rooms."""
    return _book([("控制室", _ROOMS, items)])


def room_book(form: Mapping[str, Any]) -> bytes:
    """One room: figures, bad actors, floods, stale alarms."""
    figures = [{"name": title, "value": _at(form, key)} for key, title in _FIGURES]
    return _book(
        [
            ("指标", (("name", "指标"), ("value", "数值")), figures),
            ("报警最多的点位", _ACTORS, form["top"]),
            ("报警泛滥", _FLOODS, form["floods"]),
            ("长期报警", _STALE, form["stale_alarms"]),
        ]
    )


def _at(form: Mapping[str, Any], key: str) -> Any:
    for part in key.split("."):
        form = form[part]
    return form


def _book(sheets: Sequence[tuple[str, Sequence[tuple[str, str]], Iterable[Mapping[str, Any]]]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for title, columns, rows in sheets:
        sheet = book.create_sheet(title)
        sheet.append([name for _, name in columns])
        for row in rows:
            sheet.append([cell(row.get(key)) for key, _ in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
