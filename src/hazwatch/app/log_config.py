"""The configuration of the node's own nats-server: who may sign in stands in the registry.

A process of its own that ends, like ``prepare``: run at every start, and again whenever the registry has changed.
"""

from __future__ import annotations

import os

from hazwatch.app.links import mqtt_users
from hazwatch.app.node import has_server, secret
from hazwatch.identity.secrets import master_key
from hazwatch.log import server
from hazwatch.log.server import ServerConfig
from hazwatch.records.engine import Sessions, make_engine, make_sessions
from hazwatch.settings import Settings


def write(settings: Settings, sessions: Sessions) -> None:
    """Write the configuration file, where this machine has a server of its own."""
    if not has_server(settings):
        return
    users = mqtt_users(sessions, master_key(settings.home))
    server.write(
        ServerConfig(
            settings.home.resolve(), settings.log_port, secret(settings.home, "log.password"), settings.host,
            settings.mqtt_port, users, settings.log_gib * 2 + 2, server.pending(_memory()),
        )
    )  # fmt: skip


def _memory() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def main(settings: Settings) -> None:
    """Entry point of the child process."""
    write(settings, make_sessions(make_engine(settings.records)))
