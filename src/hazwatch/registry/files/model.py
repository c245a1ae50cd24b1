"""What a file is made of: groups of fields, and the rules for one value. Pure: no database, no clock.

One declaration serves the form, the workbook, completeness and the API. A file is ``Content``: group → row → field →
value. A group that has one row only keeps it under the empty row id. A list that truly has nothing says so with the
row ``NONE`` and a reason, because an empty list may also mean that nobody has filled it in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from typing import Any

import shapely

#: A value of a field: text, number, truth, or a GeoJSON geometry. An empty field is absent.
Value = Any
Row = Mapping[str, Value]
Content = Mapping[str, Mapping[str, Row]]

SINGLE = ""
NONE = "@none"
REASON = "reason"

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LINES = re.compile(r"[\n\t]")
_ROW_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,35}")
_PHONE = re.compile(r"\+?[0-9][0-9 \-]{4,19}")
_CAS = re.compile(r"\d{2,7}-\d{2}-\d")
_GEOMETRIES = ("Point", "LineString", "Polygon", "MultiPolygon")
MAX_VERTICES = 20_000


class OwnerKind(StrEnum):
    """Whose file it is."""

    ENTERPRISE = "enterprise"
    PARK = "park"

    @property
    def zh(self) -> str:
        """The word on screen."""
        return "企业" if self is OwnerKind.ENTERPRISE else "园区"


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"
    PHONE = "phone"
    CAS = "cas"
    GEOMETRY = "geometry"


class Filler(Enum):
    """Who must fill a field in. What a regulator fills in, the enterprise reads."""

    ENTERPRISE = "企业"
    PARK = "园区管理机构"
    REGULATOR = "应急管理部门"


class BadValueError(ValueError):
    """A value that the field cannot hold, with the reason in Chinese."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        key: name in the content.
        title: on screen and in the workbook.
        kind: what it holds.
        must: counts for completeness.
        weight: share of the field within its row.
        approved: a change waits for a second person.
        ends: a date that ends the validity of the row.
        column: the column of the registry table that holds it; empty = held by the file itself.
        choices: of ``Kind.CHOICE``.
        limit: longest text.
        low, high: bounds of a number.
        unit: of a number.
        hint: what to fill in.
    """

    key: str
    title: str
    kind: Kind = Kind.TEXT
    must: bool = False
    weight: float = 1.0
    approved: bool = False
    ends: bool = False
    column: str = ""
    choices: tuple[str, ...] = ()
    limit: int = 200
    low: float | None = None
    high: float | None = None
    unit: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of fields.

    Attributes:
        key: name in the content.
        title: on screen.
        fields: in order; the first names a row.
        filler: who fills it in.
        many: a list of rows, else one row.
        weight: share of the group in the score; 0 = not asked for.
        may_be_none: the list may be declared empty, with a reason.
        table: key of the registry's sheet whose rows these are; their ids are its codes.
        clause: where the demand comes from, where that is known.
    """

    key: str
    title: str
    fields: tuple[Field, ...]
    filler: Filler = Filler.ENTERPRISE
    many: bool = False
    weight: float = 1.0
    may_be_none: bool = False
    table: str = ""
    clause: str = ""

    def field(self, key: str) -> Field | None:
        """The field of this key."""
        return next((field for field in self.fields if field.key == key), None)


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of document; ``must``: its absence is a gap. ``only_with``: only where that group has rows."""

    key: str
    title: str
    must: bool = False
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """The declaration of a file."""

    owner: OwnerKind
    title: str
    groups: tuple[Group, ...]
    documents: tuple[DocumentKind, ...]

    def group(self, key: str) -> Group | None:
        """The group of this key."""
        return next((group for group in self.groups if group.key == key), None)


def checked(field: Field, given: Value) -> Value:
    """The value as it is kept; None for an empty one.

    Raises:
        BadValueError: with the reason in Chinese.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    return _CHECKS[field.kind](field, given)


def check_row_id(row: str) -> str:
    """Return the id of a row if it has the right form, else raise BadValueError."""
    if not _ROW_ID.fullmatch(row):
        raise BadValueError("行编号应为 1–36 位字母、数字或 _ . -")
    return row


def ends_of(group: Group, row: Row) -> Iterator[date]:
    """The dates that end the validity of a row."""
    for field in group.fields:
        if field.ends and (text := row.get(field.key)):
            yield date.fromisoformat(text)


def row_title(group: Group, row: Row) -> str:
    """What a row is called: the values of its first fields."""
    words = [str(row[field.key]) for field in group.fields[:3] if row.get(field.key) not in (None, "")]
    return words[0] if words else ""


def _text(field: Field, given: Value) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise BadValueError("应为文本")
    if isinstance(given, float) and given.is_integer():
        given = int(given)  # a spreadsheet keeps a code of digits as a number
    text = str(given).strip()
    if len(text) > field.limit:
        raise BadValueError(f"不能超过 {field.limit} 个字符")
    if _INVISIBLE.search(text) or (field.kind is not Kind.LONG and _LINES.search(text)):
        raise BadValueError("含有不可见字符(换行、制表符或控制字符)")
    return text


