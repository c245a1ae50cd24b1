"""Pure: a unit from its JSON, strictly. Whatever is not understood is an error that names the field.

{"population_500m": n, "substances": [{"name"|"cas", "form"?, "category"?, "q_t", "above_boiling_point"?, "mixture"?}]}
with "mixture": {"category", "pure_category"?}: classes of the mixture, and of the substance pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from hazwatch.registry.gb18218.model import Entry
from hazwatch.registry.gb18218.names import (
    OTHER,
    Candidate,
    NotIdentifiedError,
    by_class,
    categories_of,
    doubt_of,
    row_of,
)
from hazwatch.registry.gb18218.standard import Category, Row, normal

#: More than the largest tank farm holds by far; beyond it is a slip of the keyboard.
MAX_TONNES = 10**8
MAX_PEOPLE = 10**8
MAX_SUBSTANCES = 1_000
MAX_TEXT = 200
_MAX_DIGITS = 40
_UNIT_FIELDS = ("population_500m", "substances")
_FIELDS = ("name", "cas", "form", "category", "q_t", "above_boiling_point", "mixture")
_MIXTURE_FIELDS = ("category", "pure_category")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as read: people within 500 m, and its substances."""

    population: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with the input; ``field`` as ``substances[0].q_t``."""

    field: str
    message: str
    candidates: tuple[Candidate, ...] = ()


class UnitError(ValueError):
    """The input is no unit; all flaws are listed."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(";".join(f"{flaw.field}:{flaw.message}" for flaw in flaws))
        self.flaws = tuple(flaws)


class _FlawError(ValueError):
    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw


def read(content: bytes) -> Unit:
    """A unit from the bytes of a JSON file.

    Raises:
        UnitError: not UTF-8, no JSON, a field that is missing, wrong, twice or unknown, or a substance that is not
            certain.
    """
    return unit_of(load(content))


def load(content: bytes) -> Any:
    """JSON with its numbers digit for digit (int and Decimal), no field twice.

    Raises:
        UnitError: not UTF-8, no JSON, a field twice.
    """
    try:
        return json.loads(
            content.decode("utf-8-sig"), parse_float=_number, parse_int=_integer, parse_constant=_NoNumber,
            object_pairs_hook=_fields,
        )  # fmt: skip
    except _FlawError as error:
        raise UnitError([error.flaw]) from error
    except UnicodeDecodeError as error:
        raise UnitError([Flaw("文件", "不是 UTF-8 文本")]) from error
    except RecursionError as error:
        raise UnitError([Flaw("文件", "嵌套过深")]) from error
    except json.JSONDecodeError as error:
        raise UnitError([Flaw("文件", f"不是合法的 JSON(第 {error.lineno} 行第 {error.colno} 列)")]) from error


def unit_of(data: Any) -> Unit:
    """A unit from what JSON gives (numbers as int or Decimal).

    Raises:
        UnitError: as ``read``.
    """
    if not isinstance(data, dict):
        raise UnitError([Flaw("文件", f"应为一个对象,含 {'、'.join(_UNIT_FIELDS)}")])
    flaws = [Flaw(str(key), "不认识的字段") for key in data if key not in _UNIT_FIELDS]
    flaws += [Flaw(key, "必填") for key in _UNIT_FIELDS if key not in data]
    population = 0
    try:
        population = _people(data.get("population_500m", 0))
    except _FlawError as error:
        flaws.append(error.flaw)
    entries = _entries(data["substances"], flaws) if "substances" in data else ()
    if flaws:
        raise UnitError(flaws)
    return Unit(population, entries)


def _entries(items: Any, flaws: list[Flaw]) -> tuple[Entry, ...]:
    """The substances; what is wrong with them is added to the flaws."""
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_SUBSTANCES:
        flaws.append(Flaw("substances", f"应为数组,含 1–{MAX_SUBSTANCES} 种物质"))
        return ()
    entries: list[Entry] = []
    places: dict[tuple[object, ...], int] = {}
    for place, item in enumerate(items):
        try:
            entry = _entry(f"substances[{place}]", item)
        except UnitError as error:
            flaws.extend(error.flaws)
            continue
        key = _identity(entry, item)
        if key in places:
            message = f"与 substances[{places[key]}] 是同一种物质:请把设计最大量相加,只写一次"
            flaws.append(Flaw(f"substances[{place}]", message))
        places.setdefault(key, place)
        entries.append(entry)
    return tuple(entries)


def _entry(where: str, item: Any) -> Entry:
    if not isinstance(item, dict):
        raise UnitError([Flaw(where, "应为一个对象")])
    flaws = [Flaw(f"{where}.{key}", f"不认识的字段(可用:{'、'.join(_FIELDS)})") for key in item if key not in _FIELDS]
    texts: dict[str, str] = {}
    for key in ("name", "cas", "form"):
        try:
            texts[key] = _text(f"{where}.{key}", item.get(key))
        except _FlawError as error:
            flaws.append(error.flaw)
    if not item.get("name") and not item.get("cas"):
        flaws.append(Flaw(f"{where}.name", "name 与 cas 至少写一个"))
    known = not flaws
    quantity = Fraction(0)
    try:
        quantity = _tonnes(f"{where}.q_t", item)
    except _FlawError as error:
        flaws.append(error.flaw)
    above = item.get("above_boiling_point", False)
    if not isinstance(above, bool):
        flaws.append(Flaw(f"{where}.above_boiling_point", "应为 true 或 false"))
    mixture = _mixture(where, item, flaws)
    categories, row = _meant(where, item, mixture, texts, flaws) if known else ((), None)
    told = ""
    if mixture and not flaws:
        try:
            row, told = by_class(row, mixture.categories, mixture.pure)
        except NotIdentifiedError as error:
            flaws.append(Flaw(f"{where}.mixture.{error.field}", str(error), error.candidates))
    if flaws:
        raise UnitError(flaws)
    name = texts["name"] or (row.name if row else texts["cas"])
    other = normal(texts["form"]) in OTHER
    doubt = "" if other or mixture else doubt_of(texts["name"], row)
    return Entry(name, row, categories, quantity, above, doubt, told)


