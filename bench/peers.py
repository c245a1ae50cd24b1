"""The same work beside its peers, one after the other on this machine: N points at 1 Hz, some of them over a limit.

    python bench/peers.py [points,points,...] [seconds]

Each peer climbs the steps until it takes less than it is given (``saturated``; what it then took, with its processor
time and with that of the load beside it, says whose end it was).

Prometheus with Alertmanager scrapes; VictoriaMetrics and InfluxDB take line protocol; PostgreSQL takes the two
statements with which ThingsBoard writes (a row of history, and an upsert of the latest value). Each runs as its
package comes, in a folder of its own, on loopback; one that is not installed is named and left out. FUXA polls us.
What each did not do (judge, acknowledge after durable, keep what a gateway sends again apart) stands in
docs/performance.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from hazwatch.bench.procs import children, cpu_s, rss_mib
from hazwatch.bench.stream import Plan, free_ports, measure

GATEWAYS = 20
CHANGE, ALARMS = 0.3, 20
WARM_S = 5
#: As long as those of the node's own generator.
STANDS_S = 5
#: A peer that takes less than this share of what it is given is saturated: no larger step for it.
ENOUGH = 0.97
FUXA = Path(__file__).parents[1] / ".setup/fuxa/node_modules/@frangoteam/fuxa"
_ROWS = "SELECT * FROM unnest(%s::int[], %s::bigint[], %s::float8[])"
_HISTORY = f"INSERT INTO ts_kv {_ROWS} ON CONFLICT (key, ts) DO UPDATE SET v = EXCLUDED.v"
_LATEST = f"INSERT INTO ts_kv_latest {_ROWS} ON CONFLICT (key) DO UPDATE SET ts = EXCLUDED.ts, v = EXCLUDED.v"


class Load:
    """Values as the node's own generator makes them: three in ten move, twenty a second go over the limit."""

    def __init__(self, points: int) -> None:
        self._rng = np.random.default_rng(1)
        self.values = 20.0 + self._rng.integers(0, 640, points) / 16
        self.second = 0
        self.pushed: dict[int, float] = {}
        self._standing: list[list[int]] = []
        #: Cores that making and sending the values took, of this process.
        self.cores = 0.0

    def advance(self) -> None:
        n = len(self.values)
        at = self._rng.integers(0, n, int(n * CHANGE))
        self.values[at] += np.where(self._rng.random(len(at)) < 0.5, 1 / 16, -1 / 16)
        np.clip(self.values, 10, 70, out=self.values)
        self.second += 1
        pushed = [(self.second * ALARMS + k) * 7919 % n for k in range(ALARMS)]
        self._standing = [pushed, *self._standing[: STANDS_S - 1]]
        for points in self._standing:
            self.values[points] = 85.0
        for point in pushed:
            self.pushed.setdefault(point, time.time())

    def parts(self) -> list[range]:
        edges = np.linspace(0, len(self.values), GATEWAYS + 1).astype(int)
        return [range(a, b) for a, b in pairwise(edges)]


class Server:
    """A server process with its folder; CPU and memory of it and its children."""

    def __init__(self, folder: Path, command: list[str], *, user: str | None = None) -> None:
        self.folder = folder
        if user:
            shutil.chown(folder, user, user)
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=(folder / "stderr").open("wb"), user=user,
        )  # fmt: skip
        self.top = 0.0

    def cpu(self) -> float:
        return sum(cpu_s(pid) for pid in children(self.process.pid))

    def look(self) -> None:
        self.top = max(self.top, sum(rss_mib(pid) for pid in children(self.process.pid)))

    def disk(self) -> float:
        return sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file()) / 1024**2

    def stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()


def row(
    name: str, load: Load, seconds: float, samples: float, servers: list[Server], before: float, alarm: str
) -> dict:
    return {
        "name": name, "points": len(load.values), "samples_per_s": round(samples / seconds),
        "share": round(samples / seconds / len(load.values), 3), "load_cores": round(load.cores, 2),
        "cores": round((sum(s.cpu() for s in servers) - before) / seconds, 3),
        "rss_mib": round(sum(s.top for s in servers)),
        "disk_mib": round(sum(s.disk() for s in servers), 1),
        "alarm": alarm,
    }  # fmt: skip


