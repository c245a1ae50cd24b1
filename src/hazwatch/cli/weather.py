"""``hazwatch weather``: weather warnings from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="气象预警")


@app.command("import")
def weather_import(
    file: Annotated[Path, typer.Argument(help="JSON 或 CAP 1.2 XML 文件", exists=True, dir_okay=False)],
) -> None:
    """Take weather warnings in from a file (导入气象预警信号)."""
    from hazwatch.app import desks

    with told():
        good, lines = desks.import_weather(settings_in_force(), file)
        for line in lines:
            typer.echo(line)
        if not good:
            raise typer.Exit(1)


@app.command("list")
def weather_list() -> None:
    """Show the weather warnings in force (生效中的气象预警)."""
    from hazwatch.app import desks

    with told():
        for line in desks.weather_lines(settings_in_force()):
            typer.echo(line)
