"""``hazwatch bench stream``: a whole node under the load of a nation, with everything counted.

The node runs as a user runs it; the generator is a process of its own, checked against a no-op sink first. Times are
taken from outside: an alarm's latency ends when this process hears it from the node's live subject, which is after its
record is durable. At the end the node's ledger (samples, sum, weighted sum, from the store and the running minute) must
equal the generator's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson

from hazwatch.alarms.model import KIND_PROCESS
from hazwatch.app.node import clock, open_log
from hazwatch.bench import ledger
from hazwatch.bench.backfill import backfill
from hazwatch.bench.fleet import LARGEST, Member, fleet, spare
from hazwatch.bench.generator import Orders
from hazwatch.bench.pages import Pages
from hazwatch.bench.procs import Meter
from hazwatch.bench.seed import seed
from hazwatch.identity.secrets import master_key, unseal
from hazwatch.log.client import Log, RpcError
from hazwatch.log.shares import Share, share_of
from hazwatch.records.engine import make_engine, make_sessions, reading
from hazwatch.registry.tables import Gateway as GatewayRow
from hazwatch.settings import Settings
from hazwatch.stream import wire
from hazwatch.vocabulary.moments import parse

_PORTS = (
    "port", "log_port", "mqtt_port", "national_https_port", "national_tcp_port", "frames_port",
    "simulator_opcua_port", "simulator_modbus_port",
)  # fmt: skip
_ACKNOWLEDGE_EVERY_S = 5.0
_SINK_S = 4.0
#: An engine that is no further behind has caught up.
_LEVEL_MS = 500
#: A day that was backfilled takes a while to be judged.
_PATIENCE_S = 600.0
#: More shares than workers, so that what one leaves is dealt out evenly (docs/scale.md).
_SHARES_EACH = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured; see the options of the command."""

    home: Path
    points: int
    hz: float = 1.0
    seconds: float = 60.0
    warm_s: float = 20.0
    alarms: float = 200.0
    change: float = 0.3
    seed: int = 1
    largest: int = LARGEST
    clients: int = 0
    backfill: int = 0
    workers: int = 1
    kill_s: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)


