"""``hazwatch capacity``: what this node takes and will take, in disk, memory and processors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from hazwatch.cli.common import settings_in_force, told
from hazwatch.history.capacity import GIB, Cost, Keeping, Load, cost, log_lasts_h

app = typer.Typer()


@app.command("capacity")
def capacity(
    points: Annotated[int | None, typer.Option(help="指标数,默认取本节点档案")] = None,
    hz: Annotated[float, typer.Option(help="每个指标每秒样本数")] = 1.0,
    change: Annotated[float, typer.Option(help="数值与前一个不同的样本占比")] = 0.1,
    alarms: Annotated[float, typer.Option(help="每天报警条数")] = 4_500.0,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Say what retention and rollups cost in a year (容量测算:磁盘、内存、处理器,按设置中的保存期)."""
    settings = settings_in_force()
    with told():
        load = Load(_registered() if points is None else points, hz, change, alarms)
        keeping = Keeping(
            settings.raw_days, settings.minute_days, settings.log_hours, settings.log_gib, settings.heartbeat_s
        )
        found = cost(load, keeping)
    if as_json:
        typer.echo(orjson.dumps(asdict(load) | asdict(keeping) | asdict(found) | {"year": found.year}).decode())
        return
    for line in _lines(load, keeping, found):
        typer.echo(line)


def _registered() -> int:
    from hazwatch.app import desks

    return desks.point_count(settings_in_force())


def _lines(load: Load, keeping: Keeping, found: Cost) -> list[str]:
    def gib(size: float) -> str:
        return f"{size / GIB:,.1f} GiB"

    rows = [
        ("负荷", f"{load.points:,} 个指标 × {load.hz:g} Hz = {found.samples_a_second:,.0f} 样本/秒"),
        ("入库", f"{found.stored_a_day:,.0f} 样本/天(变化 {load.change:.0%},心跳 {keeping.heartbeat_s:g} 秒)"),
        ("样本", f"每天 {gib(found.samples_day)},保存 {keeping.raw_days} 天共 {gib(found.samples_kept)}"),
        ("分钟汇总", f"每天 {gib(found.minutes_day)},保存 {keeping.minute_days} 天共 {gib(found.minutes_kept)}"),
        ("报警记录", f"每年 {gib(365 * found.alarms_day)},不删除"),
        (
            "日志",
            f"{gib(found.log_kept)},可回放 {log_lasts_h(load, keeping):.1f} 小时(设为 {keeping.log_hours:g} 小时)",
        ),
        ("一年磁盘", gib(found.year)),
        ("若全速率保存", f"每天 {gib(found.full_rate_day)}"),
        ("处理器", f"约 {found.cores:.2f} 核(持续负荷,页面另计)"),
        ("内存", f"约 {gib(found.memory)}"),
    ]
    note = "依据实测的每样本字节数和核时推算,见 docs/performance.md;数值噪声越大、时刻越不规则,样本越大。"
    return [*(f"{name:　<6}{text}" for name, text in rows), note]
