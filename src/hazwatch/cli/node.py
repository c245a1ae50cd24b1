"""Commands without a group: run a node, serve one of its processes, judge a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force

app = typer.Typer()
#: Processes of a node: the first two do one thing and end.
_ROLES = ("prepare", "log_config", "engine", "access", "web", "simulator")


@app.command("judge")
def judge_command(
    samples: Annotated[Path, typer.Argument(help="CSV: point,ts,value,quality")],
    limits: Annotated[Path, typer.Option(help="CSV: point,ll,l,h,hh,deadband,on_delay_s,off_delay_s")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
    batch: Annotated[int, typer.Option(help="samples judged at once; the result does not depend on it")] = 10_000,
) -> None:
    """Judge a file of samples against limits (离线判警)."""
    from hazwatch.offline import FileFormatError, judge_files

    try:
        report = judge_files(samples, limits, out, batch)
    except (FileFormatError, OSError) as error:
        typer.echo(f"错误:{error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{report.samples} 个样本,{report.points} 个指标,{report.rows} 次状态变化 → {out}", err=True)
    if report.without_limits:
        typer.echo(f"{report.without_limits} 个指标没有限值", err=True)
    if report.refused:
        typer.echo(f"{report.refused} 行被拒收,原因见 {out.with_suffix('.rejected.csv')}", err=True)


@app.command("run")
def run_command(
    home: Annotated[Path | None, typer.Option(help="数据目录,默认 ./var")] = None,
    port: Annotated[int | None, typer.Option(help="页面端口,默认 8600")] = None,
    simulator: Annotated[bool | None, typer.Option("--simulator/--no-simulator", help="是否启动模拟园区")] = None,
) -> None:
    """Run a node (启动节点:日志、引擎、接入、页面,默认带模拟园区)."""
    from hazwatch.app.run import AlreadyRunningError, NotPreparedError, run

    settings = settings_in_force(home=home, port=port, simulator=simulator)
    try:
        run(settings, typer.echo)
    except (AlreadyRunningError, NotPreparedError) as error:
        typer.echo(f"错误:{error}", err=True)
        raise typer.Exit(2) from error


@app.command("serve", hidden=True)
def serve_command(
    role: Annotated[str, typer.Argument(help="prepare, log_config, engine, access, web or simulator")],
) -> None:
    """Run one process of a node; ``hazwatch run`` does this for all of them."""
    import gc
    from importlib import import_module

    # What is made lives either for a frame or for long. Looking for rings at every 700 objects took an eighth of the
    # time of access, and a third of the start, which makes many objects that stay.
    gc.set_threshold(50_000, 20, 50)
    if role not in _ROLES:
        raise typer.BadParameter(f"没有进程 {role}")
    import_module(f"hazwatch.app.{role}").main(settings_in_force())
