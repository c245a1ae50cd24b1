"""Processor time and memory of a node's processes, from /proc."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")
_PAGE_MIB: Final = os.sysconf("SC_PAGE_SIZE") / 1024**2


def children(pid: int) -> list[int]:
    """The process and everything below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # ended since it was found
            for child in (task / "children").read_text().split():
                found += children(int(child))
    return found


def role(pid: int) -> str:
    """What a process of a node is for."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if "nats-server" in words[0]:
        return "log"
    return words[words.index("serve") + 1] if "serve" in words else "supervisor"


def cpu_s(pid: int) -> float:
    """Processor time that a process has used, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def rss_mib(pid: int) -> float:
    """Resident memory of a process, MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MIB


def pss_mib(pid: int) -> float:
    """Memory of a process with what it shares with others divided among them, MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


@dataclass(slots=True)
class Meter:
    """Watches the processes of a node.

    Attributes:
        top_mib: most memory of each role so far.
    """

    root: int
    top_mib: dict[str, float] = field(default_factory=dict)
    _from: dict[int, float] = field(default_factory=dict)

    def begin(self) -> None:
        """Count from now on."""
        self._from = {pid: cpu_s(pid) for pid in children(self.root)}

    def look(self) -> None:
        """Take a look at memory; several processes of a role count together."""
        for name, now in self._by_role(rss_mib).items():
            self.top_mib[name] = max(self.top_mib.get(name, 0.0), now)

    def share(self) -> dict[str, float]:
        """Memory of each role now, shared pages counted once, MiB."""
        return self._by_role(pss_mib)

    def used(self) -> dict[str, float]:
        """Processor seconds of each role since ``begin``."""
        return self._by_role(lambda pid: cpu_s(pid) - self._from.get(pid, 0.0))

    def pids(self, name: str) -> list[int]:
        """Processes of a role."""
        return [pid for pid in children(self.root) if role(pid) == name]

    def _by_role(self, figure: Callable[[int], float]) -> dict[str, float]:
        out: dict[str, float] = {}
        for pid in children(self.root):
            with contextlib.suppress(OSError):  # ended since it was found
                name = role(pid)
                out[name] = out.get(name, 0.0) + figure(pid)
        return out
