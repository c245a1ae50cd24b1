"""A real PostgreSQL server for tests: Debian's binaries, a free port, a temporary folder, gone at the end.

One server serves the whole run. PostgreSQL refuses to run as root, so under root it runs as ``postgres`` or ``nobody``.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest

from hazwatch.records import Sessions, make_engine, make_sessions, migrate

_NUMBERS = count(1)
_OWNER = "hazwatch"


def binaries() -> Path | None:
    """The folder of the newest installed server, None without one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@cache
def server() -> str:
    """Start the server; returns the URL of its maintenance database. Skips the test where there are no binaries."""
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL server binaries under /usr/lib/postgresql")
    home = Path(tempfile.mkdtemp(prefix="hazwatch-pg-"))
    user = _runner(home)
    data = home / "data"
    init = [folder / "initdb", "-D", data, "-A", "trust", "-U", _OWNER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(init, check=True, capture_output=True, user=user, cwd=home)
    port = _free_port()
    settings = ["fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={home}"]
    options = [part for setting in settings for part in ("-c", setting)]
    child = subprocess.Popen(
        [folder / "postgres", "-D", data, "-p", str(port), *options],
        user=user,
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_stop, child, home)
    url = f"postgresql://{_OWNER}@127.0.0.1:{port}/postgres"
    _wait(url, child)
    return url


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


def _stop(child: subprocess.Popen[bytes], home: Path) -> None:
    child.terminate()
    child.wait(timeout=20)
    shutil.rmtree(home, ignore_errors=True)


DATABASES = ["sqlite", "postgresql"]


@cache
def _template(kind: str) -> str:
    """A migrated database to copy from: the name of one on the server, or the path of a file."""
    if kind == "postgresql":
        url = fresh_database()
        migrate(url)
        return url.rsplit("/", 1)[1]
    folder = Path(tempfile.mkdtemp(prefix="hazwatch-sqlite-"))
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
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    """Session factory of a migrated database without rows, on each kind."""
    if request.param == "sqlite":
        shutil.copy(_template("sqlite"), tmp_path / "records.sqlite")
        url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    else:
        url = fresh_database(_template("postgresql"))
    engine = make_engine(url)
    yield make_sessions(engine)
    engine.dispose()
    if request.param == "postgresql":
        drop_database(url)
