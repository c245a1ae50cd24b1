"""Pure: which row of the tables an entry means. Where that is not certain, an error lists the candidates."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from hazwatch.registry.gb18218.standard import Category, Row, normal, table1, table2
from hazwatch.registry.model import check_cas

#: A form with this word says: none of the forms that the table lists.
OTHER = ("其他", "其它", "other")
_SHOWN = 8
#: From here on two names are so much alike that one may be a slip of the other.
_ALIKE = 0.75
_SHORT = 2
_SEPARATORS = re.compile(r"[;;,,、|/\s]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What an entry might mean, and how to say so."""

    text: str
    fill: str


class NotIdentifiedError(ValueError):
    """An entry that means no row, or several. ``field`` is the one to mend."""

    def __init__(self, field: str, message: str, candidates: Sequence[Candidate] = ()) -> None:
        super().__init__(message)
        self.field = field
        self.candidates = tuple(candidates)


def categories_of(text: str | Iterable[str]) -> tuple[Category, ...]:
    """Classes of Table 2 from their symbols.

    Args:
        text: symbols in one text with separators, or one each.

    Raises:
        NotIdentifiedError: a symbol that is in no table; names of hazards list their symbols.
    """
    parts = _SEPARATORS.split(text) if isinstance(text, str) else list(text)
    found = []
    for part in filter(None, (part.strip() for part in parts)):
        category = table2().get(part.upper())
        if category is None:
            likely = [c for c in table2().values() if _alike(part, c)] or list(table2().values())
            message = f"{part!r} 不是表2的符号,请写符号,如 W5.3"
            raise NotIdentifiedError("category", message, [_of_category(c) for c in likely])
        found.append(category)
    return tuple(dict.fromkeys(found))


def row_of(name: str, cas: str, form: str, categories: Sequence[Category]) -> Row | None:
    """The row of Table 1 that is meant; None where Table 2 decides (then there is a class).

    Args:
        name: as given, may be empty if there is a CAS number.
        cas: CAS number, may be empty.
        form: 形态、含量 as given, may be empty.
        categories: classes that were stated.

    Raises:
        NotIdentifiedError: unknown, ambiguous, or contradictory.
    """
    if cas and not check_cas(cas):
        raise NotIdentifiedError("cas", f"CAS 号 {cas!r} 格式或校验位不对")
    rows = _named(name, cas)
    if not rows:
        if categories:
            return None
        raise _unknown(name, cas)
    if normal(form) in OTHER:
        if categories:
            return None
        raise NotIdentifiedError("category", "不属于表1所列形态时,须写明表2类别(category)", _all_categories())
    full = [row for row in rows if normal(name) in (normal(row.name), normal(row.name_en))]
    fitting = [row for row in full or rows if _fits(row, name, form, told=bool(full))]
    if len(fitting) == 1:
        return fitting[0]
    what = name or cas
    message = f"{what!r} 的形态 {form!r} 不在表1所列之中" if form else f"{what!r} 不能唯一确定表1的行,须写明形态(form)"
    exits = [Candidate("不属于以上形态", f'"form": "{OTHER[0]}" 并写 category(表2类别)')]
    raise NotIdentifiedError("form", message, [_of_row(row, name) for row in rows] + exits)


def by_class(
    row: Row | None, mixture: Sequence[Category], pure: Sequence[Category]
) -> tuple[Row | None, str]:  # fmt: skip
    """What decides on a mixture (4.2.3): the row of its substance where both have the same classes, else Table 2.

    Args:
        row: of Table 1 that the substance means pure; None outside it.
        mixture: classes of the mixture.
        pure: classes of the pure substance as stated; empty = those of the row, where these are certain.

    Returns:
        The row that decides, None where Table 2 does; and how the clause was applied, in words.

    Raises:
        NotIdentifiedError: the classes of the pure substance are not certain, or stated for one that decides nothing.
    """
    if row is None:
        return None, "4.2.3 混合物按其类别"
    known = pure or _certain(row)
    if not known:
        usual = "、".join(row.symbols) or "无"
        message = f"{row.name}(纯物质)的类别不能确定(建议 {usual}),须按 SDS 写明,才能判断混合物与纯物质是否同类"
        raise NotIdentifiedError("pure_category", message, [_of_category(table2()[s]) for s in row.symbols])
    told = "/".join(category.symbol for category in known)
    if set(known) == set(mixture):
        return row, f"4.2.3 混合物与纯物质同类({told}),整体按纯物质"
    return None, f"4.2.3 混合物与纯物质({told})不同类,按新类别"


