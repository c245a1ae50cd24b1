"""``hazwatch registry``: template and import of the files."""

from __future__ import annotations

import json
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


@app.command("setpoints")
def registry_setpoints(
    show: Annotated[
        str, typer.Option(help="all 全部,differing 有差异,against 不符合标准,problems 不能给出建议")
    ] = "against",
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出")] = False,
) -> None:
    """List gas detectors whose limits are not those of GB/T 50493-2019 (气体报警设定值与标准的差异)."""
    from hazwatch.app import desks
    from hazwatch.registry.setpoints.model import WORDS

    with told():
        found = desks.gas_set_points(settings_in_force(), show)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for one in found:
        values = "、".join(f"{name} {value:g}" for name, value in one["proposed"]["values"].items()) or "无建议"
        differing = "、".join(f"{d['threshold']} {WORDS[d['kind']]}" for d in one["differences"])
        typer.echo(f"{one['code']} {one['name']} [{one['unit']}] 建议 {values};{differing or '一致'}")
        for problem in one["proposed"]["problems"]:
            typer.echo(f"  {problem}")
    typer.echo(f"共 {len(found)} 个探测器", err=True)


@app.command("monitoring")
def registry_monitoring(
    enterprise: Annotated[str, typer.Option(help="只看这家企业(9 位编码)")] = "",
    everything: Annotated[bool, typer.Option("--all", help="也列出齐全的")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出")] = False,
) -> None:
    """Which points tanks, warehouses and hazardous processes lack (监测完整性:缺哪些测点)."""
    from hazwatch.app import desks

    with told():
        found = desks.monitoring_completeness(settings_in_force(), enterprise, missing_only=not everything)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for item in found["items"]:
        typer.echo(f"{item['code']} {item['name']} {item['percent']:g} % 缺 {'、'.join(item['missing']) or '无'}")
    share = "—" if found["percent"] is None else f"{found['percent']:g} %"
    typer.echo(f"应有 {found['expected']} 项,已有 {found['present']} 项,完整率 {share}", err=True)
