"""A rule over the whole package: no query on a scoped table goes around ``identity.scope``.

A call of ``select``, ``update``, ``delete``, ``get``, ``query`` … that names a scoped table must stand inside the
arguments of ``scoped(...)``, which must be told one of the tables of that query; or the function around it must hold a
comment ``# scope: node-internal because <reason>``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hazwatch
from hazwatch.identity.scope import Scoped
from hazwatch.records import load_tables

ROOT = Path(hazwatch.__file__).parent
VERBS = {"select", "update", "delete", "exists", "aliased", "query", "get", "get_one", "select_from", "merge"}
EXCUSE = re.compile(r"#\s*scope: node-internal because \w+")
#: The one place itself, and frozen revisions, which run before anybody is signed in.
EXEMPT = ("identity/scope.py", "records/migrations/")


def scoped_tables() -> set[str]:
    classes = [mapper.class_ for mapper in load_tables().registry.mappers]
    return {table.__name__ for table in classes if issubclass(table, Scoped)}


def offences(source: str, tables: set[str]) -> list[tuple[int, str]]:
    """Lines of a module that query a scoped table around the scope."""
    tree = ast.parse(source)
    lines = source.splitlines()
    return [
        (call.lineno, ast.unparse(call)[:80])
        for call, around in _calls(tree, ())
        if _verb(call) in VERBS
        and (named := _tables_in(call, tables))
        and not _inside_scoped(around, call, named)
        and not _excused(around, lines)
    ]


def _calls(node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[tuple[ast.Call, tuple[ast.AST, ...]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, (*around, node)
        yield from _calls(child, (*around, node))


def _verb(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _tables_in(call: ast.Call, tables: set[str]) -> set[str]:
    """Scoped tables among the arguments, however deep. ``table`` and ``TABLES[...]`` stand for any of them."""
    if _verb(call) in {"get", "get_one", "merge"} and not (call.args and isinstance(call.args[0], ast.Name)):
        return set()  # a look-up in a mapping
    names = {
        name.id
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for name in ast.walk(argument)
        if isinstance(name, ast.Name)
    }
    return names & (tables | {"table"})


def _inside_scoped(around: tuple[ast.AST, ...], call: ast.Call, named: set[str]) -> bool:
    for outer in around:
        if isinstance(outer, ast.Call) and _verb(outer) == "scoped" and len(outer.args) == 3:
            inner = outer.args[0]
            table = outer.args[2]
            if any(node is call for node in ast.walk(inner)) and isinstance(table, ast.Name) and table.id in named:
                return True
    return False


def _excused(around: tuple[ast.AST, ...], lines: list[str]) -> bool:
    functions = [node for node in around if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any(
        EXCUSE.search(line) for function in functions for line in lines[function.lineno - 1 : function.end_lineno]
    )


def test_no_query_goes_around_the_scope() -> None:
    tables = scoped_tables()
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(EXEMPT):
            found += [f"{name}:{line}: {text}" for line, text in offences(path.read_text(encoding="utf-8"), tables)]
    assert found == []


def test_the_rule_knows_the_tables() -> None:
    assert {"Node", "Account", "Token", "Audit", "Enterprise", "Source", "Gateway", "Point"} <= scoped_tables()


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("def f(s, who): return s.scalars(scoped(select(Point).where(Point.code == 1), who, Point))", 0),
        ("def f(s): return s.scalars(select(Point))", 1),
        ("def f(s): return s.scalars(select(Point.code).where(Point.code == 1))", 1),
        ("def f(s): return s.scalars(select(func.count()).select_from(Point))", 1),
        ("def f(s): return s.get(Point, 3)", 1),
        ("def f(s): return s.query(Point).all()", 1),
        ("def f(s): s.execute(update(Point).values(x=1))", 1),
        ("def f(s, who): return s.scalars(scoped(select(Point), who, Source))", 1),
        ("def f(s, who): return scoped(select(Counter), who, Point) and select(Point)", 1),
        ("def f(s):\n    # scope: node-internal because the node needs all\n    return s.get(Point, 3)", 0),
        ("def f(s):\n    # scope: node-internal\n    return s.get(Point, 3)", 1),
        ("# scope: node-internal because of this\ndef f(s):\n    return s.get(Point, 3)", 1),
        ("def f(points): return points.get('Point')", 0),
    ],
)
def test_the_rule_catches_what_it_should(code: str, count: int) -> None:
    assert len(offences(code, {"Point", "Source"})) == count
