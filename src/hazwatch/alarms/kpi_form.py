"""KPIs as they stand in the API, in JSON on the command line, and as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hazwatch.alarms.kpi import GRADE_ZH, Kpis
from hazwatch.vocabulary.moments import HOUR

Moment = Callable[[int | None], Any]
#: Targets of design/alarms §4, per operator position.
TARGETS: dict[str, float] = {
    "per_hour": 6, "per_day": 150, "flood_share": 0.01, "top_share": 0.05, "stale": 0, "chattering_alarms": 0,
    "urgent_share": 0.05, "high_share": 0.15, "other_share": 0.80,
}  # fmt: skip


def kpi_form(kpis: Kpis, moment: Moment) -> dict[str, Any]:
    """All figures. ``moment`` turns epoch ms into what the reader wants; shares are in [0, 1]."""
    urgent, high, other = kpis.priorities
    national = kpis.national
    n = max(1, kpis.activations)
    return {
        "from": moment(kpis.start), "to": moment(kpis.end), "hours": round((kpis.end - kpis.start) / HOUR, 4),
        "operators": kpis.operators, "points": kpis.points, "activations": kpis.activations, "returns": kpis.returns,
        "alarms": kpis.alarms, "tags": kpis.tags,
        "rate": {"per_hour": kpis.per_hour, "per_day": kpis.per_day, "per_10min": kpis.per_10min},
        "peak_10min": {"activations": kpis.peak, "at": moment(kpis.peak_at)},
        "flood_count": len(kpis.floods), "flood_share": kpis.flood_share,
        "floods": [
            {"start": moment(start), "end": moment(end), "seconds": (end - start) / 1000, "activations": count,
             "peak_10min": peak, "ongoing": end > kpis.end}
            for start, end, count, peak in zip(
                kpis.floods.start.tolist(), kpis.floods.end.tolist(), kpis.floods.activations.tolist(),
                kpis.floods.peak.tolist(), strict=True,
            )
        ],
        "fixed_intervals": {"flood_count": kpis.fixed_floods, "flood_share": kpis.fixed_flood_share},
        "above_share": kpis.above_share,
        "chatter_share": kpis.chatter_share, "chattering_alarms": kpis.chattering_alarms,
        "fleeting_share": kpis.fleeting_share, "repeat_share": kpis.repeat_share,
        "stale": len(kpis.stale), "standing": kpis.standing,
        "stale_alarms": [
            {"tag": s.tag, "type": s.kind, "since": moment(s.begin), "until": moment(s.end),
             "hours": ((s.end or kpis.end) - s.begin) / HOUR}
            for s in kpis.stale
        ],
        "top_share": kpis.top_share,
        "top": [
            {"tag": a.tag, "activations": a.activations, "share": a.share, "chattering": a.chattering,
             "fleeting": a.fleeting, "standing_s": a.standing_ms / 1000, "types": a.kinds}
            for a in kpis.top
        ],
        "priorities": {
            "urgent": urgent, "high": high, "other": other,
            "urgent_share": urgent / n, "high_share": high / n, "other_share": other / n,
        },
        "national": {
            "disturbance_rate": national.disturbance,
            "disturbance_rate_per_point": national.disturbance_per_point,
            "repeat_points": national.repeat_points, "repeat_count": national.repeats,
            "average_count_per_point_day": national.per_point_day,
            "average_duration_s": None if national.mean_ms is None else national.mean_ms / 1000,
            "longest_s": national.longest_ms / 1000,
        },
        "class": kpis.grade, "class_zh": GRADE_ZH[kpis.grade], "targets": TARGETS,
    }  # fmt: skip


def brief_form(kpis: Kpis) -> dict[str, Any]:
    """One row of a list of rooms."""
    return {
        "activations": kpis.activations, "per_hour": kpis.per_hour, "per_day": kpis.per_day, "peak": kpis.peak,
        "flood_count": len(kpis.floods), "flood_share": kpis.flood_share, "chatter_share": kpis.chatter_share,
        "top_share": kpis.top_share, "stale": len(kpis.stale), "standing": kpis.standing,
        "disturbance_rate": kpis.national.disturbance, "repeat_points": kpis.national.repeat_points,
        "class": kpis.grade, "class_zh": GRADE_ZH[kpis.grade],
    }  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    if seconds < 120:  # noqa: PLR2004  # two minutes: seconds say more
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004  # same


def kpi_lines(form: dict[str, Any], most_floods: int = 20) -> Iterator[str]:
    """The same for people: one figure a line with its target, then floods and bad actors."""
    national, rate, peak, fixed = form["national"], form["rate"], form["peak_10min"], form["fixed_intervals"]
    rows = [
        ("时间范围", f"{form['from']} 至 {form['to']}({form['hours']:.1f} h)", ""),
        ("报警次数", f"{form['activations']}(位号 {form['tags']},报警 {form['alarms']})", ""),
        ("每小时 / 每天(每岗)", f"{rate['per_hour']:.1f} / {rate['per_day']:.0f}", "≤ 6 / ≤ 150"),
        ("10 分钟峰值", f"{peak['activations']},{peak['at']}", "≤ 10"),
        ("报警泛滥", f"{form['flood_count']} 次,占时间 {_percent(form['flood_share'])}", "≤ 1 %"),
        ("(固定 10 分钟间隔)", f"{fixed['flood_count']} 次,{_percent(fixed['flood_share'])}", ""),
        ("抖动报警占比", f"{_percent(form['chatter_share'])}({form['chattering_alarms']} 个)", "0"),
        ("瞬时 / 重复占比", f"{_percent(form['fleeting_share'])} / {_percent(form['repeat_share'])}", ""),
        ("前十占比", _percent(form["top_share"]), "≤ 5 %"),
        ("长期报警(>24 h)", f"{form['stale']}", "0"),
        ("优先级 紧急/重要/其他", " / ".join(_percent(form["priorities"][k]) for k in
         ("urgent_share", "high_share", "other_share")), "5 / 15 / 80"),
        ("等级(EEMUA 191)", f"{form['class_zh']} {form['class']}", ""),
        ("扰动率(全部 / 每点平均)", " / ".join(_percent(national[k]) for k in
         ("disturbance_rate", "disturbance_rate_per_point")), ""),
        ("重复报警点位数 / 次数", f"{national['repeat_points']} / {national['repeat_count']}", ""),
        ("平均报警次数(每点每天)", f"{national['average_count_per_point_day']:.2f}", ""),
        ("平均消警时长", _time(national["average_duration_s"]), ""),
        ("最长报警时间", _time(national["longest_s"]), ""),
    ]  # fmt: skip
    for name, value, target in rows:
        yield f"{name}:{value}" + (f"  [目标 {target}]" if target else "")
    if form["floods"]:
        yield "报警泛滥(开始 → 结束,次数,峰值):"
    for flood in form["floods"][:most_floods]:
        tail = "(未结束)" if flood["ongoing"] else ""
        yield f"  {flood['start']} → {flood['end']}  {flood['activations']}  {flood['peak_10min']}{tail}"
    if len(form["floods"]) > most_floods:
        yield f"  … 共 {len(form['floods'])} 次,全部见 --json"
    if form["top"]:
        yield f"报警最多的 {len(form['top'])} 个位号:"
    for place, actor in enumerate(form["top"], 1):
        kinds = " ".join(f"{kind}={count}" for kind, count in actor["types"].items())
        yield f"  {place:>2}. {actor['tag']}  {actor['activations']}  {_percent(actor['share'])}  {kinds}"
