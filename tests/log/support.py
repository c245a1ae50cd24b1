"""A real nats-server with the configuration that the node writes, which a test may kill and start again."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from hazwatch.log.client import Log, LogAddress, LogConfig
from hazwatch.log.server import NODE_USER, MqttUser, ServerConfig, executable, write

PASSWORD = 'p"a\\ss\nword'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """The log's server on free ports in a folder of its own."""

    def __init__(self, home: Path, *, mqtt: bool = False, users: tuple[MqttUser, ...] = ()) -> None:
        self.port = free_port()
        self.mqtt_port = free_port() if mqtt else 0
        self.path = write(
            ServerConfig(home, self.port, PASSWORD, mqtt_port=self.mqtt_port, mqtt_users=users, max_store_gib=1.0)
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [executable(), "-c", str(self.path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for port in filter(None, (self.port, self.mqtt_port)):
            self._wait(port)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.wait()

    async def log(self, name: str = "test") -> Log:
        """A connection, with the stream in place."""
        log = await Log.connect(LogAddress((self.url,), NODE_USER, PASSWORD), name)
        await log.ensure_stream(LogConfig(hours=1, gib=0.5))
        return log
