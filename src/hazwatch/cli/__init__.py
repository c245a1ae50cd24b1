"""The command line ``hazwatch``: one module a group. Every command is in docs/cli.md; a test says so."""

from __future__ import annotations

import typer

from hazwatch.cli import (
    account,
    alarms,
    bench,
    capacity,
    chemicals,
    explain,
    gateway,
    identify,
    log,
    models,
    node,
    registry,
    scenario,
    token,
    verify,
    weather,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="危化品安全生产风险监测预警系统 Hazwatch",
)


@app.callback()
def _root() -> None:
    """危化品安全生产风险监测预警系统 Hazwatch."""


app.add_typer(node.app)
app.add_typer(capacity.app)
app.add_typer(identify.app)
app.add_typer(explain.app)
app.add_typer(verify.app)
for _group in (alarms, chemicals, token, gateway, account, registry, scenario, bench, log, models, weather):
    app.add_typer(_group.app, name=_group.__name__.rpartition(".")[2])


def main() -> None:
    """Entry point."""
    app()
