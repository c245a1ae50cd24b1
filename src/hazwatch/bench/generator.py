"""The generator process: drives all synthetic gateways and keeps the ledger of what it sent.

Values are multiples of 1/16, so that sums of a billion of them are exact and the node's own ledger must agree to the
last digit. Every period a share of the points moves by 1/16; ``alarms`` points a second are pushed over 高 for some
seconds, each point once in a long time.

Speaks over stdin and stdout: one JSON line of orders in; ``ready`` and one JSON line of results out.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from hazwatch.bench.fleet import HIGH, LARGEST, fleet, spare
from hazwatch.bench.gateways import FramesGateway, SparkplugGateway, make
from hazwatch.identity.secrets import master_key, unseal
from hazwatch.records.engine import make_engine, make_sessions, reading
from hazwatch.registry.tables import Gateway as GatewayRow

_SLOT_S: Final = 0.004
_HOLD_S: Final = 5.0
#: A stride that is coprime to any number of points that people choose, so that alarms are spread over the nation.
_STRIDE: Final = 7919
WEIGHTS: Final = 1009
_LOW, _TOP, _STEP = 20.0, 60.0, 1 / 16
_ALARM_VALUE: Final = HIGH + 4


@dataclass(frozen=True, slots=True)
class Orders:
    """What the generator is to do.

    Attributes:
        home: folder of the node, whose registry has the gateways' keys.
        records: URL of the records.
        points, seed, largest: of the fleet.
        hz: how often each point is sent, per second.
        seconds: how long.
        warm_s: the first seconds, which do not count for times.
        alarms: pushed over 高, per second.
        change: share of points whose value moves in a period.
        frames_port, mqtt_port: where to connect.
        backfill: points of the gateway that takes no part, because it backfills; 0 = all take part.
        paced: False = as fast as the other side takes it.
    """

    home: str
    records: str
    points: int
    seed: int
    hz: float
    seconds: float
    warm_s: float
    alarms: float
    change: float
    frames_port: int
    mqtt_port: int
    largest: int = LARGEST
    backfill: int = 0
    paced: bool = True

    def line(self) -> bytes:
        """As one line of JSON."""
        return orjson.dumps(asdict(self)) + b"\n"


class Values:
    """The values of all points, period by period."""

    def __init__(self, points: int, orders: Orders) -> None:
        self._rng = np.random.default_rng(orders.seed)
        self._moving = int(points * orders.change)
        self._pushed = max(0, round(orders.alarms / orders.hz))
        self._hold = max(1, round(_HOLD_S * orders.hz))
        self._calm = _LOW + self._rng.integers(0, int((_TOP - _LOW) / _STEP), points) * _STEP
        self.now = self._calm.copy()
        self._period = self._pushes = 0
        self.raised = 0

    def advance(self, *, push: bool) -> None:
        """The next period."""
        points = len(self.now)
        at = self._rng.integers(0, points, self._moving)
        self._calm[at] += np.where(self._rng.random(self._moving) < 0.5, _STEP, -_STEP)  # noqa: PLR2004  # a coin
        np.clip(self._calm, _LOW, _TOP, out=self._calm)
        self.now[:] = self._calm
        self._period += 1
        if not push or not self._pushed:
            return
        self._pushes += 1
        for age in range(min(self._hold, self._pushes)):
            if self._period > age:
                self.now[self._points(self._period - age)] = _ALARM_VALUE
        self.raised += self._pushed

    def _points(self, period: int) -> NDArray[np.int64]:
        return (np.arange(self._pushed) + period * self._pushed) * _STRIDE % len(self.now)


class Generator:
    """All gateways, driven from one loop."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._members = fleet(orders.points, orders.seed, largest=orders.largest)
        self.took: list[float] = []
        self._late = self._began = 0.0
        self._epoch_ms = 0
        if orders.backfill:
            self._members.remove(spare(self._members, orders.backfill))
        secrets = self._secrets()
        self._gateways = [make(m, secrets[m.code], time.perf_counter, self.took) for m in self._members]
        self._values = Values(orders.points, orders)
        self._weights = np.arange(orders.points) % WEIGHTS + 1.0
        self.count = self.frames = 0
        self.total = self.weighted = 0.0

    def _secrets(self) -> dict[str, bytes]:
        key = master_key(Path(self._orders.home))
        with reading(make_sessions(make_engine(self._orders.records))) as session:
            rows = session.query(GatewayRow.code, GatewayRow.secret).all()
        return {code: unseal(key, secret, code) for code, secret in rows if secret}

    async def connect(self) -> None:
        """Connect everybody and wait until all are let in."""
        loop = asyncio.get_running_loop()
        gate = asyncio.Semaphore(100)

        async def one(gateway: Any) -> None:
            async with gate:
                if isinstance(gateway, FramesGateway):
                    await loop.create_connection(lambda: gateway, "127.0.0.1", self._orders.frames_port)
                else:
                    await loop.create_connection(lambda: gateway.connection, "127.0.0.1", self._orders.mqtt_port)

        await asyncio.gather(*(one(g) for g in self._gateways))
        async with asyncio.timeout(60):
            while not all(g.ready for g in self._gateways):  # noqa: ASYNC110  # two thousand flags
                await asyncio.sleep(0.05)

    async def run(self) -> None:
        """Send for as long as ordered."""
        orders = self._orders
        began = self._began = time.perf_counter()
        self._epoch_ms = time.time_ns() // 1_000_000
        period_s = 1.0 / orders.hz
        period = 0
        warm = False
        while time.perf_counter() - began < orders.seconds + orders.warm_s:
            start = began + period * period_s
            if not warm and start - began >= orders.warm_s:
                warm = True
                self.took.clear()
                self._late = 0.0
                _say("measuring")
            self._values.advance(push=warm)
            await self._period(start, period_s)
            period += 1
        await self._settle()

    async def _period(self, start: float, period_s: float) -> None:
        gateways, orders = self._gateways, self._orders
        due = 0
        while due < len(gateways):
            now = time.perf_counter()
            until = len(gateways)
            if orders.paced:
                until = min(until, int((now - start) / period_s * len(gateways)) + 1)
            if due < until:
                self._late = max(self._late, now - start - due / len(gateways) * period_s)
            late_ms = (time.perf_counter() - start) * 1000
            for gateway in gateways[due : min(until, due + 200)]:
                # A scan cycle is regular: what was measured at its moment bears that moment, however late it is sent.
                planned = due / len(gateways) * period_s * 1000 if orders.paced else late_ms
                self._send(gateway, int(self._epoch_ms + (start - self._began) * 1000 + planned))
                due += 1
            await asyncio.sleep(_SLOT_S if orders.paced and due >= until else 0)

    def _send(self, gateway: Any, stamp: int) -> None:
        member = gateway.member
        mine = slice(member.first, member.first + member.points)
        values = self._values.now[mine]
        gateway.send(stamp, values)
        self.count += member.points
        self.frames += 1
        self.total += float(values.sum())
        self.weighted += float(values @ self._weights[mine])

    async def _settle(self) -> None:
        """Wait for what is not acknowledged."""
        deadline = time.perf_counter() + 60
        while any(g.waiting for g in self._gateways) and time.perf_counter() < deadline:  # noqa: ASYNC110  # same
            await asyncio.sleep(0.05)

    async def idle(self) -> None:
        """Signs of life on connections that need them."""
        while True:
            await asyncio.sleep(20)
            for gateway in self._gateways:
                gateway.idle()

    def results(self, seconds: float) -> dict[str, Any]:
        """What was sent, and how it went."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        took = np.array(self.took or [0.0]) * 1000
        p50, p99 = np.percentile(took, [50, 99])
        frames = [g for g in self._gateways if isinstance(g, FramesGateway)]
        return {
            "samples": self.count, "frames": self.frames, "total": self.total, "weighted": self.weighted,
            "raised": self._values.raised, "seconds": seconds, "gateways": len(self._gateways),
            "sparkplug_gateways": sum(isinstance(g, SparkplugGateway) for g in self._gateways),
            "cpu_s": used.ru_utime + used.ru_stime, "rss_mib": used.ru_maxrss / 1024,
            "ack_ms": {"p50": float(p50), "p99": float(p99), "max": float(took.max())},
            "late_ms": self._late * 1000, "refused": sum(g.refused for g in frames),
            "unacknowledged": sum(g.waiting for g in frames),
        }  # fmt: skip


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _main(orders: Orders) -> None:
    generator = Generator(orders)
    await generator.connect()
    _say("ready")
    alive = asyncio.create_task(generator.idle())
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    await generator.run()
    alive.cancel()
    results = generator.results(time.perf_counter() - began)
    results["cpu_s"] -= before.ru_utime + before.ru_stime
    _say(orjson.dumps(results).decode())


if __name__ == "__main__":
    asyncio.run(_main(Orders(**orjson.loads(sys.stdin.buffer.readline()))))
