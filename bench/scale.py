"""What a core of each engine carries when a node is scaled out, on real servers of this machine.

    python bench/scale.py [points]

CPU is of all processes of the engine in question together (replicas included), so a figure per core is one of the
cluster, not of one server. Everything runs on one machine: the network between machines is not in these figures.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

sys.path.append(str(Path(__file__).parents[1]))

from tests.clickhouse import LOGIN, clickhouse_cluster
from tests.log.support import Server
from tests.nats_cluster import nats_cluster
from tests.postgres import fresh_database
from tests.stream.support import facts, limits

from hazwatch.alarms.model import Transition
from hazwatch.alarms.service import AlarmDesk
from hazwatch.history import thinning
from hazwatch.history.cluster import ClusterAddress, ClusterStore, shards_of
from hazwatch.judge.judge import judge
from hazwatch.log.client import Log, LogConfig
from hazwatch.log.reader import LogReader
from hazwatch.log.shares import LIVE
from hazwatch.log.shelf import Shelf
from hazwatch.records import make_engine, make_sessions, migrate
from hazwatch.records.fence import guard, raise_fence
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame, encode
from hazwatch.stream import state
from hazwatch.vocabulary.levels import Level

NOON = 1_795_417_200_000


def servers_cpu(name: str) -> Callable[[], float]:
    """CPU seconds of our children of a name."""
    family = [p for p in psutil.Process().children(recursive=True) if name in " ".join(p.cmdline())]
    return lambda: sum(sum(p.cpu_times()[:2]) for p in family)


def own_cpu() -> float:
    return sum(psutil.Process().cpu_times()[:2])


def second(points: int, n: int, rng: np.random.Generator, changed: float = 1.0) -> SampleBatch:
    """One second of a nation."""
    some = np.flatnonzero(rng.random(points) < changed).astype(np.uint32)
    return SampleBatch.of(some, np.full(len(some), NOON + 1000 * n), np.round(rng.normal(5, 1, len(some)), 2))


def history(points: int, folder: Path) -> None:
    rng = np.random.default_rng(1)
    with clickhouse_cluster(folder) as cluster:
        store = ClusterStore.open(ClusterAddress(shards_of(cluster.url), *LOGIN), 90)
        empty = np.zeros(0, thinning.ROLLUP)
        blocks = [second(points, n, rng) for n in range(8)]
        store.insert(blocks[0], empty, "warm")
        cpu, own, began = servers_cpu("clickhouse-server"), own_cpu(), time.perf_counter()
        before = cpu()
        for n, block in enumerate(blocks[1:], 1):
            store.insert(block, empty, f"{n}")
        took, rows = time.perf_counter() - began, sum(map(len, blocks[1:]))
        ours = own_cpu() - own
        time.sleep(3.0)  # the second copies and first merges
        used = cpu() - before
        print(
            f"history, ClickHouse 18.16 2 shards × 2 replicas: {rows / took / 1e6:.2f} M rows/s here, "
            f"{used / rows * 1e6:.2f} CPU s a million rows in the servers (two copies), "
            f"{ours / rows * 1e6:.2f} in the engine"
        )
        store.close()


async def log(folder: Path) -> None:
    rng = np.random.default_rng(2)
    message = encode([Frame(Origin(k, 1, NOON), second(5_000, 1, rng)) for k in range(2)])
    single = Server(folder / "single")
    with nats_cluster(folder / "three") as three:
        r3 = await Log.connect(three.address, "bench")
        for name, connected, replicas in (("1 server", await single.log(), 1), ("3 servers, R3", r3, 3)):
            await connected.ensure_stream(LogConfig(1, 0.7, replicas))
            cpu = servers_cpu("nats-server")
            before, began, sent = cpu(), time.perf_counter(), 0
            while time.perf_counter() - began < 3.0:
                await asyncio.gather(*(connected.append(LIVE, message) for _ in range(8)))
                sent += 8
            took, used = time.perf_counter() - began, cpu() - before
            print(
                f"log, NATS {name}: {sent * 10_000 / took / 1e6:.1f} M samples/s in messages of 10,000, "
                f"{used / (sent * 1e4) * 1e6:.3f} CPU s a million in the servers"
            )
            reader, got = LogReader(connected, [LIVE], 0), 0
            began = time.perf_counter()
            batches = reader.batches()
            while got < min(sent, 600):
                got += len(await anext(batches))
            print(f"  read again: {got * 10_000 / (time.perf_counter() - began) / 1e6:.1f} M samples/s")
            await batches.aclose()
            await asyncio.sleep(0.1)
            await connected.close()
    single.kill()


def records() -> None:
    url = fresh_database()
    migrate(url)
    plain = make_sessions(make_engine(url))
    raise_fence(plain, "share.0", 1)
    fenced = make_sessions(make_engine(url), 0.0, guard("share.0", 1))
    for name, desk in (
        ("one engine", AlarmDesk(plain, facts)),
        ("one of several, fenced", AlarmDesk(fenced, facts, "alarms.0", lambda _: True)),
    ):
        own, began, alarms = own_cpu(), time.perf_counter(), 0
        for n in range(50):
            at = NOON + (n + 1) * 1000 + (0 if name == "one engine" else 500)
            point = range(40)
            found = [Transition(p, at, at, Level.NORMAL, Level.H, 8.5, 8.0, 1) for p in point]
            desk.apply(found, (n + 1, 0))
            found = [Transition(p, at + 1, at + 1, Level.H, Level.NORMAL, 5.0, 8.0, 1) for p in point]
            desk.apply(found, (n + 1, 0))
            alarms += 40
        took = time.perf_counter() - began
        print(
            f"records, PostgreSQL, {name}: {alarms / took:.0f} alarms/s with their return in transactions of 40, "
            f"{(own_cpu() - own) / alarms * 1e3:.2f} CPU ms an alarm in the engine"
        )


async def takeover(points: int, folder: Path) -> None:
    rng = np.random.default_rng(3)
    kept = state.StreamState.fresh()
    kept.limits = limits(points)
    kept.grow(points)
    for n in range(20):
        judge(kept.judge, kept.limits, second(points // 8, n, rng))
    single = Server(folder / "shelf")
    connected = await single.log()
    path = state.save(kept, folder / "mine")
    shelf = Shelf(connected, "snapshot.0", 1)
    began = time.perf_counter()
    await shelf.put(path)
    put, began = time.perf_counter() - began, time.perf_counter()
    await shelf.fetch(folder / "theirs")
    fetched, began = time.perf_counter() - began, time.perf_counter()
    state.load(folder / "theirs")
    loaded = time.perf_counter() - began
    size = (await (await connected.jetstream.object_store("HZ_SNAPSHOTS")).get_info("snapshot.0")).size or 0
    print(
        f"share with an eighth of {points} points: state {path.stat().st_size / points:.0f} bytes a point of all, "
        f"{path.stat().st_size / 1e6:.0f} MB, {size / 1e6:.0f} MB on the shelf; "
        f"put {put:.1f} s, fetch {fetched:.1f} s, load {loaded:.1f} s"
    )
    await connected.close()
    single.kill()


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 460_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(takeover(points, Path(folder)))
        asyncio.run(log(Path(folder)))
        records()
        history(points, Path(folder) / "history")


if __name__ == "__main__":
    main()
