"""The disk of the node's home: how much room it has, and files that survive a power cut.

A node without any room acknowledges nothing, and its page must say why.
"""

from __future__ import annotations

import os
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


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file so that after a crash either the old or the new content stands there, whole."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    replace_durably(fresh, path)


def replace_durably(fresh: Path, path: Path) -> None:
    """Give a file that is on disk the place of another, and make that durable too."""
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