async def paced(
    seconds: int, load: Load, send: Callable[[range], object], servers: list[Server]
) -> tuple[float, float]:
    """Send every part at its moment of each second; (seconds, CPU at the begin of the measured part)."""
    began = time.monotonic()
    before = 0.0
    for second in range(WARM_S + seconds):
        if second == WARM_S:
            before = sum(s.cpu() for s in servers)
            began_measured, own = time.monotonic(), time.process_time()
        load.advance()
        for k, part in enumerate(load.parts()):
            await asyncio.sleep(max(0.0, began + second + k / GATEWAYS - time.monotonic()))
            await send(part)
        for server in servers:
            server.look()
    elapsed = time.monotonic() - began_measured
    load.cores = (time.process_time() - own) / elapsed
    return elapsed, before


async def _up(url: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code < 500:
                    return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def _lines(load: Load, part: range, stamp: str) -> bytes:
    values = load.values[part.start : part.stop].tolist()
    return "\n".join(f"point,id=p{i} v={v}{stamp}" for i, v in zip(part, values, strict=True)).encode()


async def victoria(points: int, seconds: int, folder: Path) -> dict:
    (port,) = free_ports(1)
    server = Server(
        folder, ["victoria-metrics", f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={folder / 'data'}"]
    )
    try:
        return await _line_protocol("VictoriaMetrics", points, seconds, server, f"http://127.0.0.1:{port}", "/write")
    finally:
        server.stop()


async def influx(points: int, seconds: int, folder: Path) -> dict:
    port, rpc = free_ports(2)
    (folder / "influx.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n[meta]\n  dir = "{folder}/meta"\n'
        f'[data]\n  dir = "{folder}/data"\n  wal-dir = "{folder}/wal"\n  max-series-per-database = 0\n'
        f'[http]\n  bind-address = "127.0.0.1:{port}"\n  log-enabled = false\n'
    )
    server = Server(folder, ["influxd", "-config", str(folder / "influx.conf")])
    url = f"http://127.0.0.1:{port}"
    try:
        await _up(f"{url}/ping")
        httpx.post(f"{url}/query", params={"q": "CREATE DATABASE hz"})
        return await _line_protocol("InfluxDB", points, seconds, server, url, "/write?db=hz")
    finally:
        server.stop()


async def _line_protocol(name: str, points: int, seconds: int, server: Server, url: str, path: str) -> dict:
    await _up(f"{url}/ping")
    load, taken = Load(points), 0
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def send(part: range) -> None:
            nonlocal taken
            answer = await client.post(path, content=_lines(load, part, f" {time.time_ns()}"))
            if answer.is_success and load.second > WARM_S:
                taken += len(part)

        elapsed, before = await paced(seconds, load, send, [server])
    return row(name, load, elapsed, taken, [server], before, "no judging in the package")


async def prometheus(points: int, seconds: int, folder: Path) -> dict:
    port, alert_port, page_port = free_ports(3)
    load, heard = Load(points), []

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves the values to be scraped, and takes what Alertmanager notifies."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = b""
        if head.startswith("POST"):
            size = int(next(x for x in head.split("\r\n") if x.lower().startswith("content-length")).split(":")[1])
            now = time.time()
            for alert in json.loads(await reader.readexactly(size))["alerts"]:
                began = load.pushed.pop(int(alert["labels"]["id"][1:]), None)
                if alert["status"] == "firing" and began:
                    heard.append(now - began)
        else:
            part = load.parts()[int(head.split()[1].rpartition("/")[2])]
            values = load.values[part.start : part.stop].tolist()
            body = "".join(f'point{{id="p{i}"}} {v}\n' for i, v in zip(part, values, strict=True)).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    web = await asyncio.start_server(page, "127.0.0.1", page_port)
    jobs = "".join(
        f"- job_name: g{k}\n  metrics_path: /m/{k}\n  static_configs: [{{targets: ['127.0.0.1:{page_port}']}}]\n"
        for k in range(GATEWAYS)
    )
    (folder / "rules.yml").write_text(
        "groups:\n- name: limits\n  interval: 1s\n  rules:\n  - alert: High\n    expr: point >= 80\n"
    )
    (folder / "p.yml").write_text(
        f"global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n"
        f"rule_files: [{folder}/rules.yml]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alert_port}']}}]}}]}}\n"
        f"scrape_configs:\n{jobs}"
    )
    (folder / "a.yml").write_text(
        f"route: {{receiver: page, group_wait: 0s, group_interval: 1s, group_by: [id]}}\nreceivers:\n- name: page\n"
        f"  webhook_configs: [{{url: 'http://127.0.0.1:{page_port}/alert', send_resolved: false}}]\n"
    )
    (folder / "am").mkdir()
    servers = [
        Server(
            folder / "am",
            ["prometheus-alertmanager", f"--config.file={folder / 'a.yml'}", f"--storage.path={folder / 'am'}",
             f"--web.listen-address=127.0.0.1:{alert_port}", "--cluster.listen-address="],
        ),
        Server(
            folder,
            ["prometheus", f"--config.file={folder / 'p.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}"],
        ),
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _up(f"{url}/-/ready")

        async def nothing(_: range) -> None:
            await asyncio.sleep(0)

        async def appended() -> float:
            async with httpx.AsyncClient() as client:
                text = (await client.get(f"{url}/metrics")).text
            return sum(
                float(x.split()[1])
                for x in text.splitlines()
                if x.startswith("prometheus_tsdb_head_samples_appended_total")
            )

        await asyncio.sleep(WARM_S)
        start = await appended()
        began, cpu = time.monotonic(), sum(s.cpu() for s in servers)
        await paced(seconds - WARM_S, load, nothing, servers)
        elapsed = time.monotonic() - began
        taken = await appended() - start
        p = np.percentile(heard, [50, 99]) * 1000 if heard else [0, 0]
        return row(
            "Prometheus + Alertmanager", load, elapsed, taken, servers, cpu,
            f"{len(heard)} notified, p50 {p[0]:.0f} ms, p99 {p[1]:.0f} ms",
        )  # fmt: skip
    finally:
        web.close()
        for server in servers:
            server.stop()


async def fuxa(points: int, seconds: int, folder: Path) -> dict:
    """FUXA polls devices of its kind "web API", one for each gateway, and judges and stores what changed."""
    port, page_port = free_ports(2)
    load, polled, seen = Load(points), 0, {}

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal polled
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        part = load.parts()[int(head.split()[1].rpartition("/")[2])]
        values = load.values[part.start : part.stop].tolist()
        body = json.dumps({f"p{i}": v for i, v in zip(part, values, strict=True)}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()
        polled += len(part)

    web = await asyncio.start_server(page, "127.0.0.1", page_port)
    server = Server(folder, ["node", str(FUXA / "main.js"), "--port", str(port), "--userDir", str(folder)])
    url = f"http://127.0.0.1:{port}"
    try:
        await _up(url)
        await asyncio.sleep(3.0)  # a project that comes while it starts leaves its alarms asleep
        async with httpx.AsyncClient(timeout=120) as client:
            given = await client.post(f"{url}/api/project", json=_fuxa_project(load, page_port))
        given.raise_for_status()
        # A new project starts all devices anew; large ones take a while.
        for _ in range(600):
            if polled >= points:
                break
            await asyncio.sleep(0.1)

        async def look(_: range) -> None:
            for name in await asyncio.to_thread(_fuxa_alarms, folder):
                began = load.pushed.get(int(name.partition("^")[0][1:]))
                if began and name not in seen:
                    seen[name] = time.time() - began

        before = 0

        async def send(part: range) -> None:
            nonlocal before
            if load.second == WARM_S + 1 and part.start == 0:
                before = polled
            await look(part)

        elapsed, cpu = await paced(seconds, load, send, [server])
        p = np.percentile(list(seen.values()), [50, 99]) * 1000 if seen else [0, 0]
        alarm = f"{len(seen)} of {len(load.pushed)} recorded, p50 {p[0]:.0f} ms, p99 {p[1]:.0f} ms"
        return row("FUXA", load, elapsed, polled - before, [server], cpu, alarm)
    finally:
        web.close()
        server.stop()


def _fuxa_project(load: Load, page_port: int) -> dict:
    """One device a gateway, every tag stored when it changed, one limit a tag."""
    daq = {"enabled": True, "changed": True, "interval": 60}
    devices = {
        f"d{k}": {
            "id": f"d{k}", "name": f"d{k}", "type": "WebAPI", "enabled": True, "polling": 1000,
            "property": {"address": f"http://127.0.0.1:{page_port}/m/{k}", "method": "GET", "format": "JSON"},
            "tags": {
                f"p{i}": {"id": f"p{i}", "name": f"p{i}", "type": "number", "address": f"p{i}", "daq": daq}
                for i in part
            },
        }
        for k, part in enumerate(load.parts())
    }  # fmt: skip
    limit = {
        "enabled": True, "checkdelay": 1, "timedelay": 0, "min": 80, "max": 1000, "text": "H", "ackmode": "ackactive",
    }  # fmt: skip
    alarms = [
        {"name": f"p{i}", "property": {"variableId": f"p{i}", "permission": 0}, "high": limit}
        for i in range(len(load.values))
    ]
    server = {"id": "0", "name": "FUXA Server", "type": "FuxaServer", "property": {}}
    return {"version": "1.00", "devices": devices, "hmi": {"views": []}, "server": server, "alarms": alarms}


def _fuxa_alarms(folder: Path) -> list[str]:
    """Names of the alarms that are recorded."""
    for file in folder.rglob("*alarms*.db"):
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db,
        ):
            return [name for (name,) in db.execute("SELECT nametype FROM alarms")]
    return []


async def postgres(points: int, seconds: int, folder: Path) -> dict:
    import psycopg

    (binary,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    (port,) = free_ports(1)
    user = "postgres" if os.geteuid() == 0 else None
    folder.chmod(0o755)
    if user:
        shutil.chown(folder, user, user)
    subprocess.run(
        [binary / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres"],
        user=user,
        check=True,
        capture_output=True,
    )
    server = Server(
        folder, [str(binary / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder)], user=user
    )
    try:
        for _ in range(100):
            try:
                connection = await psycopg.AsyncConnection.connect(
                    f"host=127.0.0.1 port={port} user=postgres", autocommit=True
                )
                break
            except psycopg.OperationalError:
                await asyncio.sleep(0.1)
        await connection.execute("CREATE TABLE ts_kv (key int, ts bigint, v float8, PRIMARY KEY (key, ts))")
        await connection.execute("CREATE TABLE ts_kv_latest (key int PRIMARY KEY, ts bigint, v float8)")
        load, taken = Load(points), 0

        async def send(part: range) -> None:
            nonlocal taken
            now = time.time_ns() // 1_000_000
            values = load.values[part.start : part.stop].tolist()
            columns = (list(part), [now] * len(part), values)
            async with connection.transaction():
                await connection.execute(
                    _HISTORY,
                    columns,
                )
                await connection.execute(
                    _LATEST,
                    columns,
                )
            if load.second > WARM_S:
                taken += len(part)

        elapsed, before = await paced(seconds, load, send, [server])
        return row("PostgreSQL, ThingsBoard's statements", load, elapsed, taken, [server], before, "no judging here")
    finally:
        server.stop()


def hazwatch(points: int, seconds: int, folder: Path) -> dict:
    report = measure(Plan(folder, points, seconds=seconds, warm_s=10, alarms=ALARMS, change=CHANGE), lambda _: None)
    alarm = report["alarm_ms"]
    return {
        "name": "Hazwatch", "points": points, "samples_per_s": report["samples_per_s"],
        "share": round(report["samples_per_s"] / points, 3),
        "cores": report["cores_total"], "rss_mib": report["pss_total_mib"], "disk_mib": report["disk"]["history_mib"],
        "alarm": f"{alarm['count']} durable and told, p50 {alarm['p50']:.0f} ms, p99 {alarm['p99']:.0f} ms",
        "ledger": report["ledger"],
    }  # fmt: skip


def main() -> None:
    steps = [int(word) for word in (sys.argv[1] if len(sys.argv) > 1 else "5000,20000,60000").split(",")]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    peers = (
        ("prometheus", prometheus), ("victoria-metrics", victoria), ("influxd", influx),
        ("/usr/lib/postgresql", postgres), (str(FUXA), fuxa), (None, hazwatch),
    )  # fmt: skip
    for needs, run in peers:
        if needs and not (shutil.which(needs) or Path(needs).is_dir()):
            print(json.dumps({"name": Path(needs).name, "skipped": "not installed"}), flush=True)
            continue
        for points in steps:
            found = measured(run, points, seconds)
            found["saturated"] = found["share"] < ENOUGH
            print(json.dumps(found, ensure_ascii=False), flush=True)
            if found["saturated"]:
                break


def measured(run: Callable[[int, int, Path], Any], points: int, seconds: int) -> dict:
    """One peer at one step, in a folder of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = run(points, seconds, Path(folder))
        return asyncio.run(found) if asyncio.iscoroutine(found) else found


if __name__ == "__main__":
    main()
