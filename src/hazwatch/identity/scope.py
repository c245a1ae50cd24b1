"""The one place where scope becomes SQL.

Every table whose rows belong to a node of the tree carries the node's ``path`` (mixin ``Scoped``). A person sees the
rows whose path starts with the path of their scope. ``tests/identity/test_scope_rule.py`` reads the whole package and
refuses any query on a scoped table that does not pass through here and does not say why.

The prefix is asked for as a range, not as LIKE: ``%`` and ``_`` have no meaning in it, case matters, and both databases
can serve it from the index, because ``path`` is ordered byte by byte.
"""

from __future__ import annotations

from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from hazwatch.identity.model import Principal
from hazwatch.records.base import code_text

PATH_LENGTH = 120

Ts = TypeVarTuple("Ts")


class Scoped:
    """Mixin of tables whose rows lie on the tree."""

    path: Mapped[str] = mapped_column(code_text(PATH_LENGTH), index=True)


def within(column: InstrumentedAttribute[str], scope: str) -> ColumnElement[bool]:
    """The condition "at or below the node of this path"."""
    if not scope.endswith("/"):
        raise ValueError(f"a scope path ends in '/', got {scope!r}")
    # "0" is the character after "/": the range holds exactly the texts that start with the scope.
    return and_(column >= scope, column < scope[:-1] + "0")


def scoped(statement: Select[*Ts], principal: Principal, table: type[Scoped]) -> Select[*Ts]:
    """The statement, restricted to what the principal may see.

    Args:
        statement: a select in which ``table`` takes part.
        principal: who asks.
        table: the scoped table whose rows decide; rows joined to it are seen through it.
    """
    return statement.where(within(table.path, principal.scope))
