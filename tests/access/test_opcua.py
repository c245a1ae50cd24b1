"""The OPC UA adapter against a real asyncua server: restart, silent subscription, security, qualities."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager
from cryptography.x509.oid import ExtendedKeyUsageOID

from hazwatch.access.opcua import OpcUaAdapter
from hazwatch.vocabulary.quality import Quality

NODES = ["ns=2;s=LT-101", "ns=2;s=TT-101", "ns=2;s=TEXT"]


class Plant:
    """A server with three variables."""

    def __init__(self, server: Server, variables: list[Any]) -> None:
        self.server = server
        self._variables = variables

    async def write(self, which: int, value: Any, status: int | None = None, ahead_s: float = 0) -> None:
        variant = ua.Variant(value) if value is not None else None
        code = ua.StatusCode(status if status is not None else ua.StatusCodes.Good)
        data = ua.DataValue(variant, code, SourceTimestamp=datetime.now(UTC) + timedelta(seconds=ahead_s))
        await self._variables[which].write_value(data)


class Passwords(UserManager):
    def get_user(
        self, _session: Any, username: str | None = None, password: Any = None, certificate: Any = None
    ) -> Any:
        del certificate
        return User(role=UserRole.User) if (username, password) == ("reader", "geheim") else None


@asynccontextmanager
async def plant(port: int, folder: Path | None = None, users: UserManager | None = None) -> AsyncIterator[Plant]:
    server = Server(user_manager=users)
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    policies = [ua.SecurityPolicyType.NoSecurity]
    if folder is not None:
        cert, key = folder / "server.der", folder / "server.pem"
        uri = "urn:test:plant"
        await server.set_application_uri(uri)
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        await setup_self_signed_certificate(key, cert, uri, "localhost", usage, {})
        await server.load_certificate(str(cert))
        await server.load_private_key(str(key))
        policies = [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt, ua.SecurityPolicyType.Basic256Sha256_Sign]
    server.set_security_policy(policies)
    await server.register_namespace("urn:test")
    variables = []
    for name, value in (("LT-101", 1.0), ("TT-101", 20.0), ("TEXT", "ok")):
        node = ua.NodeId(name, 2)
        variables.append(await server.nodes.objects.add_variable(node, name, value))
    async with server:
        yield Plant(server, variables)


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


@pytest.fixture
def make(link: Any, intake: Any, board: Any, clock: Any, port: int) -> Callable[..., OpcUaAdapter]:
    def build(secret: bytes = b"", **options: str) -> OpcUaAdapter:
        options = {"publish_ms": "50", "watchdog_s": "1", "timeout_s": "2", **options}
        config = link(NODES, "opcua", address=f"opc.tcp://127.0.0.1:{port}", options=options, secret=secret)
        return OpcUaAdapter(config, intake, board, clock)

    return build


async def test_values_of_now_and_every_change_after(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any
) -> None:
    async with plant(port) as server, running(make()):
        await eventually(lambda: intake.of(1) == [20.0])
        for value in (2.0, 3.0, 4.0):
            await server.write(0, value)
            await asyncio.sleep(0.12)
        await eventually(lambda: intake.of(0) == [1.0, 2.0, 3.0, 4.0])
    assert len(intake.frames) < len(intake.samples())  # gathered, not a frame per sample


async def test_status_codes_become_qualities(make: Any, port: Any, intake: Any, running: Any, eventually: Any) -> None:
    async with plant(port) as server, running(make()):
        await eventually(lambda: intake.of(0))
        await server.write(0, 5.0, ua.StatusCodes.BadSensorFailure)
        await eventually(lambda: len(intake.of(0)) == 2)
        await server.write(0, 6.0, ua.StatusCodes.UncertainSensorNotAccurate)
        await eventually(lambda: len(intake.of(0)) == 3)
        await server.write(0, math.nan)
        await eventually(lambda: len(intake.of(0)) == 4)
    batch = intake.samples()
    mine = batch.point == 0
    assert batch.quality[mine].tolist() == [0, Quality.DISCONNECTED, Quality.GOOD, Quality.NOT_A_NUMBER]
    assert math.isnan(batch.value[mine][1])
    assert batch.quality[batch.point == 2].tolist() == [Quality.NOT_A_NUMBER]


@pytest.mark.slow
async def test_a_server_restart_is_survived_and_everything_read_again(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any
) -> None:
    async with running(make()):
        async with plant(port) as server:
            await eventually(lambda: intake.of(0))
            await server.write(0, 2.0)
            await eventually(lambda: 2.0 in intake.of(0))
        await eventually(lambda: not board.all()[0].connected, 8)
        async with plant(port) as server:
            await server.write(1, 99.0)  # changed while we were away or before our subscription
            await eventually(lambda: 99.0 in intake.of(1), 15)
            await server.write(0, 3.0)
            await eventually(lambda: 3.0 in intake.of(0))
    assert board.all()[0].gaps >= 1


async def test_a_silent_subscription_is_found_by_the_watchdog(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any
) -> None:
    """The session answers, the socket stands, and no notification comes: the trap of socket watchdogs."""
    async with plant(port) as server, running(make()):
        await eventually(lambda: board.all() and board.all()[0].connected)
        for subscription in list(server.server.iserver.subscription_service.subscriptions.values()):
            await subscription.stop()
        await server.write(0, 42.0)
        await eventually(lambda: 42.0 in intake.of(0), 6)
        await eventually(lambda: "静默" in board.all()[0].last_error, 6)
        await eventually(lambda: board.all()[0].connected, 6)
        await server.write(0, 43.0)
        await eventually(lambda: 43.0 in intake.of(0), 6)


async def test_quiet_values_are_no_reason_to_reconnect(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any
) -> None:
    async with plant(port), running(make(watchdog_s="0.4")):
        await eventually(lambda: intake.of(0))
        await asyncio.sleep(1.5)
        assert board.all()[0].gaps == 0
        assert not board.all()[0].last_error


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
async def test_message_security_with_a_generated_certificate(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any, tmp_path: Any, mode: Any
) -> None:
    certificate, key = tmp_path / "pki" / "client.der", tmp_path / "pki" / "client.pem"
    async with plant(port, tmp_path) as _:
        async with running(make(security=mode, certificate=str(certificate), private_key=str(key))):
            await eventually(lambda: intake.of(0) == [1.0])
        assert certificate.exists()
        assert key.stat().st_mode & 0o077 == 0


async def test_only_the_pinned_server_is_believed(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any, tmp_path: Any
) -> None:
    certificate, key = tmp_path / "client.der", tmp_path / "client.pem"
    options = {"security": "SignAndEncrypt", "certificate": str(certificate), "private_key": str(key)}
    other = tmp_path / "other.der"
    usage = [ExtendedKeyUsageOID.SERVER_AUTH]
    await setup_self_signed_certificate(tmp_path / "other.pem", other, "urn:other", "localhost", usage, {})
    async with plant(port, tmp_path):
        async with running(make(**options, server_certificate=str(other))):
            await eventually(lambda: board.all() and board.all()[0].last_error, 10)
            assert not intake.frames
        async with running(make(**options, server_certificate=str(tmp_path / "server.der"))):
            await eventually(lambda: intake.of(0), 10)


async def test_user_and_password(make: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any) -> None:
    async with plant(port, users=Passwords()):
        async with running(make(b"falsch", user="reader")):
            await eventually(lambda: board.all() and board.all()[0].last_error)
            assert not intake.frames
        async with running(make(b"geheim", user="reader")):
            await eventually(lambda: intake.of(0))


async def test_an_unknown_node_is_a_dead_letter_and_the_others_come(
    link: Any, intake: Any, board: Any, clock: Any, port: Any, running: Any, eventually: Any
) -> None:
    config = link(
        [NODES[0], "ns=2;s=GIBTS-NICHT", "kein NodeId"],
        "opcua",
        address=f"opc.tcp://127.0.0.1:{port}",
        options={"publish_ms": "50"},
    )
    async with plant(port), running(OpcUaAdapter(config, intake, board, clock)):
        await eventually(lambda: intake.of(0))
    assert intake.reasons() == ["unknown_point", "unknown_point"]
    batch = intake.samples()
    assert batch.quality[batch.point == 1].tolist() == [Quality.DISCONNECTED]


async def test_every_change_while_the_log_is_away_is_kept(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any
) -> None:
    async with plant(port) as server, running(make()):
        await eventually(lambda: intake.of(0))
        intake.closed = True
        for value in (7.0, 8.0, 9.0):
            await server.write(0, value)
            await asyncio.sleep(0.15)
        intake.closed = False
        await eventually(lambda: intake.of(0) == [1.0, 7.0, 8.0, 9.0], 8)


async def test_a_server_whose_clock_is_ahead_is_refused(
    make: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any
) -> None:
    async with plant(port) as server, running(make()):
        await eventually(lambda: intake.of(0))
        await server.write(0, 2.0, ahead_s=3600)
        await eventually(lambda: "对时" in board.all()[0].last_error)
    assert intake.reasons() == ["bad_time"]
    assert intake.of(0) == [1.0]
