"""``hazwatch bench``: measure a node of its own under load."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import orjson
import typer

from hazwatch.cli.common import told

app = typer.Typer(no_args_is_help=True, help="性能测量")


@app.callback()
def _root() -> None:
    """性能测量."""


@app.command("stream")
def stream(
    points: Annotated[int, typer.Option(help="指标数")] = 460_000,
    hz: Annotated[float, typer.Option(help="每个指标每秒发送次数")] = 1.0,
    seconds: Annotated[float, typer.Option(help="测量多久,秒")] = 60.0,
    warm: Annotated[float, typer.Option(help="预热,不计入时延,秒")] = 20.0,
    alarms: Annotated[float, typer.Option(help="每秒推入高报的指标数")] = 200.0,
    change: Annotated[float, typer.Option(help="每个周期数值变化的指标占比")] = 0.3,
    largest: Annotated[int, typer.Option(help="最大网关的指标数,最小为 60")] = 5_000,
    clients: Annotated[int, typer.Option(help="同时打开的页面数,各看自己辖区的一个危险源")] = 0,
    backfill: Annotated[int, typer.Option(help="测量期间以后台通道补传一天的指标数,0 为不补传")] = 0,
    workers: Annotated[
        int, typer.Option(help="判警进程数;大于 1 时企业分片,由各进程分担,需先设置 log_url、records_url、history_url")
    ] = 1,
    kill: Annotated[float, typer.Option(help="测量开始多少秒后强制终止判警进程(kill -9),0 为不终止")] = 0.0,
    home: Annotated[Path | None, typer.Option(help="数据目录,默认临时目录;保留可省去登记")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Load a whole node with a synthetic nation from real sockets and count everything (全国规模压测)."""
    from hazwatch.bench.stream import Plan, measure

    def say(line: str) -> None:
        typer.echo(line, err=True)

    with told(), tempfile.TemporaryDirectory() as scratch:
        plan = Plan(
            home or Path(scratch),
            points,
            hz,
            seconds,
            warm,
            alarms,
            change,
            largest=largest,
            clients=clients,
            backfill=backfill,
            workers=workers,
            kill_s=kill,
        )
        report = measure(plan, say)
    if as_json:
        typer.echo(orjson.dumps(report).decode())
    else:
        typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
