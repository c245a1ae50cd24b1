"""What the package imports is what pyproject.toml declares: a wheel without the development tools must run."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Optional by design: set-up goes on without it and the simulator says so.
OPTIONAL = {"tep-studio"}


def _imports() -> dict[str, str]:
    """Top-level modules that the package imports, each with a file that does."""
    found: dict[str, str] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            else:
                continue
            found |= {name.split(".")[0]: str(path.relative_to(ROOT)) for name in names}
    return found


def test_every_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in project["dependencies"]} | OPTIONAL
    owners = packages_distributions()
    missing = {}
    for module, path in _imports().items():
        if module in sys.stdlib_module_names or module == "hazwatch":
            continue
        distributions = {name.lower().replace("_", "-") for name in owners.get(module, [module])}
        if not distributions & declared:
            missing[module] = path

    assert missing == {}
