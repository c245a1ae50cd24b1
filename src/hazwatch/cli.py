"""The command line ``hazwatch``. Every command is documented in docs/cli.md; the suite fails when one is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hazwatch.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="危化品安全生产风险监测预警系统 Hazwatch",
)


@app.callback()
def _root() -> None:
    """危化品安全生产风险监测预警系统 Hazwatch."""


@app.command("judge")
def judge_command(
    samples: Annotated[Path, typer.Argument(help="CSV: point,ts,value,quality")],
    limits: Annotated[Path, typer.Option(help="CSV: point,ll,l,h,hh,deadband,on_delay_s,off_delay_s")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
    batch: Annotated[int, typer.Option(help="samples judged at once; the result does not depend on it")] = 10_000,
) -> None:
    """Judge a file of samples against limits (离线判警)."""
    from hazwatch.offline import FileFormatError, judge_files

    try:
        report = judge_files(samples, limits, out, batch)
    except (FileFormatError, OSError) as error:
        typer.echo(f"错误:{error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{report.samples} 个样本,{report.points} 个指标,{report.rows} 次状态变化 → {out}", err=True)
    if report.without_limits:
        typer.echo(f"{report.without_limits} 个指标没有限值", err=True)
    if report.refused:
        typer.echo(f"{report.refused} 行被拒收,原因见 {out.with_suffix('.rejected.csv')}", err=True)


@app.command("run")
def run_command(
    home: Annotated[Path | None, typer.Option(help="数据目录,默认 ./var")] = None,
    port: Annotated[int | None, typer.Option(help="页面端口,默认 8600")] = None,
    simulator: Annotated[bool | None, typer.Option("--simulator/--no-simulator", help="是否启动模拟园区")] = None,
) -> None:
    """Run a node (启动节点:日志、引擎、接入、页面,默认带模拟园区)."""
    from hazwatch.app.run import AlreadyRunningError, run

    settings = _settings(home=home, port=port, simulator=simulator)
    try:
        run(settings, typer.echo)
    except AlreadyRunningError as error:
        typer.echo(f"错误:{error}", err=True)
        raise typer.Exit(2) from error


@app.command("serve", hidden=True)
def serve_command(role: Annotated[str, typer.Argument(help="engine, access, web or simulator")]) -> None:
    """Run one process of a node; ``hazwatch run`` does this for all of them."""
    from importlib import import_module

    if role not in ("engine", "access", "web", "simulator"):
        raise typer.BadParameter(f"没有进程 {role}")
    import_module(f"hazwatch.app.{role}").main(_settings())


token_app = typer.Typer(no_args_is_help=True, help="程序访问令牌")
app.add_typer(token_app, name="token")


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="用途,便于日后辨认")] = "cli",
    role: Annotated[str, typer.Option(help="viewer, operator, engineer 或 admin")] = "viewer",
    scope: Annotated[str, typer.Option(help="辖区编码(省市县园区企业),默认全省")] = "",
    days: Annotated[int, typer.Option(help="有效天数")] = 365,
) -> None:
    """Create a bearer token and print it once (创建令牌,仅显示一次)."""
    from hazwatch.app import desks

    settings = _settings()
    with _told():
        typer.echo(desks.create_token(settings, name, role, scope or settings.province, days))


@token_app.command("list")
def token_list() -> None:
    """List tokens (列出令牌)."""
    from hazwatch.app import desks

    with _told():
        for line in desks.list_tokens(_settings()):
            typer.echo(line)


@token_app.command("revoke")
def token_revoke(number: Annotated[int, typer.Argument(help="令牌编号,见 token list")]) -> None:
    """Revoke a token at once (吊销令牌)."""
    from hazwatch.app import desks

    with _told():
        desks.revoke_token(_settings(), number)
        typer.echo(f"令牌 {number} 已吊销")


gateway_app = typer.Typer(no_args_is_help=True, help="网关密钥")
app.add_typer(gateway_app, name="gateway")


@gateway_app.command("secret")
def gateway_secret(
    code: Annotated[str, typer.Argument(help="11 位网关编码")],
    renew: Annotated[bool, typer.Option("--renew", help="先生成新密钥;旧密钥立即失效")] = False,
) -> None:
    """Show a gateway's key once (显示网关密钥,仅一次;国标网关:Base64,前 32 字节 AES,后 32 字节 HMAC)."""
    from hazwatch.app import desks

    with _told():
        typer.echo(desks.gateway_secret(_settings(), code, renew=renew))


