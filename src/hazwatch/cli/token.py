"""``hazwatch token``: bearer tokens of programs."""

from __future__ import annotations

from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="程序访问令牌")


@app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="用途,便于日后辨认")] = "cli",
    role: Annotated[str, typer.Option(help="viewer, operator, engineer 或 admin")] = "viewer",
    scope: Annotated[str, typer.Option(help="辖区编码(省市县园区企业),默认全省")] = "",
    days: Annotated[int, typer.Option(help="有效天数")] = 365,
) -> None:
    """Create a bearer token and print it once (创建令牌,仅显示一次)."""
    from hazwatch.app import desks

    settings = settings_in_force()
    with told():
        typer.echo(desks.create_token(settings, name, role, scope or settings.province, days))


@app.command("list")
def token_list() -> None:
    """List tokens (列出令牌)."""
    from hazwatch.app import desks

    with told():
        for line in desks.list_tokens(settings_in_force()):
            typer.echo(line)


@app.command("revoke")
def token_revoke(number: Annotated[int, typer.Argument(help="令牌编号,见 token list")]) -> None:
    """Revoke a token at once (吊销令牌)."""
    from hazwatch.app import desks

    with told():
        desks.revoke_token(settings_in_force(), number)
        typer.echo(f"令牌 {number} 已吊销")
