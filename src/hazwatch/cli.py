"""The command line ``hazwatch``. Every command is documented in docs/cli.md; the suite fails when one is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="危化品安全生产风险监测预警系统 Hazwatch")


@app.callback()
def _root() -> None:
    """危化品安全生产风险监测预警系统 Hazwatch."""


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


def main() -> None:
    """Entry point."""
    app()
