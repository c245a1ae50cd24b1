"""``hazwatch models``: the risk models as services of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hazwatch.cli.common import settings_in_force, told

app = typer.Typer(no_args_is_help=True, help="风险模型服务")
_LOOPBACK = "127.0.0.1"


@app.command("serve")
def models_serve(
    port: Annotated[int, typer.Option(help="端口", min=1, max=65_535)] = 8620,
    only: Annotated[list[str] | None, typer.Option(help="只提供这些模型,可重复;默认全部")] = None,
    host: Annotated[str, typer.Option(help="监听地址;非本机地址要求调用方出示令牌")] = _LOOPBACK,
    configuration: Annotated[Path | None, typer.Option(help="模型参数文件(JSON),默认内置参数", exists=True)] = None,
) -> None:
    """Serve the models over HTTP, without a node (提供模型服务)."""
    import orjson
    import uvicorn

    from hazwatch.app.node import secret
    from hazwatch.risk.configuration import DEFAULT, parse
    from hazwatch.risk.served import create_models_app, model_ids

    with told():
        unknown = sorted(set(only or []) - set(model_ids()))
        if unknown:
            raise ValueError(f"没有模型 {'、'.join(unknown)};可用:{'、'.join(model_ids())}")
        own = parse(orjson.loads(configuration.read_bytes())) if configuration else DEFAULT
        token = "" if host == _LOOPBACK else secret(settings_in_force().home, "models.token")
        typer.echo(f"模型服务 http://{host}:{port}/models(参数 {own.digest()})")
        if token:
            typer.echo("调用方须出示 secrets/models.token 中的令牌")
        uvicorn.run(
            create_models_app(only or (), own, token), host=host, port=port, log_level="warning", access_log=False,
            server_header=False,
        )  # fmt: skip


@app.command("list")
def models_list() -> None:
    """List the models with version and configuration (列出模型)."""
    from hazwatch.risk.aggregates import AGGREGATES
    from hazwatch.risk.configuration import DEFAULT
    from hazwatch.risk.features import SERVICES
    from hazwatch.risk.model import MODEL_ID, VERSION

    for name, zh in {**{s.id: s.zh for s in SERVICES.values()}, **AGGREGATES}.items():
        typer.echo(f"{name}  {zh}  {MODEL_ID} {VERSION}  {DEFAULT.digest()}")


@app.command("learn")
def models_learn(
    source: Annotated[str, typer.Option(help="生产装置的 12 位重大危险源编码")],
    start: Annotated[str, typer.Option("--from", help="正常工况的开始(ISO 8601,默认 14 天前)")] = "",
    end: Annotated[str, typer.Option("--to", help="正常工况的结束(默认现在)")] = "",
    wait: Annotated[int, typer.Option(help="等待学习完成的秒数", min=0, max=3600)] = 120,
) -> None:
    """Have the multivariate model of a unit learned from its history; a person approves it (学习装置模型,待审批)."""
    from hazwatch.app import desks

    with told():
        done, line = desks.learn_unit_model(settings_in_force(), source, start, end, wait)
        typer.echo(line)
    if not done:
        raise typer.Exit(1)


@app.command("units")
def models_units() -> None:
    """List the multivariate models of units (列出装置模型)."""
    from hazwatch.app import desks

    with told():
        for line in desks.unit_model_lines(settings_in_force()):
            typer.echo(line)
