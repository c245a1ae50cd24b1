"""A real server per test, and a connection to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.log.support import Server

from hazwatch.log import client, reader
from hazwatch.log.client import Log


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.kill()


@pytest.fixture
async def log(server: Server) -> AsyncIterator[Log]:
    connected = await server.log()
    yield connected
    await connected.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits as in service, only shorter."""
    monkeypatch.setattr(reader, "_EXPIRES_S", 0.3)
    monkeypatch.setattr(reader, "_SILENCE_S", 1.0)
    monkeypatch.setattr(client, "_APPEND_TIMEOUT_S", 1.0)
