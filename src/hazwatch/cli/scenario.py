"""``hazwatch scenario``: what the simulated park can be made to do."""

from __future__ import annotations

from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="模拟园区的场景")


@app.command("list")
def scenario_list() -> None:
    """List scenarios with their parameters and state (列出场景)."""
    from hazwatch.app import desks

    with told():
        for line in desks.scenario_lines(settings_in_force()):
            typer.echo(line)


@app.command("start")
def scenario_start(
    scenario: Annotated[str, typer.Argument(help="场景编号,见 scenario list")],
    param: Annotated[list[str] | None, typer.Option(help="参数,如 --param minutes=5,可多次")] = None,
) -> None:
    """Start a scenario (启动场景)."""
    from hazwatch.app import desks

    with told():
        typer.echo(desks.scenario_start(settings_in_force(), scenario, param or []))


@app.command("stop")
def scenario_stop(scenario: Annotated[str, typer.Argument(help="场景编号")]) -> None:
    """Stop a scenario (停止场景,恢复正常)."""
    from hazwatch.app import desks

    with told():
        typer.echo(desks.scenario_stop(settings_in_force(), scenario))
