"""Brings the home folder to the state that the processes of a node need.

A process of its own that ends: records, registry and keys do not stay in the memory of the supervisor, which needs none
of them, for as long as the node runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from hazwatch.app import log_config
from hazwatch.app.node import clock
from hazwatch.app.tls import certificate
from hazwatch.identity import service as identity
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM
from hazwatch.identity.secrets import master_key
from hazwatch.records.engine import Sessions, make_engine, make_sessions
from hazwatch.records.schema import migrate
from hazwatch.registry import model as rows
from hazwatch.registry import service as registry
from hazwatch.registry.desk import RegistryDesk
from hazwatch.settings import Settings
from hazwatch.simulator.registry import park

Say = Callable[[str], None]
Row = TypeVar("Row")


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


def main(settings: Settings) -> None:
    """Entry point of the child process; what is to be said goes to standard output, a line each."""
    log_config.write(settings, prepare(settings, _tell))


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
