"""A real PostgreSQL server for tests: Debian's binaries, a free port, a temporary folder, gone at the end.

One server serves the whole run. PostgreSQL refuses to run as root, so under root it runs as ``postgres`` or ``nobody``.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import psutil
import psycopg
import pytest

from hazwatch.records import Sessions, make_engine, make_sessions, migrate

_NUMBERS = count(1)
_OWNER = "hazwatch"
_MEMORY = Path("/dev/shm")  # noqa: S108  # only folders with names of their own are made in it
_ROOM = 4 << 30


def folder_in_memory(prefix: str) -> Path:
    """A new folder in memory where the machine has room there, else among other temporary files.

    Hundreds of tests make a database each: on a disk they wait for it more than they test.
    """
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if roomy else None))


def binaries() -> Path | None:
    """The folder of the newest installed server, None without one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


class PostgresServer:
    """A server of its own folder and port, which a test may kill and start again."""

    def __init__(self) -> None:
        folder = binaries()
        if folder is None:
            pytest.skip("no PostgreSQL server binaries under /usr/lib/postgresql")
        self._home = folder_in_memory("hazwatch-pg-")
        self._user = _runner(self._home)
        data = self._home / "data"
        init = [
            folder / "initdb", "-D", data, "-A", "trust", "-U", _OWNER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        ]  # fmt: skip
        subprocess.run(init, check=True, capture_output=True, user=self._user, cwd=self._home)
        port = _free_port()
        settings = [
            "fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._home}",
        ]  # fmt: skip
        options = [part for setting in settings for part in ("-c", setting)]
        self._command = [folder / "postgres", "-D", data, "-p", str(port), *options]
        self.url = f"postgresql://{_OWNER}@127.0.0.1:{port}/postgres"
        self.start()

    def start(self) -> None:
        self._child = subprocess.Popen(
            self._command, user=self._user, cwd=self._home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait(self.url, self._child)

    def kill(self) -> None:
        """``kill -9`` of the server and of everything it started."""
        family = [*psutil.Process(self._child.pid).children(recursive=True), psutil.Process(self._child.pid)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._child.wait()

    def stop(self) -> None:
        self._child.send_signal(signal.SIGINT)  # without waiting for those who are connected
        self._child.wait(timeout=20)
        shutil.rmtree(self._home, ignore_errors=True)


@cache
def server() -> str:
    """Start the server of the run; returns the URL of its maintenance database. Skips where there are no binaries."""
    running = PostgresServer()
    atexit.register(running.stop)
    return running.url


def fresh_database(template: str = "template0") -> str:
    """Make an empty database, or a copy of another one; returns its URL."""
    name = f"t{next(_NUMBERS)}"
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return server().removesuffix("postgres") + name


def drop_database(url: str) -> None:
    """Remove a database made by ``fresh_database``."""
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")


def _runner(home: Path) -> str | None:
    """Under root the user to run as, who is given the folder."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(home, user)
    return user


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline or child.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return


DATABASES = ["sqlite", "postgresql"]


@cache
def _template(kind: str) -> str:
    """A migrated database to copy from: the name of one on the server, or the path of a file."""
    if kind == "postgresql":
        url = fresh_database()
        migrate(url)
        return url.rsplit("/", 1)[1]
    folder = folder_in_memory("hazwatch-sqlite-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(f"sqlite:///{folder / 'template.sqlite'}")
    return str(folder / "template.sqlite")


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'records.sqlite'}"
        return
    url = fresh_database()
    yield url
    drop_database(url)


@pytest.fixture(params=DATABASES)
def records(request: pytest.FixtureRequest) -> Iterator[Sessions]:
    """Session factory of a migrated database without rows, on each kind."""
    if request.param == "postgresql":
        url = fresh_database(_template("postgresql"))
        engine = make_engine(url)
        yield make_sessions(engine)
        engine.dispose()
        drop_database(url)
        return
    template = Path(_template("sqlite"))
    with tempfile.TemporaryDirectory(dir=template.parent) as folder:
        shutil.copy(template, folder)
        engine = make_engine(f"sqlite:///{folder}/{template.name}")
        yield make_sessions(engine)
        engine.dispose()
