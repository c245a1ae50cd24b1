"""A real ClickHouse cluster for tests: ZooKeeper and two shards of two replicas, from Debian's packages.

Every server has free ports and a folder of its own and may be killed and started again. Debian's server is 18.16.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.log.support import free_port

_ZOOKEEPER = Path("/usr/share/java/zookeeper.jar")
LOGIN = ("history", "history-password")
SHARDS = REPLICAS = 2


def _server() -> str | None:
    """The server's executable. Debian puts it where the PATH of an ordinary user does not lead."""
    return shutil.which("clickhouse-server") or shutil.which("clickhouse-server", path="/usr/sbin")


def missing() -> str | None:
    """What is not installed, or None."""
    if _server() is None:
        return "no clickhouse-server"
    if not _ZOOKEEPER.exists() or shutil.which("java") is None:
        return "no ZooKeeper"
    return None


class _Process:
    """A server that may be killed and started again."""

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        self._command, self._folder, self.port = command, folder, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "out.log").open("ab") as out:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=out, stderr=out)

    def wait(self, patience_s: float = 60.0) -> None:
        """Until somebody listens on the port."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if time.monotonic() > deadline or self._process is None or self._process.poll() is not None:
                    tail = (self._folder / "out.log").read_text(errors="replace")[-2000:]
                    raise AssertionError(f"{self._command[0]} does not listen on {self.port}\n{tail}") from None
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class ZooKeeper(_Process):
    """One ZooKeeper server."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        folder.mkdir()
        (folder / "zoo.cfg").write_text(
            f"tickTime=500\ndataDir={folder / 'data'}\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
            "maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=ruok\n"
            "minSessionTimeout=1000\nmaxSessionTimeout=30000\n"
        )
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(_ZOOKEEPER), main]
        super().__init__([*command, str(folder / "zoo.cfg")], folder, port)


class ClickHouse(_Process):
    """One replica of one shard."""

    def __init__(self, folder: Path, shard: int, replica: int) -> None:
        self.shard, self.replica = shard, replica
        self.tcp, self._interserver = free_port(), free_port()
        folder.mkdir()
        super().__init__([str(_server()), f"--config-file={folder / 'config.xml'}"], folder, free_port())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(self, servers: list[ClickHouse], zookeeper: int) -> None:
        """Write the configuration: who belongs to the cluster, and who this server is."""
        user, password = LOGIN
        shards = "".join(
            "<shard><internal_replication>true</internal_replication>"
            + "".join(
                f"<replica><host>127.0.0.1</host><port>{s.tcp}</port><user>{user}</user>"
                f"<password>{password}</password></replica>"
                for s in servers
                if s.shard == shard
            )
            + "</shard>"
            for shard in range(SHARDS)
        )
        folder = self._folder
        (folder / "config.xml").write_text(
            "<yandex>"
            f"<logger><level>warning</level><log>{folder}/ch.log</log><errorlog>{folder}/err.log</errorlog></logger>"
            f"<http_port>{self.port}</http_port><tcp_port>{self.tcp}</tcp_port>"
            f"<interserver_http_port>{self._interserver}</interserver_http_port>"
            "<interserver_http_host>127.0.0.1</interserver_http_host><listen_host>127.0.0.1</listen_host>"
            f"<path>{folder}/data/</path><tmp_path>{folder}/scratch/</tmp_path>"
            "<users_config>users.xml</users_config><default_profile>default</default_profile>"
            "<default_database>default</default_database><mark_cache_size>67108864</mark_cache_size>"
            "<timezone>UTC</timezone>"
            f"<remote_servers><hazwatch>{shards}</hazwatch></remote_servers>"
            f"<zookeeper><node><host>127.0.0.1</host><port>{zookeeper}</port></node>"
            "<session_timeout_ms>4000</session_timeout_ms></zookeeper>"
            f"<macros><shard>{self.shard}</shard><replica>{self.replica}</replica></macros>"
            "</yandex>"
        )
        (folder / "users.xml").write_text(
            "<yandex><profiles><default><max_memory_usage>500000000</max_memory_usage>"
            "<max_threads>2</max_threads></default></profiles>"
            f"<users><{user}><password>{password}</password><networks><ip>127.0.0.1</ip></networks>"
            f"<profile>default</profile><quota>default</quota></{user}></users>"
            "<quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors>"
            "<result_rows>0</result_rows><read_rows>0</read_rows><execution_time>0</execution_time>"
            "</interval></default></quotas></yandex>"
        )

    def ask(self, sql: str) -> str:
        """The answer of this one server."""
        user, password = LOGIN
        headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
        answer = httpx.post(self.url, content=sql, headers=headers, timeout=30.0)
        assert answer.status_code == 200, answer.text
        return answer.text.strip()


class ClickHouseCluster:
    """ZooKeeper and four servers."""

    def __init__(self, folder: Path) -> None:
        self.zookeeper = ZooKeeper(folder / "zookeeper")
        self.servers = [
            ClickHouse(folder / f"s{shard}r{replica}", shard, replica)
            for shard in range(SHARDS)
            for replica in range(REPLICAS)
        ]
        self.zookeeper.start()
        for server in self.servers:
            server.configure(self.servers, self.zookeeper.port)
        self.zookeeper.wait()
        for server in self.servers:
            server.start()
        for server in self.servers:
            server.wait()

    def server(self, shard: int, replica: int) -> ClickHouse:
        return self.servers[shard * REPLICAS + replica]

    @property
    def url(self) -> str:
        """As in the setting ``history_url``."""
        return ";".join(
            ",".join(self.server(shard, replica).url for replica in range(REPLICAS)) for shard in range(SHARDS)
        )

    def give_login(self, home: Path) -> None:
        """Put the login where a node looks for it."""
        path = home / "secrets" / "history.login"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(":".join(LOGIN))

    def stop(self) -> None:
        for server in self.servers:
            server.kill()
        self.zookeeper.kill()


@contextmanager
def clickhouse_cluster(folder: Path) -> Iterator[ClickHouseCluster]:
    """A cluster for the length of a test; skips where Debian's packages are not there."""
    why = missing()
    if why is not None:
        pytest.skip(f"{why}: install Debian's clickhouse-server and zookeeper")
    folder.mkdir(parents=True, exist_ok=True)
    cluster = ClickHouseCluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop()
