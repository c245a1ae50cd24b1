"""``hazwatch account``: accounts of people."""

from __future__ import annotations

from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="账号")


@app.command("reset-password")
def account_reset_password(username: Annotated[str, typer.Argument(help="用户名")]) -> None:
    """Give an account a new generated password, printed once (重置口令,仅显示一次;下次登录须修改)."""
    from hazwatch.app import desks

    with told():
        typer.echo(desks.reset_password(settings_in_force(), username))
