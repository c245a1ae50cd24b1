"""Commands on the log: who judges what, and what to do when the log is gone."""

from __future__ import annotations

from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="The log and the shares of it (日志与分片)")


@app.command("shares")
def shares_command() -> None:
    """Which engine holds which share (各分片由哪个引擎承担)."""
    from hazwatch.app.shared_log import share_lines

    with told():
        for line in share_lines(settings_in_force()):
            typer.echo(line)


@app.command("lost")
def lost_command(
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
) -> None:
    """Begin with a new log after the old one was lost; every engine must be stopped (日志丢失后从新日志开始)."""
    from hazwatch.app.shared_log import forget_log

    if not yes:
        typer.confirm("将忘记所有读取位置和判警快照(报警记录与历史不变)。旧日志确已丢失且所有引擎均已停止?", abort=True)
    with told():
        for line in forget_log(settings_in_force()):
            typer.echo(line)
