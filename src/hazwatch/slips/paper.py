"""The slip on paper: what stands in a file after it was closed, and a draft of it before."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from hazwatch.documents.paper import Paper
from hazwatch.identity.model import SYSTEM
from hazwatch.slips.model import FIELDS
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import from_ms, parse

_COLOURS = {"red": "◆ 红 重大", "orange": "▲ 橙 较大", "yellow": "■ 黄 一般", "blue": "● 蓝 低", "none": "○ 无"}
_LEVELS = {level.word: level.zh for level in Level}
_WORDS = {"red": "红", "orange": "橙", "yellow": "黄", "blue": "蓝", "none": "无"}


def paper(slip: dict[str, Any], pictures: list[tuple[str, bytes]], zone: tzinfo, made: int) -> bytes:
    """A PDF of a slip.

    Args:
        slip: as ``views.whole`` gives it.
        pictures: caption and JPEG of each photo.
        zone: in which times are shown.
        made: epoch ms of now; the date of the file.
    """

    def local(text: str | None) -> str:
        return "" if not text else from_ms(parse(text)).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")

    foot = f"{slip['archive_no'] or '未归档'}  {slip['id']}  链摘要 {slip['digest'][:16]}"
    sheet = Paper("风险预警处置报告单", foot=foot, made=_made(made, zone))
    if not slip["archive_no"]:
        sheet.paragraph(f"本单尚未关闭,现为“{slip['state_zh']}”,仅供查阅。", small=True)
    _head(sheet, slip, local)
    _answer(sheet, slip, local)
    _life(sheet, slip, local)
    _files(sheet, slip, pictures, local)
    sheet.heading("校验")
    sheet.paragraph(
        f"末步链摘要(SHA-256):{slip['digest']}。各步记录逐条成链,任何改动可由 hazwatch verify 查出并指明所在步骤。",
        small=True,
    )
    sheet.signatures(["填报单位", "审核单位"])
    return sheet.bytes()


def _made(made: int, zone: tzinfo) -> datetime:
    return from_ms(made).astimezone(zone)


def _head(sheet: Paper, slip: dict[str, Any], local: Any) -> None:
    sheet.heading("预警")
    sheet.facts(
        [
            ("报告单编号", slip["id"]), ("归档编号", slip["archive_no"] or "—"), ("预警编号", slip["warning"]),
            ("预警级别", _COLOURS[slip["worst"]]), ("预警对象", f"{slip['name']}({slip['object']})"),
            ("对象类别", slip["kind_zh"]),
            ("预警时间", local(slip["raised_at"])), ("生成时间", local(slip["opened_at"])),
            ("责任层级", slip["owner_zh"]), ("审核层级", slip["supervisor_zh"]),
            ("接收单位", "、".join(t["zh"] for t in slip["recipients"])),
            ("告知单位", "、".join(t["zh"] for t in slip["informed"]) or "—"),
            ("预警解除", local(slip["cleared_at"]) or "未解除"),
            ("预警原因", slip["reason"]), ("处置要求", slip["required"]),
        ]
    )  # fmt: skip
    points = slip["data"].get("points", []) if isinstance(slip["data"], dict) else []
    if points:
        sheet.heading("数据快照")
        rows = [
            (
                str(p.get("name") or p.get("point") or ""), _LEVELS.get(p.get("level"), ""), _number(p.get("value")),
                _number(p.get("limit")), str(p.get("unit", "")), local(p.get("at")),
            )
            for p in points
        ]  # fmt: skip
        columns = (("测点", 0.34), ("级别", 0.1), ("数值", 0.13), ("限值", 0.13), ("单位", 0.1), ("时间", 0.2))
        sheet.table(columns, rows)
    if slip["terms"]:
        sheet.heading("模型各项")
        terms = [
            (f"{t['id']} {t['name']}", _number(t.get("x")), _number(t.get("contribution")), str(t.get("reason", "")))
            for t in slip["terms"]
        ]
        sheet.table((("项", 0.26), ("取值", 0.1), ("贡献", 0.1), ("说明", 0.54)), terms)


def _answer(sheet: Paper, slip: dict[str, Any], local: Any) -> None:
    sheet.heading("处置与审核")
    form = slip["form"]
    by = {step["action"]: step for step in slip["steps"]}

    def deed(action: str) -> str:
        step = by.get(action)
        return f"{_who(step)} {local(step['at'])}" if step else "—"

    answered = "false_alarm" if slip["false_alarm"] else "feedback"
    said = ("reason", "measures", "result", "prevention")
    pairs = [
        ("确认", deed("confirm")), ("开始处置", deed("start")), ("反馈", deed(answered)),
        ("原因类别", form["cause_zh"] or "—"), *((FIELDS[name][0], str(form[name])) for name in said if form.get(name)),
        ("签字人", str(form.get("signer", "—"))), ("审核关闭", deed("close")),
        ("审核意见", str(form.get("opinion", "—"))), ("退回", f"{slip['returns']} 次"),
        ("超时升级", f"{slip['escalations']} 次"), ("督办", f"{slip['supervised']} 次"),
    ]  # fmt: skip
    sheet.facts(pairs)


def _life(sheet: Paper, slip: dict[str, Any], local: Any) -> None:
    sheet.heading("全过程")
    rows = [
        (str(s["number"]), local(s["at"]), s["action_zh"], _who(s), _said(s), s["digest"][:8]) for s in slip["steps"]
    ]
    columns = (("步", 0.06), ("时间", 0.19), ("环节", 0.13), ("操作人", 0.17), ("内容", 0.34), ("摘要", 0.11))
    sheet.table(columns, rows)


def _who(step: dict[str, Any]) -> str:
    return str(step["by_name"]) if step["by"] == SYSTEM.username else f"{step['by_name']}({step['by']})"


def _said(step: dict[str, Any]) -> str:
    d = step["detail"]
    if step["action"] == "escalate":
        return f"超时未{d['clock']},升级至{d['tier']}级" if d["tier"] else f"超时未{d['clock']},已在最高层级"
    if step["action"] == "change":
        return f"{_WORDS[d['was']]} → {_WORDS[d['colour']]} {d.get('reason', '')}"
    named = ("note", "reason", "text", "measures", "result", "opinion", "into")
    said = ";".join(str(d[name]) for name in named if d.get(name))
    files = step["attachments"]
    return said + (f"(附件 {len(files)} 个)" if files else "")


def _files(sheet: Paper, slip: dict[str, Any], pictures: list[tuple[str, bytes]], local: Any) -> None:
    if not slip["attachments"]:
        return
    sheet.heading("照片与附件")
    rows = [
        (str(f["id"]), f["file_name"], f["by_name"], local(f["at"]), f["taken"] or "—", f["sha256"][:16])
        for f in slip["attachments"]
    ]
    columns = (
        ("号", 0.06), ("文件", 0.27), ("上传人", 0.14), ("上传时间", 0.19), ("拍摄时间(相机)", 0.19), ("摘要", 0.15),
    )  # fmt: skip
    sheet.table(columns, rows)
    sheet.pictures(pictures)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else ""
