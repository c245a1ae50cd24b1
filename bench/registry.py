"""A province of files: how long an import of 60,000 points takes, and how fast every list answers over HTTP.

.venv/bin/python bench/registry.py [--enterprises 1000 --sources 5000 --points 60000 --requests 40]
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from hazwatch.app.node import clock
from hazwatch.identity import errors
from hazwatch.identity import service as identity
from hazwatch.identity.deps import Gate
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.secrets import master_key
from hazwatch.identity.tokens import create_token
from hazwatch.records import make_engine, make_sessions, migrate
from hazwatch.registry.api import Live, router
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files.api import router as files_router
from hazwatch.registry.lists.api import router as lists_router
from hazwatch.registry.lists.queries import LISTS
from hazwatch.registry.places.api import router as places_router
from hazwatch.registry.service import export, import_workbook
from hazwatch.registry.synthetic.model import Size
from hazwatch.registry.synthetic.service import bring_in

PROVINCE = "410000"


def desk_of(home: Path) -> tuple[RegistryDesk, Desk]:
    """A desk on a fresh database."""
    home.mkdir(parents=True)
    url = f"sqlite:///{home / 'records.sqlite'}"
    migrate(url)
    sessions = make_sessions(make_engine(url))
    desk = Desk(sessions, clock, home)
    identity.first_start(desk, PROVINCE)
    return RegistryDesk(sessions, clock, master_key(home)), desk


def serve(registry: RegistryDesk, desk: Desk) -> str:
    """The routes of the registry on a free port; its address."""
    app = FastAPI()
    errors.install(app)
    gate = Gate(desk)
    app.include_router(router(registry, gate, Live(), PROVINCE))
    app.include_router(files_router(registry, gate))
    app.include_router(lists_router(registry, gate))
    app.include_router(places_router(registry, gate, PROVINCE))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    return f"http://127.0.0.1:{port}"


class Watch:
    """Wall and CPU seconds since it was started; on a machine that others use too the second is the fairer one."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __str__(self) -> str:
        return f"{time.perf_counter() - self._wall:.1f} s (CPU {time.process_time() - self._cpu:.1f} s)"


def timed(client: httpx.Client, path: str, requests: int) -> tuple[float, float, float, int]:
    """p50, p95 and CPU (client included) in ms, and the length of the list."""
    times = []
    answer = client.get(path)
    answer.raise_for_status()
    cpu = time.process_time()
    for _ in range(requests):
        start = time.perf_counter()
        answer = client.get(path)
        times.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
    cpu = (time.process_time() - cpu) * 1000 / requests
    return statistics.median(times), sorted(times)[int(len(times) * 0.95)], cpu, answer.json().get("total", 0)


def paths(owner: str, park: str) -> list[str]:
    """Every list in the ways people look at it."""
    found = [f"lists/{name}?page_size=50" for name in LISTS]
    found += [f"lists/{name}?page_size=50&page=3&q=化工" for name in LISTS]
    found += [
        "lists/enterprises?sort=score",
        "lists/enterprises?sort=-points&state=expired", "lists/enterprises?region=410900",
        "lists/sources?sort=-r&level=1", "lists/sources?sort=filed_to", "lists/points?sort=-hh",
        "lists/points?page=900",
        "lists/points?q=LEL&quantity=QT", "lists/chemicals?sort=-max_storage&flag=key_regulated",
        "lists/substances?sort=-max_storage", "lists/validities?within=0&sort=ends", "lists/points?page_size=500",
        "enterprises?page_size=50", "sources?page_size=50", f"files/{owner}", f"files/{owner}/history",
        f"files/{owner}/population-ring", f"files/{park}", "map/sites",
    ]  # fmt: skip
    return found


def workbook(registry: RegistryDesk, home: Path, points: int) -> None:
    """The whole registry as XLSX, and into an empty one."""
    start = Watch()
    book = export(registry, SYSTEM)
    print(f"whole registry exported: {start}, {len(book) / 1e6:.1f} MB")
    other, _ = desk_of(home)
    start = Watch()
    result = import_workbook(other, SYSTEM, book, "all.xlsx", dry_run=False)
    if not result.ok:
        raise SystemExit(str(result.errors[:3]))
    print(f"workbook of {points} points imported: {start}")
    start = Watch()
    import_workbook(other, SYSTEM, book, "all.xlsx", dry_run=True)
    print(f"the same checked again, nothing to change: {start}")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser()
    for name, value in (("enterprises", 1000), ("sources", 5000), ("points", 60000), ("requests", 40)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--lists-only", action="store_true", help="leave the workbook out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        registry, desk = desk_of(Path(folder) / "a")
        start = Watch()
        bring_in(registry, PROVINCE, 7, Size(given.enterprises, given.sources, given.points))
        print(f"synthetic province made and brought in: {start}")
        if not given.lists_only:
            workbook(registry, Path(folder) / "b", given.points)
        token = create_token(desk, SYSTEM, name="bench", role=Role.ENGINEER, scope_code=PROVINCE)
        client = httpx.Client(base_url=serve(registry, desk), headers={"authorization": f"Bearer {token}"}, timeout=120)
        owner = client.get("/api/v1/lists/enterprises?sort=-points").json()["items"][0]["code"]
        park = client.get("/api/v1/lists/parks").json()["items"][0]["code"]
        worst = 0.0
        for path in paths(owner, park):
            p50, p95, cpu, total = timed(client, f"/api/v1/{path}", given.requests)
            worst = max(worst, p95 if path.startswith("lists/") else 0)
            print(f"{path:62} p50 {p50:6.0f} ms  p95 {p95:6.0f} ms  CPU {cpu:5.0f} ms  of {total}")
        for ending in ("csv", "xlsx"):
            start = Watch()
            size = len(client.get(f"/api/v1/lists/points/export.{ending}").content)
            print(f"points exported as {ending}: {start}, {size / 1e6:.1f} MB")
        print(f"slowest list: p95 {worst:.0f} ms")


if __name__ == "__main__":
    main()