def _number(field: Field, given: Value) -> float | int:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise BadValueError("应为数值")
    try:
        number = float(given)
    except (ValueError, OverflowError) as error:
        raise BadValueError(f"应为数值,收到 {str(given)[:40]!r}") from error
    if not math.isfinite(number):
        raise BadValueError("应为有限的数值")
    if field.low is not None and number < field.low:
        raise BadValueError(f"不能小于 {field.low:g}")
    if field.high is not None and number > field.high:
        raise BadValueError(f"不能大于 {field.high:g}")
    if field.kind is Kind.INTEGER:
        if not number.is_integer():
            raise BadValueError("应为整数")
        return int(number)
    # Spreadsheets carry 15 digits and no negative zero.
    return float(f"{number:.15g}") + 0.0


def _date(_field: Field, given: Value) -> str:
    if not isinstance(given, str):
        raise BadValueError("应为日期,例:2026-11-25")
    text = given.strip().replace("/", "-").replace(".", "-")
    try:
        year, month, day = (int(part) for part in text.split("-"))
        found = date(year, month, day)
    except ValueError as error:
        raise BadValueError(f"应为日期(例:2026-11-25),收到 {given[:40]!r}") from error
    if not 1900 <= found.year <= 2200:  # noqa: PLR2004  # a slip of the pen, not a date
        raise BadValueError("年份应在 1900–2200 之间")
    return found.isoformat()


def _yes_no(_field: Field, given: Value) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).strip()
    if word in {"是", "1", "true"}:
        return True
    if word in {"否", "0", "false"}:
        return False
    raise BadValueError(f"应为 是 或 否,收到 {word[:40]!r}")


def _one_of(field: Field, given: Value) -> str:
    word = str(int(given) if isinstance(given, float) and given.is_integer() else given).strip()
    if word not in field.choices:
        raise BadValueError(f"应为 {'、'.join(field.choices)} 之一,收到 {word[:40]!r}")
    return word


def _phone(field: Field, given: Value) -> str:
    return _shaped(field, given, _PHONE, "电话应为 5–20 位数字,可含 - 和空格")


def _shaped(field: Field, given: Value, shape: re.Pattern[str], reason: str) -> str:
    text = _text(field, given)
    if not shape.fullmatch(text):
        raise BadValueError(f"{reason},收到 {text[:40]!r}")
    return text


def _cas(field: Field, given: Value) -> str:
    text = _shaped(field, given, _CAS, "CAS 号形式为 67-56-1")
    digits = text.replace("-", "")
    if sum(place * int(digit) for place, digit in enumerate(reversed(digits[:-1]), 1)) % 10 != int(digits[-1]):
        raise BadValueError(f"CAS 号 {text} 的校验位不对")
    return text


def _geometry(_field: Field, given: Value) -> dict[str, Any]:
    """A GeoJSON geometry of finite positions; polygons do not cross themselves."""
    if not isinstance(given, Mapping) or given.get("type") not in _GEOMETRIES:
        raise BadValueError(f"应为 GeoJSON 几何({'、'.join(_GEOMETRIES)})")
    coordinates = given.get("coordinates")
    positions = list(_positions(coordinates, 0))
    if not 1 <= len(positions) <= MAX_VERTICES:
        raise BadValueError(f"坐标点数应在 1–{MAX_VERTICES} 之间")
    for lon, lat in positions:
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):  # noqa: PLR2004  # degrees
            raise BadValueError(f"坐标 ({lon:g}, {lat:g}) 超出经纬度范围")
    try:
        shape = shapely.geometry.shape(given)
    except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError) as error:
        raise BadValueError("几何不完整:面的每个环至少 4 个点,首尾相同") from error
    if not shape.is_valid:
        raise BadValueError(f"面自相交或环不闭合({shapely.is_valid_reason(shape)[:80]})")
    return {"type": given["type"], "coordinates": coordinates}


def _positions(part: Value, depth: int) -> Iterator[tuple[float, float]]:
    if not isinstance(part, list | tuple) or not part or depth > 4:  # noqa: PLR2004  # the depth of a MultiPolygon
        raise BadValueError("坐标应为 GeoJSON 数组")
    if all(isinstance(item, int | float) and not isinstance(item, bool) for item in part):
        if len(part) not in {2, 3} or not all(math.isfinite(item) for item in part):
            raise BadValueError("每个坐标应为 [经度, 纬度]")
        yield float(part[0]), float(part[1])
        return
    for item in part:
        yield from _positions(item, depth + 1)


_CHECKS: Mapping[Kind, Callable[[Field, Value], Value]] = {
    Kind.TEXT: _text,
    Kind.LONG: _text,
    Kind.NUMBER: _number,
    Kind.INTEGER: _number,
    Kind.DATE: _date,
    Kind.YES_NO: _yes_no,
    Kind.CHOICE: _one_of,
    Kind.PHONE: _phone,
    Kind.CAS: _cas,
    Kind.GEOMETRY: _geometry,
}
