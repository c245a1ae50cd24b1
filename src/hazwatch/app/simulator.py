"""The simulator process: the park in the box, and its control over the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson

from hazwatch.app.links import load_directory
from hazwatch.app.node import open_log, run_process, until_told
from hazwatch.app.tls import certificate
from hazwatch.identity.secrets import master_key
from hazwatch.log.client import Log, RpcError
from hazwatch.records.engine import make_engine, make_sessions
from hazwatch.settings import Settings
from hazwatch.simulator.main import Simulator, SimulatorConfig
from hazwatch.stream import wire


async def _serve(log: Log, simulator: Simulator) -> None:
    def answer(act: Callable[[dict[str, object]], object]) -> Callable[[bytes], Awaitable[bytes]]:
        async def handler(data: bytes) -> bytes:
            try:
                return orjson.dumps(act(orjson.loads(data or b"{}")))
            except KeyError as error:
                raise RpcError("unknown_scenario", f"没有场景 {error.args[0]}") from error
            except ValueError as error:
                raise RpcError("bad_params", str(error)) from error

        return handler

    await log.serve(wire.RPC_SCENARIOS, answer(lambda _: simulator.scenarios()))
    await log.serve(wire.RPC_SCENARIO_START, answer(lambda a: simulator.start_scenario(str(a["id"]), a.get("params"))))  # type: ignore[arg-type]  # checked by the simulator
    await log.serve(wire.RPC_SCENARIO_STOP, answer(lambda a: simulator.stop_scenario(str(a["id"]))))


async def _main(settings: Settings) -> None:
    log = await open_log(settings, "simulator")
    sessions = make_sessions(make_engine(settings.records))
    links = (await asyncio.to_thread(load_directory, sessions, master_key(settings.home))).links
    folder = settings.home / "simulator"
    folder.mkdir(parents=True, exist_ok=True)
    cert, _ = certificate(settings.home, settings.host)
    simulator = Simulator(
        SimulatorConfig(
            folder, {code: link.secret for code, link in links.items() if link.secret},
            opcua_port=settings.simulator_opcua_port, modbus_port=settings.simulator_modbus_port,
            https_url=f"https://localhost:{settings.national_https_port}", tcp_port=settings.national_tcp_port,
            mqtt_port=settings.mqtt_port, tls_ca=str(cert),
        )
    )  # fmt: skip
    await simulator.start()
    await _serve(log, simulator)
    try:
        await until_told(asyncio.Event().wait())
    finally:
        await simulator.stop()
        await log.close()


def main(settings: Settings) -> None:
    """Entry point of the child process."""
    run_process("simulator", lambda: _main(settings))
