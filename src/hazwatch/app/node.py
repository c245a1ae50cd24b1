"""What every process of a node shares: settings, secrets, the connection to the log."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import secrets
import signal
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hazwatch.disk import write_durably
from hazwatch.log.client import Log, LogAddress
from hazwatch.log.server import NODE_USER
from hazwatch.settings import Settings

#: A busy moment leaves some hundred MiB; giving it back takes a tenth of a second, in which nobody gets any.
_GIVE_BACK_S = 60.0


def clock() -> int:
    """Epoch milliseconds of now. The only clock of the package; rooms are handed it."""
    return time.time_ns() // 1_000_000


def begin_process(name: str) -> None:
    """Set logging up for a child process."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s {name} %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("asyncua", "pymodbus", "httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def secret(home: Path, name: str) -> str:
    """A secret of the node, generated on first use, readable by its owner only."""
    path = home / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        write_durably(path, secrets.token_urlsafe(32).encode())
        path.chmod(0o600)
    return path.read_text(encoding="utf-8").strip()


def log_address(settings: Settings) -> LogAddress:
    """Where the log is: the embedded server, or the cluster of ``log_url``.

    Raises:
        NoLoginError: a cluster is named and its login is not there.
    """
    if not settings.log_url:
        own = (f"nats://127.0.0.1:{settings.log_port}",)
        return LogAddress(own, NODE_USER, secret(settings.home, "log.password"))
    urls = tuple(url.strip() for url in settings.log_url.split(",") if url.strip())
    return LogAddress(urls, *login(settings, "log"), authority(settings, "log"))


def has_server(settings: Settings) -> bool:
    """Whether this machine has a nats-server of its own: as the log, or as the MQTT listener beside a cluster."""
    return not settings.log_url or "access" in settings.roles


class NoLoginError(RuntimeError):
    """An engine beyond this machine is named in the settings, and how to sign in there is not known."""


def login(settings: Settings, name: str) -> tuple[str, str]:
    """User and password at an engine beyond this machine (``log``, ``history``), from ``secrets/NAME.login``.

    Raises:
        NoLoginError: the file is not there, or does not hold ``user:password``.
    """
    path = settings.home / "secrets" / f"{name}.login"
    user, colon, password = path.read_text(encoding="utf-8").strip().partition(":") if path.exists() else ("", "", "")
    if not colon:
        raise NoLoginError(f"设置了 {name}_url,但 {path} 中没有登录信息(一行,用户名:密码,权限 0600)")
    return user, password


def authority(settings: Settings, name: str) -> ssl.SSLContext | None:
    """TLS that trusts ``secrets/NAME-ca.pem``; None when an engine has no authority of its own."""
    path = settings.home / "secrets" / f"{name}-ca.pem"
    return ssl.create_default_context(cafile=path) if path.exists() else None


def models_token(settings: Settings) -> str:
    """What a model service elsewhere asks for (``secrets/models.token``); empty where it asks for nothing."""
    path = settings.home / "secrets" / "models.token"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


async def open_log(settings: Settings, name: str, patience_s: float = 20.0) -> Log:
    """Connect to the log.

    Raises:
        LogAwayError: it does not answer within ``patience_s``.
        NoLoginError: see ``log_address``.
    """
    return await Log.connect(log_address(settings), name, patience_s=patience_s)


async def ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel pieces of work until they are gone.

    One cancellation is not enough: ``asyncio.wait_for``, which the log's client is built on, swallows it in Python 3.11
    when its answer comes in the same moment, and the piece would go on for ever.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=1.0)


async def side_by_side(*work: Awaitable[object]) -> None:
    """Run pieces of work until one of them fails; then end the others and raise its error."""
    tasks = [asyncio.ensure_future(piece) for piece in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        await ended(*tasks)


def settle_memory() -> None:
    """What is loaded by now stays: the collector need not walk through it; scraps go back to the system."""
    gc.collect()
    gc.freeze()
    _trim()


async def give_back_memory() -> None:
    """Once a minute, give free memory back: the allocator keeps what one busy moment needed, for ever."""
    while True:
        await asyncio.sleep(_GIVE_BACK_S)
        await asyncio.to_thread(_trim)


def _trim() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library has nothing to trim
            ctypes.CDLL(None).malloc_trim(0)


async def until_told(*work: Awaitable[object]) -> None:
    """Run pieces of work side by side until SIGTERM or SIGINT, or until one of them fails."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.ensure_future(piece) for piece in work]
    told = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {told}:
            task.result()
    finally:
        await ended(told, *tasks)


def run_process(name: str, main: Callable[[], Awaitable[None]]) -> None:
    """Run an asyncio main of a child process."""
    begin_process(name)
    asyncio.run(_as_coroutine(main))


async def _as_coroutine(main: Callable[[], Awaitable[None]]) -> None:
    await main()
