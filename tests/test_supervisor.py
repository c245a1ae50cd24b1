"""Children are started again when they end, and end with their parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from hazwatch.supervisor import Child, Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


async def until(what, patience_s: float = 10.0):
    deadline = time.monotonic() + patience_s
    while not (answer := what()):
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.02)
    return answer


async def test_a_killed_child_is_back_within_a_second(tmp_path: Path):
    supervisor = Supervisor(tmp_path)
    child = Child("sleeper", SLEEPER)
    supervisor.start(child)
    await until(lambda: child.process)
    first = child.process.pid
    began = time.monotonic()
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.process.pid != first)
    took = time.monotonic() - began
    await supervisor.stop(["sleeper"])

    assert took < 1.0
    assert child.restarts == 1
    assert not psutil.pid_exists(child.process.pid)


async def test_a_child_that_always_fails_is_started_ever_more_slowly(tmp_path: Path):
    supervisor = Supervisor(tmp_path)
    child = Child("failing", [sys.executable, "-c", "raise SystemExit(3)"])
    supervisor.start(child)
    await asyncio.sleep(2.0)
    await supervisor.stop(["failing"])

    assert 2 <= child.restarts <= 5


async def test_again_is_called_before_every_start_but_the_first_and_output_is_kept(tmp_path: Path):
    runs = []
    supervisor = Supervisor(tmp_path)
    child = Child("speaker", [sys.executable, "-c", "print('hello')"], again=lambda: runs.append(1))
    supervisor.start(child)
    await until(lambda: child.restarts >= 2)
    await supervisor.stop(["speaker"])

    assert 1 <= len(runs) <= child.restarts
    assert b"hello" in (tmp_path / "speaker.log").read_bytes()


def test_a_killed_parent_leaves_no_child_behind(tmp_path: Path):
    code = f"""
import asyncio, sys
from pathlib import Path
from hazwatch.supervisor import Child, Supervisor
async def main():
    supervisor = Supervisor(Path({str(tmp_path)!r}))
    child = Child("sleeper", {SLEEPER!r})
    supervisor.start(child)
    while child.process is None:
        await asyncio.sleep(0.01)
    print(child.process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.02)
