"""Lists: pages, sorting, totals. One form for all rooms (docs/api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Select, String, bindparam, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

MAX_PAGE_SIZE = 500

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is asked for; ``sort`` is ``field``, ``-field`` or empty."""

    page: int = 1
    page_size: int = 50
    sort: str = ""

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.page - 1) * self.page_size

    @property
    def field(self) -> str:
        """The field to sort by, without the sign."""
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        """Whether the sign says downwards."""
        return self.sort.startswith("-")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list and the length of the whole."""

    items: list[T]
    total: int
    page: int
    page_size: int

    def form(self) -> dict[str, Any]:
        """The form of the contract."""
        return {"items": self.items, "total": self.total, "page": self.page, "page_size": self.page_size}


class UnknownSortError(ValueError):
    """The list cannot be sorted by this field. ``allowed`` says by which it can."""

    def __init__(self, field: str, allowed: list[str]) -> None:
        super().__init__(f"不能按 {field!r} 排序,可用字段:{'、'.join(allowed)}")
        self.field = field
        self.allowed = allowed


def ordered(statement: Select[*Ts], request: PageRequest, sortable: Mapping[str, Any], tie: Any) -> Select[*Ts]:
    """Sort a statement as asked; ``tie`` makes the order total, so that no row is on two pages.

    Raises:
        UnknownSortError: the field is not in ``sortable``.
    """
    if not request.field:
        return statement.order_by(tie)
    if request.field not in sortable:
        raise UnknownSortError(request.field, sorted(sortable))
    column = sortable[request.field]
    return statement.order_by(column.desc() if request.descending else column.asc(), tie)


def count(session: Session, statement: Select[*Ts]) -> int:
    """Rows a statement would give."""
    return session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0


class _Contains(FunctionElement[bool]):
    """Column LIKE pattern, small and capital Latin letters alike; compiled as each database does it cheapest."""

    inherit_cache = True


@compiles(_Contains)
def _ilike(element: Any, compiler: Any, **given: Any) -> str:
    column, pattern = (compiler.process(part, **given) for part in element.clauses)
    return f"{column} ILIKE {pattern} ESCAPE '\\'"


@compiles(_Contains, "sqlite")
def _like(element: Any, compiler: Any, **given: Any) -> str:
    # SQLite's LIKE takes Latin letters alike by itself; lower() around both sides would double the time of a search.
    column, pattern = (compiler.process(part, **given) for part in element.clauses)
    return f"{column} LIKE {pattern} ESCAPE '\\'"


def contains(text: str, *columns: Any) -> ColumnElement[bool]:
    """Whether one of the columns holds a text anywhere, taken letter by letter, whatever its case."""
    pattern = like(text.strip())
    return or_(*(_Contains(column, bindparam(None, pattern, String)) for column in columns))


def like(text: str) -> str:
    r"""A LIKE pattern (escape character ``\``) that finds ``text`` anywhere, taken letter by letter."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
