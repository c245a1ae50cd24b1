"""The simulator as a process of its own: runs the world, speaks every protocol, plays scenarios on request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from hazwatch.simulator.registry import GATEWAYS, SPARKPLUG_GROUP, SPARKPLUG_NODE, park
from hazwatch.simulator.rows import PointRow
from hazwatch.simulator.scenarios import Theatre
from hazwatch.simulator.speakers.modbus import ModbusSpeaker
from hazwatch.simulator.speakers.national import HttpsCarrier, NationalSpeaker, TcpCarrier
from hazwatch.simulator.speakers.opcua import OpcUaSpeaker
from hazwatch.simulator.speakers.sparkplug import MqttAccount, SparkplugSpeaker
from hazwatch.simulator.tennessee import DEFAULT_SPEED
from hazwatch.simulator.world import World
from hazwatch.vocabulary.moments import Clock

_PERIOD_S: Final = 1.0
_log = logging.getLogger(__name__)


class Speaker(Protocol):
    """Says values over the wire."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""

    async def say(self, now: int, values: Mapping[str, float]) -> None:
        """Say the values of ``now`` (epoch ms)."""


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Where the simulator finds the node and what it needs to sign in.

    Attributes:
        folder: for the outboxes of the gateways.
        credentials: by gateway code: 64 bytes of key material for the two national gateways, the MQTT password (UTF-8)
            for the Sparkplug node. A gateway without credentials stays silent, and ``status`` says so.
        host: where the node listens and where the simulator's own servers bind.
        opcua_port, modbus_port: of the simulator's servers.
        https_url: of the national gateway, ``https://localhost:8603``.
        tcp_port: of the national TCP listener.
        mqtt_port: of the MQTT listener. mqtt_user: of the Sparkplug node; default its gateway code.
        host_id: Sparkplug host id of the node.
        tls_ca: CA file (or the self-signed certificate) of the HTTPS listener.
        te_speed: plant seconds of the Tennessee Eastman process per second.
        live_te: False plays the recorded runs.
        seed: of everything random.
        clock: epoch ms.
    """

    folder: Path
    credentials: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    host: str = "127.0.0.1"
    opcua_port: int = 8610
    modbus_port: int = 8611
    https_url: str = "https://localhost:8603"
    tcp_port: int = 8604
    mqtt_port: int = 8602
    mqtt_user: str = GATEWAYS.tennessee
    host_id: str = "hazwatch"
    tls_ca: str = ""
    te_speed: float = DEFAULT_SPEED
    live_te: bool = True
    seed: int = 1
    clock: Clock = _wall_clock


class Simulator:
    """The park in the box. ``start``, then ask and play; ``stop`` ends everything."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._world = World(config.clock(), config.seed, config.te_speed, live_te=config.live_te)
        self._silent: dict[str, str] = {}
        self._speakers = self._make_speakers()
        links = {
            key: self._speakers[code]
            for key, code in (("national", GATEWAYS.chlorine), ("sparkplug", GATEWAYS.tennessee))
            if code in self._speakers
        }
        self._theatre = Theatre(self._world, links)  # type: ignore[arg-type]  # these two speakers can be cut
        self._task: asyncio.Task[None] | None = None
        self._started_at = 0

    async def start(self) -> None:
        """Start every speaker and the clockwork. A speaker that cannot start is named in ``status``."""
        self._started_at = self._config.clock()
        for code, speaker in list(self._speakers.items()):
            try:
                await speaker.start()
            except (OSError, RuntimeError) as error:
                self._silent[code] = f"无法启动: {error}"
                del self._speakers[code]
                _log.warning("simulated gateway %s could not start: %s", code, error)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop everything."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for speaker in self._speakers.values():
            with contextlib.suppress(Exception):  # one that cannot say goodbye must not keep the others
                await speaker.stop()

    def scenarios(self) -> list[dict[str, Any]]:
        """``items`` of ``GET /api/v1/scenarios``."""
        return self._theatre.list()

    def start_scenario(self, scenario: str, params: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Start a scenario; returns its row.

        Raises:
            KeyError: no such scenario.
            ValueError: a parameter is wrong (text in Chinese).
        """
        return self._theatre.start(scenario, params or {}, self._config.clock())

    def stop_scenario(self, scenario: str) -> dict[str, Any]:
        """Back to normal operation; returns its row.

        Raises:
            KeyError: no such scenario.
        """
        return self._theatre.stop(scenario)

    def status(self) -> dict[str, Any]:
        """What a person should know: running, texts, backlogs, gateways that stay silent and why."""
        return {
            "running": self._task is not None and not self._task.done(),
            "started_at": self._started_at,
            "tennessee": self._world.tennessee.status,
            "backlog": {code: s.backlog for code, s in self._speakers.items() if hasattr(s, "backlog")},
            "silent": dict(self._silent),
            "weather": {
                "temperature": round(self._world.weather.temperature, 1),
                "wind": round(self._world.weather.wind, 1),
                "direction": round(self._world.weather.direction),
            },
        }

    def _make_speakers(self) -> dict[str, Speaker]:
        config = self._config
        points = park(config.opcua_port, config.modbus_port, config.host).points

        def of(code: str) -> list[PointRow]:
            return [p for p in points if p.gateway == code]

        def national(code: str, carrier: HttpsCarrier | TcpCarrier) -> Speaker:
            outbox = config.folder / f"outbox-{code}.sqlite"
            return NationalSpeaker(code, of(code), config.credentials[code], carrier, outbox, config.clock)

        def sparkplug(code: str) -> Speaker:
            password = config.credentials[code].decode()
            account = MqttAccount(config.host, config.mqtt_port, config.mqtt_user, password, host_id=config.host_id)
            return SparkplugSpeaker(account, SPARKPLUG_GROUP, SPARKPLUG_NODE, of(code))

        tags = [p.tag for p in of(GATEWAYS.tank_farm)]
        builders: dict[str, Callable[[str], Speaker]] = {
            GATEWAYS.tank_farm: lambda _c: OpcUaSpeaker(config.host, config.opcua_port, tags),
            GATEWAYS.utilities: lambda c: ModbusSpeaker(config.host, config.modbus_port, of(c)),
            GATEWAYS.chlorine: lambda c: national(c, HttpsCarrier(config.https_url, config.tls_ca)),
            GATEWAYS.drums: lambda c: national(c, TcpCarrier(config.host, config.tcp_port)),
            GATEWAYS.tennessee: sparkplug,
        }
        made: dict[str, Speaker] = {}
        for code, build in builders.items():
            try:
                made[code] = build(code)
            except KeyError:
                self._silent[code] = "没有该网关的凭据"
            except ValueError as error:
                self._silent[code] = f"凭据无效: {error}"
        return made

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = before = loop.time()
        while True:
            moment = loop.time()
            await self._turn(max(0.0, moment - before))
            before = moment
            # A turn that came late is made up for by its longer step, not by turns in a hurry.
            due = max(due + _PERIOD_S, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _turn(self, dt: float) -> None:
        now = self._config.clock()
        if dt > 0:
            self._theatre.step(dt)
            self._world.step(now, min(dt, 60.0))
        values = self._world.values()
        for code, speaker in self._speakers.items():
            try:
                await speaker.say(now, values)
            except Exception:  # noqa: BLE001  # one gateway in trouble is a scene of its own, not the end of the play
                _log.warning("simulated gateway %s could not speak", code, exc_info=True)


async def run(config: SimulatorConfig, ready: Callable[[Simulator], None] = lambda _: None) -> None:
    """Run the simulator until cancelled; ``ready`` gets it once it speaks."""
    simulator = Simulator(config)
    await simulator.start()
    try:
        ready(simulator)
        await asyncio.Event().wait()
    finally:
        await simulator.stop()
