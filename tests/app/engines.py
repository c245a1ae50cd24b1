"""Engine processes of several machines, and gateways that write to the log as access would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from hazwatch.app.node import clock
from hazwatch.app.prepare import prepare
from hazwatch.identity.model import SYSTEM
from hazwatch.identity.secrets import master_key
from hazwatch.log.client import Log
from hazwatch.log.shares import share_of
from hazwatch.records import Sessions, make_engine, make_sessions, reading
from hazwatch.registry import facts as registry_facts
from hazwatch.registry import model as rows
from hazwatch.registry import service as registry
from hazwatch.registry.desk import RegistryDesk
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame, encode
from hazwatch.settings import Settings
from hazwatch.stream import wire
from hazwatch.vocabulary.lanes import Lane

POINTS_EACH = 3


def enterprises(count: int) -> rows.Description:
    """So many enterprises with one tank, one gateway and three level points each: 低 1, 高 8, 高高 9 of 0…10 m."""
    codes = [f"4109000{n:02d}" for n in range(1, count + 1)]
    return rows.Description(
        enterprises=tuple(rows.EnterpriseRow(c, f"企业{c[-2:]}", "410900", lon=115.0, lat=35.8) for c in codes),
        sources=tuple(rows.SourceRow(f"{c}001", "罐区", "储罐区", 3, 20.0, lon=115.0, lat=35.8) for c in codes),
        equipment=tuple(rows.EquipmentRow(f"{c}001G0001", "储罐") for c in codes),
        gateways=tuple(rows.GatewayRow(f"{c}01", "网关", "national") for c in codes),
        points=tuple(
            rows.PointRow(
                f"{c}001G0001YW{n:03d}", f"液位{n}", f"{c}01", unit="m", range_low=0.0, range_high=10.0, ll=None,
                l=1.0, h=8.0, hh=9.0, deadband=0.0, on_delay_s=0.0, off_delay_s=0.0,
            )
            for c in codes for n in range(1, POINTS_EACH + 1)
        ),
    )  # fmt: skip


@dataclass
class EngineProcess:
    """``serve engine`` of one machine."""

    settings: Settings
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        values = self.settings.model_dump(mode="json")
        environment = {f"HAZWATCH_{name.upper()}": str(value) for name, value in values.items()}
        self.settings.home.mkdir(parents=True, exist_ok=True)
        with (self.settings.home / "engine.log").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hazwatch", "serve", "engine"], env={**os.environ, **environment}, stdout=out,
                stderr=out,
            )  # fmt: skip

    def kill(self) -> None:
        """``kill -9``."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def keep_running(self) -> None:
        """Start it again when it has ended, as the supervisor does."""
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def said(self) -> str:
        return (self.settings.home / "engine.log").read_text(errors="replace")[-6000:]


@contextlib.contextmanager
def engine_processes(machines: list[Settings]) -> Iterator[list[EngineProcess]]:
    """Engines on some machines."""
    running = [EngineProcess(settings) for settings in machines]
    try:
        for one in running:
            one.start()
        yield running
    except BaseException:
        for one in running:
            sys.stderr.write(f"--- {one.settings.home}\n{one.said()}\n")
        raise
    finally:
        for one in running:
            one.stop()


def seeded(settings: Settings, description: rows.Description) -> Sessions:
    """The records with a registry in them."""
    sessions = prepare(settings, lambda _: None)
    registry.seed(RegistryDesk(sessions, clock, master_key(settings.home)), SYSTEM, description, "test")
    return make_sessions(make_engine(settings.records), 60.0)


def value_at(n: int) -> float:
    """A saw tooth: up over 高高 and back every 20 s of event time, so that every 20 reports make one excursion."""
    return 9.5 if n % 20 >= 15 else 5.0 + n % 7 / 10


@dataclass
class Field:
    """Gateways of all enterprises; each sends one report a second of event time, as fast as the log takes them."""

    log: Log
    sessions: Sessions
    shares: int = 1
    pause_s: float = 0.01
    start: int = field(default_factory=lambda: clock() // 1000 * 1000 - 4 * 3_600_000)
    sent: dict[str, int] = field(default_factory=dict)
    points: dict[str, list[int]] = field(default_factory=dict)
    stopped: bool = False

    def __post_init__(self) -> None:
        with reading(self.sessions) as session:
            for point in registry_facts.Points.read(session):
                self.points.setdefault(point.enterprise, []).append(point.index)

    async def run(self) -> None:
        await asyncio.gather(*(self._send(enterprise, n) for n, enterprise in enumerate(self.points, 1)))

    async def _send(self, enterprise: str, gateway: int) -> None:
        subject = share_of(enterprise, self.shares).lane(Lane.LIVE)
        index = self.points[enterprise]
        n = 0
        while not self.stopped:
            batch = SampleBatch.of(index, [self.start + n * 1000] * len(index), [value_at(n)] * len(index))
            await self.log.append(subject, encode([Frame(Origin(gateway, n, clock()), batch)]))
            n += 1
            self.sent[enterprise] = n
            await asyncio.sleep(self.pause_s)

    def excursions(self) -> dict[int, list[int]]:
        """Begin of every excursion by point: what the alarm records must show, no more and no less."""
        return {
            point: [self.start + k * 1000 for k in range(15, self.sent[enterprise], 20)]
            for enterprise, index in self.points.items() for point in index
        }  # fmt: skip

    def kept(self) -> dict[int, list[int]]:
        """Times of the samples that the history must hold by point: those that change the value."""
        return {
            point: [
                self.start + k * 1000
                for k in range(self.sent[enterprise])
                if k == 0 or value_at(k) != value_at(k - 1)
            ]
            for enterprise, index in self.points.items() for point in index
        }  # fmt: skip


@dataclass
class Beats:
    """What the engines say of themselves."""

    newest: dict[int, dict[str, Any]] = field(default_factory=dict)
    at: dict[int, float] = field(default_factory=dict)

    async def listen(self, log: Log) -> None:
        async def heard(data: bytes) -> None:
            beat = orjson.loads(data)
            self.newest[beat["share"]] = beat
            self.at[beat["share"]] = time.monotonic()

        await log.listen(wire.SUBJECT_BEAT, heard)

    async def ready(self, shares: int, patience_s: float = 60.0, since: float = 0.0) -> None:
        """Until the engine of every share has caught up, and was heard of after ``since``."""
        async with asyncio.timeout(patience_s):
            while not all(  # noqa: ASYNC110  # a state to watch
                self.newest.get(n, {}).get("ready") and self.at[n] > since and not self.newest[n]["backlog"]["live"]
                for n in range(shares)
            ):
                await asyncio.sleep(0.05)


def same(found: dict[int, list[int]], wanted: dict[int, list[int]]) -> tuple[int, int]:
    """How many are lost and how many stand twice or without reason."""
    lost = sum(len(np.setdiff1d(times, found.get(point, []))) for point, times in wanted.items())
    total = sum(map(len, found.values()))
    return lost, total - (sum(map(len, wanted.values())) - lost)
