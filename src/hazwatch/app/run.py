"""``hazwatch run``: prepares the home folder and keeps the node's processes running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hazwatch.app.links import mqtt_users
from hazwatch.app.node import clock, open_log, secret, until_told
from hazwatch.app.tls import certificate
from hazwatch.disk import room, space_of
from hazwatch.identity import service as identity
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM
from hazwatch.identity.secrets import master_key
from hazwatch.log import server
from hazwatch.log.client import LogAwayError
from hazwatch.log.server import ServerConfig
from hazwatch.records.engine import Sessions, make_engine, make_sessions
from hazwatch.records.schema import migrate
from hazwatch.registry import model as rows
from hazwatch.registry import service as registry
from hazwatch.registry.desk import RegistryDesk
from hazwatch.settings import Settings
from hazwatch.simulator.registry import park
from hazwatch.stream import wire
from hazwatch.supervisor import Child, Supervisor

#: What the log's collector tries to stay below; its messages lie on disk, not in memory.
_LOG_MEMORY = "192MiB"
#: How often the room on the disk is looked at.
_DISK_EVERY_S = 1.0
Say = Callable[[str], None]
Row = TypeVar("Row")
#: Stopped in this order: who asks before who answers, the log last.
_STOP_ORDER = ["simulator", "web", "access", "engine", "log"]


def prepare(settings: Settings, say: Say) -> Sessions:
    """Bring the home folder to the state that the processes need. Doing it again changes nothing."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrate(settings.records)
    sessions = make_sessions(make_engine(settings.records))
    password = identity.first_start(Desk(sessions, clock, settings.home), settings.province)
    if password is not None:
        say(f"首次登录:用户名 admin,密码 {password}(也写在 {settings.home / 'first-password.txt'})")
    certificate(settings.home, settings.host)
    if settings.simulator:
        seed_simulated_park(settings, sessions)
    return sessions


def seed_simulated_park(settings: Settings, sessions: Sessions) -> None:
    """Register the park in the box, through the same checks as any import."""
    described = park(settings.simulator_opcua_port, settings.simulator_modbus_port)
    description = rows.Description(
        parks=_as(rows.ParkRow, described.parks), enterprises=_as(rows.EnterpriseRow, described.enterprises),
        sources=_as(rows.SourceRow, described.sources), equipment=_as(rows.EquipmentRow, described.equipment),
        gateways=_as(rows.GatewayRow, described.gateways), points=_as(rows.PointRow, described.points),
    )  # fmt: skip
    desk = RegistryDesk(sessions, clock, master_key(settings.home))
    registry.seed(desk, SYSTEM, description, "模拟园区")


def _as(kind: type[Row], described: tuple[object, ...]) -> tuple[Row, ...]:
    """Rows of the registry from rows that are described elsewhere under the same names."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]  # every row is a dataclass
    return tuple(kind(**{n: getattr(row, n) for n in names if hasattr(row, n)}) for row in described)


class Node:
    """The supervisor of a node."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._settings = settings
        self._say = say
        self._sessions = prepare(settings, say)
        self._supervisor = Supervisor(settings.home / "logs")

    def _server_config(self) -> ServerConfig:
        settings = self._settings
        users = mqtt_users(self._sessions, master_key(settings.home))
        return ServerConfig(
            settings.home.resolve(), settings.log_port, secret(settings.home, "log.password"), settings.host,
            settings.mqtt_port, users, settings.log_gib * 2 + 2,
        )  # fmt: skip

    @property
    def _has_server(self) -> bool:
        """Whether this machine has a nats-server of its own: as the log, or as the MQTT listener beside a cluster."""
        return not self._settings.log_url or "access" in self._settings.roles

    def start(self) -> None:
        """Start the children."""
        settings = self._settings
        if self._has_server:
            conf = server.write(self._server_config())
            self._supervisor.start(
                Child(
                    "log", [server.executable(), "-c", str(conf)],
                    {"GOMEMLIMIT": _LOG_MEMORY}, prepare=lambda: server.write(self._server_config()),
                    stop_signal=signal.SIGTERM,
                )
            )  # fmt: skip
        environment = _environment(settings)
        roles = [*settings.roles, *(["simulator"] if settings.simulator else [])]
        for k, role in enumerate(roles):
            again = roles[:k].count(role)
            name = f"{role}-{again + 1}" if again else role
            self._supervisor.start(Child(name, [sys.executable, "-m", "hazwatch", "serve", role], environment))

    async def follow_registry(self) -> None:
        """Edge nodes come and go with the registry: the log's listener learns of them by a reload."""
        if not self._has_server:
            await asyncio.Event().wait()
        while True:
            try:
                log = await open_log(self._settings, "node")
                break
            except LogAwayError as error:
                self._say(f"日志服务尚未就绪:{error}")
        await log.listen(wire.SUBJECT_REGISTRY, self._reload_log)
        await asyncio.Event().wait()

    async def watch_disk(self) -> None:
        """Start the log again when a full disk has room: after a write that failed it takes nothing until then."""
        if not self._has_server:
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

    async def _reload_log(self, _: bytes) -> None:
        server.write(self._server_config())
        await self._signal_log(signal.SIGHUP)

    async def _signal_log(self, what: signal.Signals) -> None:
        process = self._supervisor.children["log"].process
        if process is not None and process.returncode is None:
            process.send_signal(what)

    async def stop(self) -> None:
        """Stop the children in good order."""
        engines = [name for name in self._supervisor.children if name.startswith("engine-")]
        await self._supervisor.stop([*_STOP_ORDER[:-1], *engines, _STOP_ORDER[-1]])


def _environment(settings: Settings) -> dict[str, str]:
    """The settings in force, for the children."""
    values = settings.model_dump(mode="json")
    values["home"] = str(settings.home.resolve())
    # Threads of one process share two heaps instead of having eight for each core, which would never shrink again.
    return {f"HAZWATCH_{name.upper()}": str(value) for name, value in values.items()} | {"MALLOC_ARENA_MAX": "2"}


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
    """Run a node until told to stop."""
    lock = lock_home(settings.home)
    try:
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
