"""``hazwatch alarms``: the measures of an alarm log, ours or foreign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="报警指标与治理试算")

#: Reasons that are listed in the JSON; all of them stand in the file beside.
_LISTED = 100


def _report_refused(foreign: Any, file: Path) -> dict[str, Any]:
    """Keep refused rows beside the file and say so."""
    from hazwatch.alarms.kpi_log import keep_refused

    told_of: dict[str, Any] = {
        "count": len(foreign.refused),
        "rows": [{"line": r.line, "reason": r.reason} for r in foreign.refused[:_LISTED]],
        "kept_in": None,
    }
    if foreign.refused:
        first = foreign.refused[0]
        typer.echo(f"{len(foreign.refused)} 行被拒收(首行:第 {first.line} 行,{first.reason})", err=True)
        try:
            told_of["kept_in"] = str(keep_refused(foreign.refused, file))
            typer.echo(f"被拒收的行写在 {told_of['kept_in']}", err=True)
        except OSError as error:
            typer.echo(f"被拒收的行未能写到文件旁:{error}", err=True)
    return told_of


@app.command("kpi")
def alarms_kpi(
    file: Annotated[Path, typer.Argument(help="CSV: timestamp,tag,type;type 为级别,恢复加“ NR”")],
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    top: Annotated[int, typer.Option(min=1, help="列出报警最多的位号数")] = 10,
    start: Annotated[str, typer.Option("--from", help="窗口开始,写法同文件;默认第一条")] = "",
    end: Annotated[str, typer.Option("--to", help="窗口结束(不含);默认最后一条之后")] = "",
    operators: Annotated[int, typer.Option(min=1, help="值守岗位数,速率按岗计")] = 1,
    points: Annotated[int | None, typer.Option(min=1, help="监测点数;默认日志中的位号数")] = None,
) -> None:
    """Measure an alarm log: floods, chatter, bad actors, class, national indicators (报警日志指标)."""
    from hazwatch.alarms.kpi import Rules, measure
    from hazwatch.alarms.kpi_form import kpi_form, kpi_lines
    from hazwatch.alarms.kpi_log import read

    with told():
        foreign = read(file)
        refused = _report_refused(foreign, file)
        if not len(foreign.log):
            raise ValueError(f"{file.name} 中没有可用的报警行")
        first, last = int(foreign.log.ts[0]), int(foreign.log.ts[-1])
        kpis = measure(
            foreign.log, foreign.parse(start) if start else first, foreign.parse(end) if end else last + 1,
            points=points, operators=operators, rules=Rules(top=top),
        )  # fmt: skip
        form = kpi_form(kpis, foreign.moment)
        if as_json:
            form = {"file": file.name, "rows": foreign.rows, "refused": refused} | form
            typer.echo(json.dumps(form, ensure_ascii=False, indent=2))
            return
        for line in kpi_lines(form):
            typer.echo(line)


@app.command("whatif")
def alarms_whatif(
    files: Annotated[list[Path], typer.Argument(help="CSV:timestamp,tag,type;多个文件视为同一装置的各次运行")],
    on_delay: Annotated[float, typer.Option(min=0, help="所有报警的报警延时,秒")] = 0.0,
    off_delay: Annotated[float, typer.Option(min=0, help="所有报警的恢复延时,秒")] = 0.0,
    propose: Annotated[bool, typer.Option("--propose", help="由助手逐个位号提出最小改动")] = False,
    remove: Annotated[float, typer.Option(min=0, max=1, help="至少去掉的扰人报警比例")] = 0.8,
    bound: Annotated[float, typer.Option(min=0, help="首报最多允许推迟,秒")] = 0.0,
    max_on_delay: Annotated[float, typer.Option(min=0, help="助手可用的最长报警延时,秒;0 = 不用")] = 0.0,
    max_off_delay: Annotated[float, typer.Option(min=0, help="助手可用的最长恢复延时,秒")] = 1800.0,
    gas: Annotated[str, typer.Option(help="气体探测器位号的正则式,绝不加报警延时;也不受 --on-delay 影响")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """Replay alarm logs with other delays, or let the assistant propose them (报警治理试算)."""
    from hazwatch.alarms.assistant import Bounds, Change
    from hazwatch.alarms.kpi_log import read
    from hazwatch.cli.whatif import Given, lines, tried

    with told():
        logs = {}
        for file in files:
            foreign = read(file)
            _report_refused(foreign, file)
            if not len(foreign.log):
                raise ValueError(f"{file.name} 中没有可用的报警行")
            logs[file.name] = foreign
        bounds = Bounds(remove, round(bound * 1000), round(max_off_delay * 1000), round(max_on_delay * 1000))
        every = Change(on_ms=round(on_delay * 1000), off_ms=round(off_delay * 1000))
        form = tried(Given(logs, every, bounds if propose else None, gas))
        if as_json:
            typer.echo(json.dumps(form, ensure_ascii=False, indent=2))
            return
        for line in lines(form):
            typer.echo(line)


@app.command("verify")
def alarms_verify(file: Annotated[Path, typer.Argument(help="导出的报警文件", exists=True, dir_okay=False)]) -> None:
    """Check an exported alarm log against the checksum kept at its export (核对导出文件)."""
    from hazwatch.app import desks

    with told():
        ok, text = desks.verify_export(settings_in_force(), file)
        typer.echo(text)
        if not ok:
            raise typer.Exit(1)