class _Mixture(NamedTuple):
    """Classes of a mixture, and those of its substance pure where somebody stated them."""

    categories: tuple[Category, ...]
    pure: tuple[Category, ...]


def _mixture(where: str, item: Mapping[str, Any], flaws: list[Flaw]) -> _Mixture | None:
    """What an entry says of a mixture; None for a pure substance, and after adding to the flaws."""
    given = item.get("mixture")
    if given is None:
        return None
    place = f"{where}.mixture"
    before = len(flaws)
    if not isinstance(given, dict):
        flaws.append(Flaw(place, "应为一个对象,含 category(混合物的表2类别)"))
        return None
    flaws += [Flaw(f"{place}.{key}", "不认识的字段") for key in given if key not in _MIXTURE_FIELDS]
    if item.get("category"):
        flaws.append(Flaw(f"{where}.category", "混合物的类别写在 mixture.category 中"))
    found: dict[str, tuple[Category, ...]] = {}
    for key in _MIXTURE_FIELDS:
        try:
            found[key] = categories_of(_categories(f"{place}.{key}", given.get(key)))
        except _FlawError as error:
            flaws.append(error.flaw)
        except NotIdentifiedError as error:
            flaws.append(Flaw(f"{place}.{key}", str(error), error.candidates))
    if len(flaws) == before and not found["category"]:
        flaws.append(Flaw(f"{place}.category", "必填:混合物按 GB 30000 确定的表2类别(4.2.3)"))
    return _Mixture(found["category"], found["pure_category"]) if len(flaws) == before else None


def _meant(
    where: str, item: Mapping[str, Any], mixture: _Mixture | None, texts: Mapping[str, str], flaws: list[Flaw]
) -> tuple[tuple[Category, ...], Row | None]:  # fmt: skip
    """Classes and row of an entry; what is not certain is added to the flaws."""
    try:
        stated = categories_of(_categories(f"{where}.category", item.get("category")))
        categories = mixture.categories if mixture else stated
        return categories, row_of(texts["name"], texts["cas"], texts["form"], categories)
    except _FlawError as error:
        flaws.append(error.flaw)
    except NotIdentifiedError as error:
        flaws.append(Flaw(f"{where}.{error.field}", str(error), error.candidates))
    return (), None


def _identity(entry: Entry, item: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two entries the same: a row that names one substance, else the name; and the condition."""
    if entry.mixture:
        name = normal(str(item.get("name") or item.get("cas")))
        return name, normal(str(item.get("form") or "")), entry.above_boiling, frozenset(entry.categories)
    several = entry.row is not None and len(entry.row.called) > 1 and not entry.row.form_needed
    if entry.row is not None and not several:
        return entry.row.no, entry.above_boiling
    return normal(str(item.get("name") or item.get("cas"))), normal(str(item.get("form") or "")), entry.above_boiling


def _people(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _FlawError(Flaw("population_500m", "应为整数(厂区边界外 500 m 内常住人口)"))
    if not 0 <= value <= MAX_PEOPLE:
        raise _FlawError(Flaw("population_500m", f"应在 0–{MAX_PEOPLE} 之间"))
    return value


def _tonnes(field: str, item: Mapping[str, Any]) -> Fraction:
    if "q_t" not in item:
        raise _FlawError(Flaw(field, "必填:设计最大量,单位 t"))
    value = item["q_t"]
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _FlawError(Flaw(field, f"应为有限的数值(t),收到 {value!r}"[:120]))
    if value < 0:
        raise _FlawError(Flaw(field, "不能为负"))
    if value > MAX_TONNES:
        raise _FlawError(Flaw(field, f"过大:应不超过 {MAX_TONNES} t,请核对单位"))
    return Fraction(value)


def _text(field: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _FlawError(Flaw(field, "应为文本"))
    if len(value) > MAX_TEXT:
        raise _FlawError(Flaw(field, f"过长(最多 {MAX_TEXT} 字)"))
    return value.strip()


def _categories(field: str, value: Any) -> str | list[str]:
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, list) and len(value) <= MAX_TEXT and all(isinstance(part, str) for part in value):
        return value
    raise _FlawError(Flaw(field, "应为表2符号,如 W5.3;多种危险性写数组或用分号隔开"))


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _FlawError(Flaw(key, "同一个对象中写了两次"))
        found[key] = value
    return found


@dataclass(frozen=True, slots=True)
class _NoNumber:
    """What stands for a number that is none, until the field is known in which it stands."""

    text: str

    def __repr__(self) -> str:
        return self.text[:_MAX_DIGITS]


def _number(text: str) -> Decimal | _NoNumber:
    value = Decimal(text)
    fits = len(text) <= _MAX_DIGITS and -_MAX_DIGITS < value.adjusted() < _MAX_DIGITS
    return value if fits else _NoNumber(text)


def _integer(text: str) -> int | _NoNumber:
    return int(text) if len(text) <= _MAX_DIGITS else _NoNumber(text)
