"""``hazwatch verify``: whether anybody changed the records behind the program's back."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer()


@app.command("verify")
def verify(json_: Annotated[bool, typer.Option("--json", help="以 JSON 输出")] = False) -> None:
    """Check the chains of audit log and slips; name what was edited (核对审计与报告单记录链;有改动时退出码为 1)."""
    from hazwatch.app import desks

    with told():
        began = time.perf_counter()
        audit, slips = desks.verify(settings_in_force())
        seconds = time.perf_counter() - began
    ok = audit.ok and slips.ok
    if json_:
        import orjson

        found = {"ok": ok, "audit": audit, "slips": slips, "seconds": round(seconds, 3)}
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        _say(audit, slips, seconds)
    raise typer.Exit(0 if ok else 1)


def _say(audit: object, slips: object, seconds: float) -> None:
    from hazwatch.records.chain import ChainReport
    from hazwatch.slips.verify import SlipReport

    assert isinstance(audit, ChainReport)  # noqa: S101  # typed loosely so that the command line starts fast
    assert isinstance(slips, SlipReport)  # noqa: S101  # same
    if audit.ok:
        typer.echo(f"审计记录:{audit.length} 条,完整")
    else:
        typer.echo(f"审计记录:{audit.reason}")
    if slips.ok:
        typer.echo(f"处置报告单:{slips.slips} 张、{slips.steps} 步、{slips.attachments} 个附件,完整")
    else:
        typer.echo(f"处置报告单:发现 {len(slips.findings)} 处不符")
        for finding in slips.findings:
            typer.echo(f"  {finding.slip or '—'}:{finding.text}")
    typer.echo(f"用时 {seconds:.2f} s")
