"""``hazwatch run``: has the home folder prepared and keeps the node's processes running.

This process stays small: what needs records or registry is done by children that end (``prepare``, ``log_config``).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hazwatch.app.node import has_server, open_log, until_told
from hazwatch.disk import room, space_of
from hazwatch.log import server
from hazwatch.log.client import LogAwayError
from hazwatch.settings import Settings
from hazwatch.stream import wire
from hazwatch.supervisor import Child, Supervisor, die_with_parent

#: What the log's collector tries to stay below; its messages lie on disk, not in memory.
_LOG_MEMORY = "192MiB"
#: How often the room on the disk is looked at.
_DISK_EVERY_S = 1.0
Say = Callable[[str], None]
#: Stopped in this order: who asks before who answers, the log last.
_STOP_ORDER = ["simulator", "web", "access", "engine", "log"]


class Node:
    """The supervisor of a node."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._settings = settings
        self._say = say
        self._environment = _environment(settings)
        self._registry_changed = asyncio.Event()
        self._supervisor = Supervisor(settings.home / "logs")

    def start(self) -> None:
        """Start the children."""
        settings = self._settings
        if has_server(self._settings):
            conf = server.path(settings.home)
            self._supervisor.start(
                Child(
                    "log", [server.executable(), "-c", str(conf)],
                    {"GOMEMLIMIT": _LOG_MEMORY}, again=self._registry_changed.set, stop_signal=signal.SIGTERM,
                )
            )  # fmt: skip
        roles = [*settings.roles, *(["simulator"] if settings.simulator else [])]
        for k, role in enumerate(roles):
            again = roles[:k].count(role)
            name = f"{role}-{again + 1}" if again else role
            self._supervisor.start(Child(name, _serve(role), self._environment))

    async def follow_registry(self) -> None:
        """Edge nodes come and go with the registry: the log's listener learns of them by a reload."""
        if not has_server(self._settings):
            await asyncio.Event().wait()
        while True:
            try:
                log = await open_log(self._settings, "node")
                break
            except LogAwayError as error:
                self._say(f"日志服务尚未就绪:{error}")
        await log.listen(wire.SUBJECT_REGISTRY, self._heard)
        while True:
            await self._registry_changed.wait()
            self._registry_changed.clear()
            await self._reload_log()

    async def _heard(self, _: bytes) -> None:
        self._registry_changed.set()

    async def watch_disk(self) -> None:
        """Start the log again when a full disk has room: after a write that failed it takes nothing until then."""
        if not has_server(self._settings):
            await asyncio.Event().wait()
        space, full = space_of(self._settings.home), False
        while True:
            await asyncio.sleep(_DISK_EVERY_S)
            state = room(*space())["state"]
            if full and state != "full":
                self._say("磁盘已有空间,重新启动消息日志")
                await self._signal_log(signal.SIGTERM)
            elif state == "full" and not full:
                self._say(f"磁盘已满({self._settings.home}),新数据不能落盘;腾出空间后自动继续")
            full = state == "full"

    async def _reload_log(self) -> None:
        """Have the configuration written anew, and read when it is another one."""
        conf = server.path(self._settings.home)
        before = conf.read_bytes()
        writer = await asyncio.create_subprocess_exec(
            *_serve("log_config"), env={**os.environ, **self._environment}, preexec_fn=die_with_parent
        )
        if await writer.wait():
            self._say("消息日志的配置没有写成,原因见上;登记再次变化时重试")
        elif conf.read_bytes() != before:
            await self._signal_log(signal.SIGHUP)

    async def _signal_log(self, what: signal.Signals) -> None:
        process = self._supervisor.children["log"].process
        if process is not None and process.returncode is None:
            process.send_signal(what)

    async def stop(self) -> None:
        """Stop the children in good order."""
        engines = [name for name in self._supervisor.children if name.startswith("engine-")]
        await self._supervisor.stop([*_STOP_ORDER[:-1], *engines, _STOP_ORDER[-1]])


def _serve(role: str) -> list[str]:
    return [sys.executable, "-m", "hazwatch", "serve", role]


def _environment(settings: Settings) -> dict[str, str]:
    """The settings in force, for the children."""
    values = settings.model_dump(mode="json")
    values["home"] = str(settings.home.resolve())
    # Threads of one process share two heaps instead of having eight for each core, which would never shrink again.
    return {f"HAZWATCH_{name.upper()}": str(value) for name, value in values.items()} | {"MALLOC_ARENA_MAX": "2"}


class NotPreparedError(RuntimeError):
    """The home folder could not be brought to the state that the processes need; the child has said why."""


def _prepared(settings: Settings, say: Say) -> None:
    """Have the home folder prepared.

    Raises:
        NotPreparedError: the child failed.
    """
    environment = {**os.environ, **_environment(settings), "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        _serve("prepare"), env=environment, stdout=subprocess.PIPE, encoding="utf-8", preexec_fn=die_with_parent,  # noqa: PLW1509  # no thread runs yet
    ) as child:  # fmt: skip
        for line in child.stdout or ():
            say(line.rstrip())
    if child.returncode:
        raise NotPreparedError(f"数据目录 {settings.home} 未能准备就绪,原因见上")


async def _main(settings: Settings, say: Say) -> None:
    node = Node(settings, say)
    node.start()
    say(
        f"Hazwatch 正在启动:http://{settings.host}:{settings.port}/ (Ctrl+C 停止;各进程日志在 {settings.home / 'logs'})"
    )
    try:
        await until_told(node.follow_registry(), node.watch_disk())
    finally:
        say("正在停止 …")
        await node.stop()


def run(settings: Settings, say: Say) -> None:
    """Run a node until told to stop.

    Raises:
        AlreadyRunningError: another node holds the home folder.
        NotPreparedError: see there.
    """
    lock = lock_home(settings.home)
    try:
        _prepared(settings, say)
        asyncio.run(_main(settings, say))
    finally:
        os.close(lock)


class AlreadyRunningError(RuntimeError):
    """Another node holds this home folder."""


def lock_home(home: Path) -> int:
    """Hold the home folder until the handle is closed; two nodes in one would destroy each other's history.

    Raises:
        AlreadyRunningError: a node runs here.
    """
    import fcntl

    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(home / "node.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise AlreadyRunningError(f"{home} 已有一个节点在运行") from error
    return handle
