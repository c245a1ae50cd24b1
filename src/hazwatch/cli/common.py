"""What every command shares: the settings in force, and errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from hazwatch.settings import Settings


@contextmanager
def told() -> Iterator[None]:
    """Turn what a person can mend into one line and exit code 2."""
    from hazwatch.app.node import NoLoginError
    from hazwatch.app.run import AlreadyRunningError
    from hazwatch.identity.errors import ApiError
    from hazwatch.log.client import LogAwayError, RpcError

    try:
        yield
    except ApiError as error:
        typer.echo(f"错误:{error.message}。{error.hint}", err=True)
        raise typer.Exit(2) from error
    except (LogAwayError, RpcError, NoLoginError, AlreadyRunningError, ValueError, OSError) as error:
        typer.echo(f"错误:{error}", err=True)
        raise typer.Exit(2) from error


def settings_in_force(**given: object) -> Settings:
    """The settings in force; what the command line gives wins."""
    from pydantic import ValidationError

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        typer.echo("设置有误:\n" + "\n".join(lines), err=True)
        raise typer.Exit(2) from error
