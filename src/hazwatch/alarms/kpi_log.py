"""Reading a foreign alarm log: CSV with ``timestamp``, ``tag``, ``type``.

``type`` is the level (``H``, ``LL`` …); a `` NR`` after it means return to normal. Times may be date-times (read and
given back as they stand) or numbers: seconds, or milliseconds from 1e11 on. A row that cannot be read is refused
with its line and reason, and kept beside; the rest goes on.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from hazwatch.alarms.journal import AlarmLog
from hazwatch.vocabulary.moments import CHINA, from_ms, iso, to_ms

RETURN = " NR"
_COLUMNS = ("timestamp", "tag", "type")
#: A number from here on is in milliseconds: as seconds it would lie beyond the year 5000.
_MILLISECONDS = 1e11
_LONGEST = 200


class AlarmFileError(ValueError):
    """A file that is no alarm log at all, with the reason in Chinese."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken: its line in the file (the header is line 1), why, and its cells."""

    line: int
    reason: str
    cells: tuple[str, ...]


@dataclass(slots=True)
class ForeignLog:
    """A log with the way in which its file writes times.

    Attributes:
        log: what was read.
        form: ``naive`` (no zone), ``zoned``, ``seconds`` or ``milliseconds``.
        refused: rows that were not taken.
        rows: data rows of the file.
    """

    log: AlarmLog
    form: str
    rows: int
    refused: list[Refused] = field(default_factory=list)

    def moment(self, ms: int | None) -> str | float | None:
        """A moment as the file would write it."""
        if ms is None:
            return None
        if self.form == "seconds":
            return ms / 1000
        if self.form == "milliseconds":
            return ms
        if self.form == "zoned":
            return iso(ms)
        return from_ms(ms).astimezone(CHINA).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")

    def parse(self, text: str) -> int:
        """A moment that a person wrote in the form of the file, epoch ms.

        Raises:
            ValueError: no such form.
        """
        return _moment(text.strip())[0]


def read(path: Path) -> ForeignLog:
    """Read a file.

    Raises:
        AlarmFileError: no alarm log: empty, binary, or without the columns.
        OSError: it cannot be read.
    """
    return read_bytes(path.read_bytes(), path.name)


def read_bytes(content: bytes, name: str) -> ForeignLog:
    """Read the bytes of a file, UTF-8 or else GB 18030; see ``read``."""
    if b"\x00" in content:
        raise AlarmFileError(f"{name} 不是文本文件(含有空字节)")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    return read_text(text, name)


def read_text(text: str, name: str) -> ForeignLog:
    """Read the text of a file; see ``read``."""
    lines = _lines(text)
    header = next(lines, None)
    if header is None:
        raise AlarmFileError(f"{name} 是空文件,应有列 {'、'.join(_COLUMNS)}")
    places, headless = _places(header[1], name)
    reader = _Reader(places)
    if headless:
        reader.take(*header)
    for number, cells in lines:
        if any(cell.strip() for cell in cells):
            reader.take(number, cells)
    return reader.result()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), strict=False)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, [f"\ufffd{error}"]
            continue
        yield reader.line_num, cells


def _places(header: Sequence[str], name: str) -> tuple[tuple[int, int, int], bool]:
    """Where the three columns stand, and whether the first line is data already."""
    words = [cell.strip().lower() for cell in header]
    if all(column in words for column in _COLUMNS):
        return (words.index("timestamp"), words.index("tag"), words.index("type")), False
    try:
        _moment(header[0].strip())
    except (ValueError, IndexError):
        missing = [column for column in _COLUMNS if column not in words]
        raise AlarmFileError(f"{name} 缺少列 {'、'.join(missing)};首行应为 timestamp,tag,type") from None
    return (0, 1, 2), True


class _Reader:
    """Takes rows one by one; equal texts of times and alarms are read once."""

    def __init__(self, places: tuple[int, int, int]) -> None:
        self._places = places
        self._times: dict[str, tuple[int, str]] = {}
        self._alarms: dict[tuple[str, str], int] = {}
        self._forms: dict[str, int] = {}
        self._ts: list[int] = []
        self._alarm: list[int] = []
        self._active: list[bool] = []
        self._refused: list[Refused] = []
        self._rows = 0

    def take(self, line: int, cells: Sequence[str]) -> None:
        """One row."""
        self._rows += 1
        try:
            stamp, tag, kind = (cells[place].strip() for place in self._places)
        except IndexError:
            self._refuse(line, f"只有 {len(cells)} 列", cells)
            return
        active = not kind.upper().endswith(RETURN)
        kind = (kind if active else kind[: -len(RETURN)]).strip().upper()
        reason = self._fault(stamp, tag, kind)
        if reason:
            self._refuse(line, reason, cells)
            return
        ms, form = self._times[stamp]
        self._forms[form] = self._forms.get(form, 0) + 1
        self._ts.append(ms)
        self._alarm.append(self._alarms.setdefault((tag, kind), len(self._alarms)))
        self._active.append(active)

    def _fault(self, stamp: str, tag: str, kind: str) -> str:
        if not tag:
            return "没有位号(tag)"
        if not kind:
            return "没有类型(type)"
        if max(len(tag), len(kind)) > _LONGEST:
            return f"位号或类型超过 {_LONGEST} 个字符"
        if stamp not in self._times:
            try:
                self._times[stamp] = _moment(stamp)
            except ValueError:
                return f"时间无法识别:{stamp[:40]!r}"
        return ""

    def _refuse(self, line: int, reason: str, cells: Sequence[str]) -> None:
        self._refused.append(Refused(line, reason, tuple(cells)))

    def result(self) -> ForeignLog:
        """All of it as arrays."""
        log = AlarmLog.of(
            np.array(self._ts, np.int64), np.array(self._alarm, np.int64), np.array(self._active, np.bool_),
            list(self._alarms),
        )  # fmt: skip
        form = max(self._forms, key=lambda key: self._forms[key]) if self._forms else "naive"
        return ForeignLog(log, form, self._rows, self._refused)


def _moment(text: str) -> tuple[int, str]:
    """Epoch ms and the form of a written moment; one without a zone is read in Asia/Shanghai."""
    try:
        number = float(text)
    except ValueError:
        moment = _date_time(text)
        if moment.tzinfo is None:
            return to_ms(moment.replace(tzinfo=CHINA)), "naive"
        return to_ms(moment), "zoned"
    if not math.isfinite(number) or abs(number) > 1e15:  # noqa: PLR2004  # beyond any calendar
        raise ValueError(text)
    if abs(number) >= _MILLISECONDS:
        return round(number), "milliseconds"
    return round(number * 1000), "seconds"


def _date_time(text: str) -> datetime:
    """ISO 8601, or year/month/day as spreadsheets write it."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        day, _, clock = text.replace("/", "-").partition(" ")
        year, month, date = day.split("-")
        hour, _, rest = (clock or "0:0").partition(":")
        return datetime.fromisoformat(f"{year}-{int(month):02d}-{int(date):02d} {int(hour):02d}:{rest}")


def keep_refused(refused: Sequence[Refused], path: Path) -> Path:
    """Write the refused rows beside the file: line, reason, and the row as it came. Returns where.

    Raises:
        OSError: there is no writing there.
    """
    beside = path.with_name(path.stem + ".rejected.csv")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "row"))
        writer.writerows((item.line, item.reason, ",".join(item.cells)) for item in refused)
    return beside
