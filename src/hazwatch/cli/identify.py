"""``hazwatch identify``: is this unit a major hazard installation, and of which level (GB 18218-2018)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force

app = typer.Typer()
_LARGEST_FILE = 4 << 20


@app.command("identify")
def identify(
    file: Annotated[Path, typer.Argument(help="单元的 JSON;- 为标准输入")],
    beta: Annotated[
        str, typer.Option(help="表3之外有多种类别时 β 的取法:class_of_q 或 largest;默认按设置 gb18218_beta")
    ] = "",
) -> None:
    """Identify and grade one unit after GB 18218-2018 (辨识一个单元是否构成重大危险源并分级).

    不适用:核设施与放射性、军事设施、采矿、厂外运输、海上油气。S < 1 时 R 与 level 为 null。
    """
    from hazwatch.registry.gb18218 import form, model, reading

    try:
        choice = model.BetaChoice(beta or settings_in_force().gb18218_beta)
    except ValueError as error:
        _refuse(f"--beta:应为 {'、'.join(model.BetaChoice)} 之一,收到 {beta!r}")
        raise typer.Exit(2) from error
    try:
        content = typer.get_binary_stream("stdin").read(_LARGEST_FILE + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        _refuse(f"读不到 {file}:{error.strerror}")
        raise typer.Exit(2) from error
    if len(content) > _LARGEST_FILE:
        _refuse("文件:超过 4 MiB")
        raise typer.Exit(2)
    try:
        unit = reading.read(content)
    except reading.UnitError as error:
        for flaw in error.flaws:
            _refuse(f"{flaw.field}:{flaw.message}")
            for candidate in flaw.candidates:
                typer.echo(f"  候选 {candidate.text} → {candidate.fill}", err=True)
        raise typer.Exit(2) from error
    outcome = model.grade(unit.entries, unit.population, choice)
    for term in outcome.terms:
        if term.note:
            typer.echo(f"提示:{term.name}:{term.note}", err=True)
    typer.echo(form.written(outcome, indent=True).decode())


def _refuse(text: str) -> None:
    typer.echo(f"错误:{text}", err=True)
