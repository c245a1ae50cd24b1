"""``hazwatch explain``: a stored grade, computed again."""

from __future__ import annotations

from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer()


@app.command("explain")
def explain(
    grade: Annotated[int, typer.Argument(help="评估编号,见 GET /api/v1/risk/objects/{code}/history")],
) -> None:
    """Explain a grade: inputs, terms, and whether it computes to the same bits (解释一次评估并重算)."""
    import orjson

    from hazwatch.app import desks

    with told():
        form = desks.explain(settings_in_force(), grade)
        typer.echo(orjson.dumps(form, option=orjson.OPT_INDENT_2).decode())
    if form["identical"] is False:
        raise typer.Exit(1)
