"""``hazwatch gateway``: keys and passwords of gateways."""

from __future__ import annotations

from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="网关密钥")


@app.command("secret")
def gateway_secret(
    code: Annotated[str, typer.Argument(help="11 位网关编码")],
    renew: Annotated[bool, typer.Option("--renew", help="先生成新密钥;旧密钥立即失效")] = False,
) -> None:
    """Show a gateway's key once (显示网关密钥,仅一次;国标网关:Base64,前 32 字节 AES,后 32 字节 HMAC)."""
    from hazwatch.app import desks

    with told():
        typer.echo(desks.gateway_secret(settings_in_force(), code, renew=renew))


@app.command("password")
def gateway_password(code: Annotated[str, typer.Argument(help="11 位网关编码")]) -> None:
    """Set the password with which the node signs in at a gateway: OPC UA user, external broker (设置登录口令)."""
    from hazwatch.app import desks

    password = typer.prompt("口令", hide_input=True, confirmation_prompt=True)
    with told():
        desks.set_gateway_password(settings_in_force(), code, password)
        typer.echo(f"网关 {code} 的口令已保存", err=True)
