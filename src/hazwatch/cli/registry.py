"""``hazwatch registry``: template and import of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="档案导入导出")


@app.command("template")
def registry_template(out: Annotated[Path, typer.Argument(help="要写的 .xlsx")]) -> None:
    """Write the workbook to fill in (下载登记模板)."""
    from hazwatch.app import desks

    out.write_bytes(desks.template())
    typer.echo(f"模板已写入 {out}", err=True)


@app.command("import")
def registry_import(
    file: Annotated[Path, typer.Argument(help="填好的 .xlsx")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查,不写入")] = False,
) -> None:
    """Import a workbook, whole or not at all (导入档案,要么全部要么不导)."""
    from hazwatch.app import desks

    with told():
        ok, lines = desks.import_workbook(settings_in_force(), file, dry_run=dry_run)
        for line in lines:
            typer.echo(line, err=not ok)
        if not ok:
            raise typer.Exit(1)


@app.command("synthetic")
def registry_synthetic(
    seed: Annotated[int, typer.Option(help="随机种子;同一种子得到同一个省")] = 1,
    enterprises: Annotated[int, typer.Option(help="企业数")] = 600,
    sources: Annotated[int, typer.Option(help="重大危险源数")] = 1_500,
    points: Annotated[int, typer.Option(help="监测指标数")] = 20_000,
) -> None:
    """Fill the registry with a made-up province, marked as such (生成合成的全省档案,用于演示和测试)."""
    from hazwatch.app import desks
    from hazwatch.registry.synthetic.model import Size

    with told():
        for line in desks.synthetic(settings_in_force(), seed, Size(enterprises, sources, points)):
            typer.echo(line)