def _certain(row: Row) -> tuple[Category, ...]:
    """The classes of a row where nobody doubts them and it has one only."""
    sure = row.certainty == "H" and len(row.symbols) == 1
    return tuple(table2()[symbol] for symbol in row.symbols) if sure else ()


def doubt_of(name: str, row: Row | None) -> str:
    """What to look at once more where Table 2 decides although Table 1 has a name much like this one."""
    if row is not None or not name:
        return ""
    asked = normal(name)
    keys = [key for key in _by_name() if not key.isascii()]
    near = sorted((key for key in keys if len(asked) > _SHORT and asked in key), key=len)
    near += difflib.get_close_matches(asked, keys, n=3, cutoff=_ALIKE)
    names = list(dict.fromkeys(found.name for key in near for found in _by_name()[key] if asked != key))
    return f"不在表1,按所写表2类别判定;表1 有相近名称 {'、'.join(names[:3])},若即该物质请改用该名称" if names else ""


def _named(name: str, cas: str) -> list[Row]:
    """Rows that the name or the CAS number points at."""
    by_cas = [row for row in table1() if cas and (cas in row.cas or cas in row.called)]
    by_name = list(_by_name().get(normal(name), ())) if name else []
    if by_name and cas and any(row.cas for row in by_name):
        both = [row for row in by_name if row in by_cas or not row.cas]
        if not both:
            rows = [*by_name, *by_cas]
            message = f"名称 {name!r} 与 CAS 号 {cas} 不是同一种物质"
            raise NotIdentifiedError("cas", message, [_of_row(row, name) for row in rows])
        return both
    return by_name or by_cas


@cache
def _by_name() -> dict[str, tuple[Row, ...]]:
    found: dict[str, dict[int, Row]] = {}
    for row in table1():
        for name in (row.name, row.name_en, *row.aliases, *row.called):
            found.setdefault(normal(name), {})[row.no] = row
    return {name: tuple(rows.values()) for name, rows in found.items()}


def _fits(row: Row, name: str, form: str, *, told: bool) -> bool:
    """Whether the form that was given, or the name itself, says that the substance has the form of the row."""
    if form:
        whole = [f"{called}({wording})" for called in row.called for wording in row.forms]
        return not row.forms or _bare(form) in {_bare(wording) for wording in (*row.forms, row.name, *whole)}
    if told or not row.form_needed:
        return True
    by_cas_only = not any(normal(name) == normal(called) for called in (*row.called, *row.aliases))
    return row.form_needed == "with_cas" and not by_cas_only


def _bare(text: str) -> str:
    """Without brackets around the whole."""
    text = normal(text)
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _unknown(name: str, cas: str) -> NotIdentifiedError:
    hazards = [c for c in table2().values() if name and _alike(name, c)]
    if hazards:
        message = f"{name!r} 是表2的一类危险性,不是物质:请写物质名称,并用 category 写明符号"
        return NotIdentifiedError("category", message, [_of_category(c) for c in hazards])
    near = _near(name) if name else []
    message = (
        f"{name or cas!r} 不在表1之中:若名称有误请改正;若确不在表1,须按其分类写明表2类别(category,如 W5.3);"
        "既不在表1、又无表2所列危险性的物质不参与辨识"
    )
    return NotIdentifiedError("name" if name else "cas", message, [_of_row(row, "") for row in near])


def _near(name: str) -> list[Row]:
    keys = _by_name()
    asked = normal(name)
    close = difflib.get_close_matches(asked, keys, n=_SHOWN, cutoff=0.5)
    inside = [key for key in keys if asked in key or (len(key) > 1 and key in asked)]
    rows = [row for key in dict.fromkeys([*inside, *close]) for row in keys[key]]
    return list(dict.fromkeys(rows))[:_SHOWN]


def _alike(text: str, category: Category) -> bool:
    asked = normal(text)
    return len(asked) > 1 and (asked in normal(category.hazard) or normal(category.hazard) in asked)


def _of_row(row: Row, name: str) -> Candidate:
    called = name if row.form_needed == "always" and any(normal(name) == normal(c) for c in row.called) else row.name
    fill = f'"name": "{called}"'
    if called != row.name and row.forms:
        fill += f', "form": "{row.forms[0]}"'
    return Candidate(f"表1 序号{row.no} {row.name},临界量 {float(row.critical):g} t", fill)


def _of_category(category: Category) -> Candidate:
    text = f"表2 {category.symbol} {category.hazard}:{category.description},临界量 {float(category.critical):g} t"
    return Candidate(text, f'"category": "{category.symbol}"')


def _all_categories() -> list[Candidate]:
    return [_of_category(category) for category in table2().values()]
