"""Room on the disk of the node's home: a node without any acknowledges nothing, and its page must say why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

FULL_BYTES = 64 << 20
LOW_BYTES = 2 << 30
LOW_SHARE = 0.05

#: Gives (free, total) bytes of the file system that holds the home folder.
Space = Callable[[], tuple[int, int]]


def space_of(home: Path) -> Space:
    """Looks at the file system of a folder whenever it is called."""

    def look() -> tuple[int, int]:
        usage = shutil.disk_usage(home)
        return usage.free, usage.total

    return look


def room(free: int, total: int) -> dict[str, Any]:
    """How much room there is: ``full`` below 64 MiB, ``low`` below 2 GiB and 5 %, else ``ok``; with the free bytes."""
    if free < FULL_BYTES:
        return {"state": "full", "free": free}
    return {"state": "low" if free < LOW_BYTES and free < LOW_SHARE * total else "ok", "free": free}
