"""The rules of the house that no linter knows: time is handed in, modules stay readable, nobody prints."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "hazwatch"
GENERATED = {"access/sparkplug/sparkplug_b_pb2.py"}
PURE = ("vocabulary/", "samples/", "judge/")
PURE_FILES = (
    "history/thinning.py", "risk/trend.py", "alarms/journal.py", "alarms/floods.py", "alarms/kpi.py",
    "alarms/assistant.py", "alarms/delays.py", "alarms/foreign.py", "alarms/whatif.py",
    "risk/aggregates.py", "risk/balance.py", "risk/forecast.py",
    "risk/multivariate.py", "risk/backtest.py", "risk/configuration.py", "risk/declared.py", "risk/evidence.py",
    "risk/explain.py", "risk/features.py", "risk/indicators.py", "risk/objects.py", "risk/schema.py",
    "risk/scorer.py", "risk/terms.py", "risk/words.py",
)  # fmt: skip
LONGEST = 600

CLOCKS = {
    ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "perf_counter"), ("datetime", "now"),
    ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
}  # fmt: skip


def modules() -> dict[str, ast.Module]:
    found = {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "node_modules" not in path.parts
    }
    return {name: tree for name, tree in found.items() if name not in GENERATED}


MODULES = modules()


def pure(name: str) -> bool:
    return name.startswith(PURE) or name.endswith("/model.py") or name in PURE_FILES


def calls(tree: ast.AST) -> list[tuple[str, str, ast.Call]]:
    """(what it is called on, name, call) of every call; "" for a plain name."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                on = node.func.value
                owner = on.id if isinstance(on, ast.Name) else on.attr if isinstance(on, ast.Attribute) else ""
                found.append((owner, node.func.attr, node))
            elif isinstance(node.func, ast.Name):
                found.append(("", node.func.id, node))
    return found


def naive(tree: ast.AST) -> list[int]:
    """Lines that make a datetime without a zone."""
    lines = []
    for owner, name, call in calls(tree):
        zoned = "tz" in {k.arg for k in call.keywords}
        needed = {"now": 1, "fromtimestamp": 2, "today": 99}.get(name) if owner == "datetime" else None
        without = needed is not None and len(call.args) < needed and not zoned
        if without or name in ("utcnow", "utcfromtimestamp"):
            lines.append(call.lineno)
    return lines


def clocks(tree: ast.AST) -> list[int]:
    """Lines that look at a clock."""
    lines = [call.lineno for owner, name, call in calls(tree) if (owner, name) in CLOCKS]
    imported = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "time"]
    return lines + [n.lineno for n in imported]


def test_the_rules_look_at_something() -> None:
    assert len(MODULES) > 100
    assert {"judge/kernel.py", "alarms/model.py", "vocabulary/moments.py", "risk/trend.py"} <= set(
        filter(pure, MODULES)
    )


def test_the_rules_find_what_they_look_for() -> None:
    bad = ast.parse("import time, datetime\ntime.time()\ndatetime.datetime.now()\ndatetime.datetime.utcnow()\nprint(1)")
    assert naive(bad) == [3, 4]
    assert clocks(bad) == [2, 3, 4]
    assert naive(ast.parse("datetime.now(UTC)\ndatetime.now(tz=UTC)\ndatetime.fromtimestamp(1, CHINA)")) == []
    assert clocks(ast.parse("from time import time")) == [1]


@pytest.mark.parametrize("name", MODULES)
def test_no_naive_datetime(name) -> None:
    assert naive(MODULES[name]) == []


@pytest.mark.parametrize("name", [n for n in MODULES if pure(n)])
def test_no_wall_clock_in_a_pure_room(name) -> None:
    assert clocks(MODULES[name]) == []


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_too_long_to_read(name) -> None:
    assert len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("name", MODULES)
def test_nobody_prints(name) -> None:
    assert [call.lineno for owner, what, call in calls(MODULES[name]) if (owner, what) == ("", "print")] == []