def measure(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Run a plan; returns the report (docs/performance.md says what each figure means)."""
    return asyncio.run(_measure(plan, say))


async def _measure(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    settings = Settings(
        **{"home": plan.home, "simulator": False, "log_gib": 4.0, **ports, **_shared(plan.workers), **plan.settings}
    )
    members = fleet(plan.points, plan.seed, largest=plan.largest)
    seed(settings, members, say)
    orders = Orders(
        str(settings.home), settings.records, plan.points, plan.seed, plan.hz, plan.seconds, plan.warm_s, plan.alarms,
        plan.change, settings.frames_port, settings.mqtt_port, plan.largest, plan.backfill,
    )  # fmt: skip
    say("发生器对空接收端……")
    sink = await _against_sink(orders)
    say(f"空接收端:{sink['rate'] / 1e6:.2f} M 样本/秒,{sink['cores']:.2f} 核")
    async with _node(settings, say) as (node, began_s):
        log = await open_log(settings, "bench")
        watch = _Watch(log, settings.shares)
        before = await ledger.read(log, settings.shares)
        await watch.begin()
        say(f"发送 {plan.points} 个指标,{plan.hz:g} Hz,{plan.warm_s:g}+{plan.seconds:g} 秒……")
        meter = Meter(node.pid)
        pages = Pages(settings, members, plan.clients) if plan.clients else None
        if pages:
            await pages.open()
        filling = asyncio.create_task(_backfilled(plan, settings, members, say)) if plan.backfill else None
        killing = asyncio.create_task(_killed(plan, meter, watch, say)) if plan.kill_s else None
        sent = await _drive(orders, meter, watch, say, pages)
        if killing:
            killing.cancel()
        used, elapsed, share = meter.used(), sent["measured_s"], meter.share()
        filled = await filling if filling else None
        caught_s = await _caught_up(watch)
        after = await ledger.read(log, settings.shares)
        report = _report(plan, sink, sent, used, elapsed, meter, watch)
        if pages:
            report["pages"] = pages.report(elapsed)
            pages.close()
        report["node_start_s"], report["caught_up_s"] = round(began_s, 2), round(caught_s, 2)
        report["pss_mib"], report["pss_total_mib"] = {k: round(v) for k, v in share.items()}, round(sum(share.values()))
        if watch.killed_at:
            report["killed"] = {"judged_again_s": watch.judged_again_s, "level_again_s": watch.level_again_s}
        if filled:
            report["backfill"] = filled | {"found_late": len(watch.late)}
        report["ledger"] = ledger.compare([sent, *([filled] if filled else [])], before, after)
        await log.close()
    report["disk"] = ledger.disk(after["samples"], after["tables"])
    return report


def _shared(workers: int) -> dict[str, Any]:
    """Settings of a node whose enterprises are dealt out over engines that take over from each other."""
    if workers == 1:
        return {}
    return {"shares": workers * _SHARES_EACH, "processes": ",".join(["engine"] * workers + ["access", "web"])}


def free_ports(n: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which a child has these settings."""
    given = {f"HAZWATCH_{k.upper()}": str(v) for k, v in settings.model_dump(mode="json").items()}
    return {**os.environ, **given}


@contextlib.asynccontextmanager
async def _node(settings: Settings, say: Callable[[str], None]) -> AsyncIterator[tuple[subprocess.Popen[bytes], float]]:
    began = time.monotonic()
    node = subprocess.Popen(  # noqa: ASYNC220  # starting takes no time, and its end is waited for below
        [sys.executable, "-m", "hazwatch", "run"], env=environment(settings), stdout=subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/healthz", timeout=2.0)).status_code == httpx.codes.OK:
                        break
                if node.poll() is not None or time.monotonic() - began > 120:  # noqa: PLR2004  # two minutes
                    raise RuntimeError(f"节点没有启动,见 {settings.home / 'logs'}")
                await asyncio.sleep(0.1)
        took = time.monotonic() - began
        say(f"节点就绪,用时 {took:.1f} 秒")
        yield node, took
    finally:
        node.send_signal(signal.SIGTERM)
        try:
            node.wait(60)
        except subprocess.TimeoutExpired:
            node.kill()
            node.wait()


async def _against_sink(orders: Orders) -> dict[str, float]:
    """What the generator does against a sink that throws everything away, unpaced."""
    sink = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hazwatch.bench.sink", stdout=asyncio.subprocess.PIPE
    )
    assert sink.stdout is not None  # noqa: S101  # asked for a pipe
    frames_port, mqtt_port = map(int, (await sink.stdout.readline()).split())
    changed = {"frames_port": frames_port, "mqtt_port": mqtt_port, "seconds": _SINK_S, "warm_s": 1.0, "paced": False}
    try:
        *_, last = [line async for line in _lines(Orders(**{**asdict(orders), **changed}))]
    finally:
        sink.kill()
        await sink.wait()
    result = orjson.loads(last)
    return {"rate": result["samples"] / result["seconds"], "cores": result["cpu_s"] / result["seconds"]}


async def _lines(orders: Orders) -> AsyncIterator[bytes]:
    """What a generator process says."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hazwatch.bench.generator", stdin=pipe, stdout=pipe
    )
    assert process.stdin is not None  # noqa: S101  # asked for pipes
    assert process.stdout is not None  # noqa: S101  # same
    process.stdin.write(orders.line())
    try:
        async for line in process.stdout:
            yield line.strip()
        if await process.wait():
            raise RuntimeError("发生器失败")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _drive(
    orders: Orders, meter: Meter, watch: _Watch, say: Callable[[str], None], pages: Pages | None
) -> dict[str, Any]:
    """Let the generator run, and look at the node while it does."""
    began = time.monotonic()
    looking = asyncio.create_task(_look(meter, watch))
    last = b""
    try:
        async for line in _lines(orders):
            if line == b"measuring":
                meter.begin()
                watch.count = True
                if pages:
                    pages.begin()
                began = time.monotonic()
            last = line
    finally:
        looking.cancel()
    watch.count = False
    sent: dict[str, Any] = orjson.loads(last)
    sent["measured_s"] = time.monotonic() - began
    say("发送完毕")
    return sent


async def _killed(plan: Plan, meter: Meter, watch: _Watch, say: Callable[[str], None]) -> None:
    """In the midst of the load, take the engine away as a power cut would."""
    while not watch.count:  # noqa: ASYNC110  # the generator says when the load is on
        await asyncio.sleep(0.05)
    await asyncio.sleep(plan.kill_s)
    watch.killed_at = clock()
    for pid in meter.pids("engine"):
        os.kill(pid, signal.SIGKILL)
    say("判警进程已强制终止")


async def _look(meter: Meter, watch: _Watch) -> None:
    acknowledged = time.monotonic()
    while True:
        meter.look()
        if time.monotonic() - acknowledged > _ACKNOWLEDGE_EVERY_S:
            acknowledged = time.monotonic()
            with contextlib.suppress(RpcError):  # an engine that is not there now
                await watch.acknowledge()
        await asyncio.sleep(1.0)


class _Watch:
    """Hears what the node tells: alarms, and how far the engine is. Plays the operator."""

    def __init__(self, log: Log, shares: int) -> None:
        self._log = log
        self._shares = shares
        self.count = False
        self.took: list[int] = []
        self.late: set[str] = set()
        self.alarms = 0
        self.beats: dict[int, dict[str, Any]] = {}
        self.lag: list[int] = []
        #: When the engine was killed; from then to the first alarm that began later, and to no backlog, seconds.
        self.killed_at = 0
        self.judged_again_s: float | None = None
        self.level_again_s: float | None = None
        self._open: list[tuple[str, str]] = []
        self._heard: set[str] = set()

    async def begin(self) -> None:
        """Listen."""
        await self._log.listen(wire.SUBJECT_ALARMS, self._alarms)
        await self._log.listen(wire.SUBJECT_BEAT, self._beat)

    async def _alarms(self, data: bytes) -> None:
        now = clock()
        for told in orjson.loads(data):
            alarm = told["alarm"]
            if alarm["kind"] != KIND_PROCESS:
                continue  # what is said of a point's quality follows the tick, two seconds behind
            if alarm["found_late"]:
                self.late.add(alarm["id"])
            elif alarm["returned_at"] is None and alarm["acknowledged_at"] is None:
                if alarm["id"] in self._heard:
                    continue
                self._heard.add(alarm["id"])
                if self.killed_at and self.judged_again_s is None and parse(alarm["event_time"]) > self.killed_at:
                    self.judged_again_s = (now - self.killed_at) / 1000
                self._open.append((alarm["id"], alarm["enterprise"]))
                self.alarms += self.count
                if self.count:
                    self.took.append(now - parse(alarm["event_time"]))

    async def _beat(self, data: bytes) -> None:
        beat = orjson.loads(data)
        self.beats[beat["share"]] = beat
        if self.judged_again_s is not None and self.level_again_s is None and beat["lag_ms"] < _LEVEL_MS:
            self.level_again_s = (clock() - self.killed_at) / 1000
        if self.count:
            self.lag.append(beat["lag_ms"])

    def figure(self, name: str) -> int:
        """A counter of all engines together."""
        return sum(beat[name] for beat in self.beats.values())

    @property
    def idle(self) -> bool:
        """Whether every engine says that nothing waits."""
        quiet = [sum(beat["backlog"].values()) <= 1 and not beat["owed"] for beat in self.beats.values()]
        return len(quiet) == self._shares and all(quiet)

    async def acknowledge(self) -> None:
        """An operator acknowledges everything that came."""
        mine, self._open = self._open, []
        dealt: dict[Share, list[str]] = defaultdict(list)
        for alarm, enterprise in mine:
            dealt[share_of(enterprise, self._shares)].append(alarm)
        for share, alarms in dealt.items():
            for start in range(0, len(alarms), 2000):
                ids = alarms[start : start + 2000]
                asked = {"do": "acknowledge", "ids": ids, "who": "bench", "note": "压测", "at": clock()}
                await self._log.ask(share.named(wire.RPC_ALARM), orjson.dumps(asked), timeout_s=30.0)


async def _caught_up(watch: _Watch) -> float:
    """Wait until the engine has judged everything; seconds it took."""
    began = time.monotonic()
    samples = -1
    while time.monotonic() - began < _PATIENCE_S:
        await asyncio.sleep(1.2)
        if watch.figure("samples") == samples and watch.idle:
            break
        samples = watch.figure("samples")
    return time.monotonic() - began


async def _backfilled(
    plan: Plan, settings: Settings, members: list[Member], say: Callable[[str], None]
) -> dict[str, Any]:
    """Begin when the load is on; the day is that of the last gateway for raw frames that is large enough.

    Its own connection is taken over by the one that backfills, so the gateway is not part of the load (see ``spare``).
    """
    await asyncio.sleep(plan.warm_s)
    member = spare(members, plan.backfill)
    with reading(make_sessions(make_engine(settings.records))) as session:
        sealed = session.query(GatewayRow.secret).filter_by(code=member.code).scalar()
    secret = unseal(master_key(settings.home), sealed, member.code)
    began = time.monotonic()
    done = await backfill(member, plan.backfill, secret, settings.frames_port, clock(), say)
    return done | {"began_at": began}


def _report(
    plan: Plan, sink: dict[str, float], sent: dict[str, Any], used: dict[str, float], elapsed: float, meter: Meter,
    watch: _Watch,
) -> dict[str, Any]:  # fmt: skip
    took = np.array(watch.took or [0])
    p50, p99 = np.percentile(took, [50, 99])
    return {
        "points": plan.points, "workers": plan.workers, "hz": plan.hz,
        "seconds": round(elapsed, 1), "gateways": sent["gateways"],
        "samples": sent["samples"], "samples_per_s": round(sent["samples"] / sent["seconds"]),
        "sink": {"samples_per_s": round(sink["rate"]), "cores": round(sink["cores"], 3)},
        "generator": {
            "cores": round(sent["cpu_s"] / sent["seconds"], 3), "rss_mib": round(sent["rss_mib"]),
            "late_ms": round(sent["late_ms"], 1), "ack_ms": {k: round(v, 1) for k, v in sent["ack_ms"].items()},
            "refused": sent["refused"], "unacknowledged": sent["unacknowledged"],
        },
        "cores": {k: round(v / elapsed, 3) for k, v in used.items()},
        "cores_total": round(sum(used.values()) / elapsed, 3),
        "rss_mib": {k: round(v) for k, v in meter.top_mib.items()}, "rss_total_mib": round(sum(meter.top_mib.values())),
        "alarm_ms": {"count": watch.alarms, "p50": float(p50), "p99": float(p99), "max": int(took.max())},
        "alarms_raised": sent["raised"], "lag_ms_max": max(watch.lag, default=0),
        "engines": [watch.beats[share] for share in sorted(watch.beats)],
    }  # fmt: skip