@gateway_app.command("password")
def gateway_password(code: Annotated[str, typer.Argument(help="11 位网关编码")]) -> None:
    """Set the password with which the node signs in at a gateway: OPC UA user, external broker (设置登录口令)."""
    from hazwatch.app import desks

    password = typer.prompt("口令", hide_input=True, confirmation_prompt=True)
    with _told():
        desks.set_gateway_password(_settings(), code, password)
        typer.echo(f"网关 {code} 的口令已保存", err=True)


account_app = typer.Typer(no_args_is_help=True, help="账号")
app.add_typer(account_app, name="account")


@account_app.command("reset-password")
def account_reset_password(username: Annotated[str, typer.Argument(help="用户名")]) -> None:
    """Give an account a new generated password, printed once (重置口令,仅显示一次;下次登录须修改)."""
    from hazwatch.app import desks

    with _told():
        typer.echo(desks.reset_password(_settings(), username))


registry_app = typer.Typer(no_args_is_help=True, help="档案导入导出")
app.add_typer(registry_app, name="registry")


@registry_app.command("template")
def registry_template(out: Annotated[Path, typer.Argument(help="要写的 .xlsx")]) -> None:
    """Write the workbook to fill in (下载登记模板)."""
    from hazwatch.app import desks

    out.write_bytes(desks.template())
    typer.echo(f"模板已写入 {out}", err=True)


@registry_app.command("import")
def registry_import(
    file: Annotated[Path, typer.Argument(help="填好的 .xlsx")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查,不写入")] = False,
) -> None:
    """Import a workbook, whole or not at all (导入档案,要么全部要么不导)."""
    from hazwatch.app import desks

    with _told():
        ok, lines = desks.import_workbook(_settings(), file, dry_run=dry_run)
        for line in lines:
            typer.echo(line, err=not ok)
        if not ok:
            raise typer.Exit(1)


scenario_app = typer.Typer(no_args_is_help=True, help="模拟园区的场景")
app.add_typer(scenario_app, name="scenario")


@scenario_app.command("list")
def scenario_list() -> None:
    """List scenarios with their parameters and state (列出场景)."""
    from hazwatch.app import desks

    with _told():
        for line in desks.scenario_lines(_settings()):
            typer.echo(line)


@scenario_app.command("start")
def scenario_start(
    scenario: Annotated[str, typer.Argument(help="场景编号,见 scenario list")],
    param: Annotated[list[str] | None, typer.Option(help="参数,如 --param minutes=5,可多次")] = None,
) -> None:
    """Start a scenario (启动场景)."""
    from hazwatch.app import desks

    with _told():
        typer.echo(desks.scenario_start(_settings(), scenario, param or []))


@scenario_app.command("stop")
def scenario_stop(scenario: Annotated[str, typer.Argument(help="场景编号")]) -> None:
    """Stop a scenario (停止场景,恢复正常)."""
    from hazwatch.app import desks

    with _told():
        typer.echo(desks.scenario_stop(_settings(), scenario))


@contextmanager
def _told() -> Iterator[None]:
    """Turn what a person can mend into one line and exit code 2."""
    from hazwatch.identity.errors import ApiError
    from hazwatch.log.client import LogAwayError, RpcError

    try:
        yield
    except ApiError as error:
        typer.echo(f"错误:{error.message}。{error.hint}", err=True)
        raise typer.Exit(2) from error
    except (LogAwayError, RpcError, ValueError, OSError) as error:
        typer.echo(f"错误:{error}", err=True)
        raise typer.Exit(2) from error


def _settings(**given: object) -> Settings:
    """The settings in force; what the command line gives wins."""
    from pydantic import ValidationError

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        typer.echo("设置有误:\n" + "\n".join(lines), err=True)
        raise typer.Exit(2) from error


def main() -> None:
    """Entry point."""
    app()
