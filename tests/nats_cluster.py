"""A NATS cluster of three for tests: real servers on free ports, each of which a test may kill and start again."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
from tests.log.support import free_port

from hazwatch.log.client import LogAddress
from hazwatch.log.server import MAX_PAYLOAD, executable

LOGIN = ("cluster-user", "cluster-password")


class NatsCluster:
    """Three servers with JetStream on disk."""

    def __init__(self, folder: Path) -> None:
        self.ports = [free_port() for _ in range(3)]
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * 3
        routes = [free_port() for _ in range(3)]
        self._files = [folder / f"nats{n}.conf" for n in range(3)]
        for n, file in enumerate(self._files):
            file.write_text(
                f"server_name: n{n}\nhost: 127.0.0.1\nport: {self.ports[n]}\n"
                f"max_payload: {MAX_PAYLOAD}\nmax_pending: 268435456\n"
                f"jetstream {{ store_dir: {folder / f'store{n}'}, max_file_store: 2G }}\n"
                f"cluster {{ name: hz, host: 127.0.0.1, port: {routes[n]}, "
                f"routes: [{', '.join(f'nats://127.0.0.1:{port}' for port in routes)}] }}\n"
                f"authorization {{ user: {LOGIN[0]}, password: {LOGIN[1]} }}\n"
            )
            self.start(n)

    @property
    def address(self) -> LogAddress:
        return LogAddress(tuple(self.url.split(",")), *LOGIN)

    @property
    def url(self) -> str:
        """As in the setting ``log_url``."""
        return ",".join(f"nats://127.0.0.1:{port}" for port in self.ports)

    def give_login(self, home: Path) -> None:
        """Put the login where a node looks for it."""
        path = home / "secrets" / "log.login"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(":".join(LOGIN))

    def start(self, number: int) -> None:
        self.processes[number] = subprocess.Popen(
            [executable(), "-c", str(self._files[number])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self, number: int) -> None:
        """``kill -9``."""
        process = self.processes[number]
        if process is not None:
            process.kill()
            process.wait()
            self.processes[number] = None

    async def leader(self, stream: str) -> int:
        """Number of the server that leads a stream, once there is one."""
        user, password = LOGIN
        client = await nats.connect(self.url.split(","), user=user, password=password)
        try:
            async with asyncio.timeout(30):
                while True:
                    info = (await client.jetstream().stream_info(stream)).cluster
                    if info is not None and info.leader:
                        return int(info.leader.removeprefix("n"))
                    await asyncio.sleep(0.1)
        finally:
            await client.close()

    def stop(self) -> None:
        for number in range(3):
            self.kill(number)


@contextmanager
def nats_cluster(folder: Path) -> Iterator[NatsCluster]:
    """A cluster for the length of a test."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = NatsCluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop()
