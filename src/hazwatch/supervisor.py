"""Children of the node: started, watched, started again.

Every child dies with its parent (on Linux by PR_SET_PDEATHSIG), so a killed node leaves nothing behind that holds a
port or a file lock. A child that ends is started again, at once the first time, then with growing pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_log = logging.getLogger(__name__)
_PR_SET_PDEATHSIG = 1
_LONGEST_PAUSE_S = 5.0
_STEADY_S = 30.0


def die_with_parent() -> None:
    """In a new child: ask the kernel to end it when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """One supervised process.

    Attributes:
        name: name in logs and on /healthz.
        command: argument list.
        environment: added to our own.
        again: called before every start but the first (what it was configured with may be old by then).
        stop_signal: what ends it in good order.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    again: Callable[[], object] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    restarts: int = 0
    process: asyncio.subprocess.Process | None = None


class Supervisor:
    """Runs children until told to stop."""

    def __init__(self, log_folder: Path) -> None:
        self._folder = log_folder
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.children: dict[str, Child] = {}

    def start(self, child: Child) -> None:
        """Start a child and keep it running."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.children[child.name] = child
        self._tasks[child.name] = asyncio.create_task(self._keep(child), name=f"keep {child.name}")

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        pause = 0.0
        while True:
            if child.restarts and child.again is not None:
                child.again()
            started = loop.time()
            await self._run(child)
            child.restarts += 1
            if loop.time() - started > _STEADY_S:
                pause = 0.0
            _log.warning(
                "%s ended with %s, starting again in %.1f s",
                child.name,
                child.process and child.process.returncode,
                pause,
            )
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE_S, pause * 2 or 0.2)

    async def _run(self, child: Child) -> None:
        with (self._folder / f"{child.name}.log").open("ab") as out:
            child.process = await asyncio.create_subprocess_exec(
                *child.command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **child.environment}, preexec_fn=die_with_parent,
                # Ctrl+C in the terminal is for us alone: we stop the children, in order.
                start_new_session=True,
            )  # fmt: skip
        await child.process.wait()

    async def stop(self, order: list[str], patience_s: float = 10.0) -> None:
        """End the children one after the other, in good order, and by force when they do not listen."""
        for name in order:
            task, child = self._tasks.pop(name, None), self.children.get(name)
            if task is None or child is None:
                continue
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            process = child.process
            if process is None or process.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(child.stop_signal)
            try:
                async with asyncio.timeout(patience_s):
                    await process.wait()
            except TimeoutError:
                _log.warning("%s does not stop, killing it", name)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
