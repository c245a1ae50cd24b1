"""A disk that is really full: a small file system of its own, filled to the last byte and freed again."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.balance import balance, saw
from tests.nodes import TestGateway, TestNode, level_point, node, plant

from hazwatch.app.node import clock

pytestmark = pytest.mark.timeout(300)
POINT = level_point(1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs rights that this machine does not give")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)  # noqa: S607  # wherever the system has it


def fill(place: Path) -> Path:
    """Take every byte that is left."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * (1 << 20))
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x")
    return ballast


def told(running: TestNode, patience_s: float, wanted: Any) -> Any:
    """What the page would show, once it is as wanted."""
    deadline = time.monotonic() + patience_s
    found = None
    with running.client() as client:
        while time.monotonic() < deadline:
            with suppress(Exception):
                found = wanted(client)
                if found:
                    return found
            time.sleep(0.3)
    raise AssertionError(f"not within {patience_s} s; last {found!r}")


async def test_a_full_disk_loses_nothing_and_says_so(small_disk: Path) -> None:
    """Full: what is acknowledged is safe, and the page says what is wrong. Free again: everything is there, once."""
    start = clock() // 1000 * 1000 - 600_000
    stop, done = asyncio.Event(), 0

    async def send(gateway: TestGateway) -> None:
        nonlocal done
        while not stop.is_set():
            await gateway.send(start + done * 1000, {POINT: saw(done)}, patience_s=200.0)
            done += 1
            await asyncio.sleep(0.1)

    with node(small_disk, plant(2), snapshot_s=3) as running:
        await asyncio.to_thread(running.client)
        sending = asyncio.create_task(send(TestGateway(running.settings.national_tcp_port, running.secret())))
        await asyncio.sleep(3.0)
        before = done
        assert before
        ballast = await asyncio.to_thread(fill, small_disk)
        said = await asyncio.to_thread(told, running, 30, lambda c: c.get("/healthz").json()["disk"] == "full")
        assert said
        await asyncio.sleep(8.0)
        while_full = done - before
        ballast.unlink()
        began = time.monotonic()
        await asyncio.to_thread(running.wait_healthy, 120)
        healthy_s = time.monotonic() - began
        after = done
        await asyncio.to_thread(told, running, 60, lambda _: done > after)
        stop.set()
        await sending
        lost, doubled, alarms = await asyncio.to_thread(balance, running, start, [done])
    print(
        f"\nfull for 8 s and more: {while_full} reports acknowledged meanwhile, healthy {healthy_s:.1f} s after room "
        f"was made; {done} acknowledged, {lost} lost, {doubled} doubled; {alarms} alarm records"
    )
    assert (lost, doubled) == (0, 0)
