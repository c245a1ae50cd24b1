"""Reading recordings: three file forms become one time-ordered batch and a list of what was wrong.

* long: columns ``point,ts,value[,quality]``, one sample a row;
* wide: a time column (``ts``, ``time``, ``timestamp``, ``时间``) and one column a tag;
* Tennessee Eastman text: whitespace-separated numbers in 52 columns, XMEAS(1)…XMEAS(41), XMV(1)…XMV(11), one row every
  three minutes; the normal run is distributed transposed (52 rows) and is turned round.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from hazwatch.access.columns import Columns
from hazwatch.access.directory import LinkConfig
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.faults import Refusal
from hazwatch.vocabulary.moments import CHINA, parse
from hazwatch.vocabulary.quality import Quality

TEP_COLUMNS: Final = tuple([f"XMEAS({i})" for i in range(1, 42)] + [f"XMV({i})" for i in range(1, 12)])
_TIMES: Final = ("ts", "time", "timestamp", "时间")
_NAMED_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Recording:
    """A file as samples.

    Attributes:
        batch: ordered by time.
        faults: (reason, detail with row numbers, count).
    """

    batch: SampleBatch
    faults: list[tuple[Refusal, str, int]] = field(default_factory=list)


class _Faults:
    """Collects row numbers by kind of fault."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Refusal, str], list[int]] = {}

    def add(self, reason: Refusal, what: str, row: int) -> None:
        self._rows.setdefault((reason, what), []).append(row)

    def list(self) -> list[tuple[Refusal, str, int]]:
        return [
            (
                reason,
                f"{what}(第 {'、'.join(map(str, rows[:_NAMED_ROWS]))} 行{' 等' if len(rows) > _NAMED_ROWS else ''})",
                len(rows),
            )
            for (reason, what), rows in self._rows.items()
        ]


def load(path: Path, link: LinkConfig, epoch: int, step_ms: int) -> Recording:
    """Read a recording.

    Args:
        path: ``.csv``, ``.parquet`` or Tennessee Eastman text.
        link: whose points the file holds.
        epoch: time of the first row of a file without times, epoch ms.
        step_ms: between two rows of such a file.

    Raises:
        ValueError: the file has none of the three forms, or no column is a known point.
        OSError: it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        names = [str(name) for name in table.column_names]
        # Row numbers count like those of a CSV with a header, so that both forms are talked about alike.
        rows: Iterable[Sequence[Any]] = zip(*(column.to_pylist() for column in table.columns), strict=True)
        recording = _table(names, rows, link)
    elif suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            recording = _table([name.strip() for name in next(reader, [])], reader, link)
    else:
        recording = _tep(path, link, epoch, step_ms)
    order = np.argsort(recording.batch.ts, kind="stable")
    batch = recording.batch
    return Recording(
        SampleBatch(batch.point[order], batch.ts[order], batch.value[order], batch.quality[order]), recording.faults
    )


def _table(names: list[str], rows: Iterable[Sequence[Any]], link: LinkConfig) -> Recording:
    lower = [name.lower() for name in names]
    if {"point", "ts", "value"} <= set(lower):
        return _long(lower, rows, link)
    time_at = next((i for i, name in enumerate(lower) if name in _TIMES), None)
    if time_at is None:
        raise ValueError("记录文件应有 point,ts,value 三列,或一个时间列加每个位号一列")
    return _wide(names, time_at, rows, link)


def _long(names: list[str], rows: Iterable[Sequence[Any]], link: LinkConfig) -> Recording:
    point_at, ts_at, value_at = (names.index(n) for n in ("point", "ts", "value"))
    quality_at = names.index("quality") if "quality" in names else None
    columns, faults = Columns(), _Faults()
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            faults.add(Refusal.TRUNCATED, f"列数不是 {len(names)}", number)
            continue
        point = link.points.get(str(row[point_at]).strip())
        if point is None:
            faults.add(Refusal.UNKNOWN_POINT, f"未登记指标 {str(row[point_at])[:40]}", number)
            continue
        try:
            ts = _time(row[ts_at])
        except ValueError:
            faults.add(Refusal.BAD_TIME, "时间无法识别", number)
            continue
        try:
            value = _number(row[value_at])
            quality = Quality(int(row[quality_at] or 0)) if quality_at is not None else Quality.GOOD
        except (ValueError, TypeError):
            faults.add(Refusal.WRONG_TYPE, "值或质量码不是数值", number)
            continue
        columns.add(point.index, ts, value * point.scale + point.offset, quality)
    return Recording(columns.take(), faults.list())


def _wide(names: list[str], time_at: int, rows: Iterable[Sequence[Any]], link: LinkConfig) -> Recording:
    known = [(i, link.points[name]) for i, name in enumerate(names) if name in link.points]
    if not known:
        raise ValueError("记录文件没有一列是该网关的位号")
    columns, faults = Columns(), _Faults()
    for i, name in enumerate(names):
        if i != time_at and name not in link.points:
            faults.add(Refusal.UNKNOWN_POINT, f"未登记的列 {name[:40]}", 1)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            faults.add(Refusal.TRUNCATED, f"列数不是 {len(names)}", number)
            continue
        try:
            ts = _time(row[time_at])
        except ValueError:
            faults.add(Refusal.BAD_TIME, "时间无法识别", number)
            continue
        for i, point in known:
            try:
                columns.add(point.index, ts, _number(row[i]) * point.scale + point.offset)
            except (ValueError, TypeError):
                faults.add(Refusal.WRONG_TYPE, f"列 {names[i][:40]} 的值不是数值", number)
    return Recording(columns.take(), faults.list())


def _tep(path: Path, link: LinkConfig, epoch: int, step_ms: int) -> Recording:
    lines = [line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines() if line.strip()]
    if len(lines) == len(TEP_COLUMNS) and len({len(line) for line in lines}) == 1 and len(lines[0]) != len(lines):
        lines = [list(line) for line in zip(*lines, strict=True)]
    points = [(i, link.points[name]) for i, name in enumerate(TEP_COLUMNS) if name in link.points]
    if not lines or Counter(map(len, lines)).most_common(1)[0][0] != len(TEP_COLUMNS):
        raise ValueError(f"{path.name} 不是 {len(TEP_COLUMNS)} 列的田纳西-伊斯曼数据")
    if not points:
        raise ValueError("该网关没有 XMEAS(n)/XMV(n) 地址的指标")
    columns, faults = Columns(), _Faults()
    for number, line in enumerate(lines, start=1):
        if len(line) != len(TEP_COLUMNS):
            faults.add(Refusal.TRUNCATED, f"列数不是 {len(TEP_COLUMNS)}", number)
            continue
        for i, point in points:
            try:
                value = float(line[i])
            except ValueError:
                faults.add(Refusal.WRONG_TYPE, f"{TEP_COLUMNS[i]} 的值不是数值", number)
                continue
            columns.add(point.index, epoch + (number - 1) * step_ms, value * point.scale + point.offset)
    return Recording(columns.take(), faults.list())


def _time(value: object) -> int:
    if isinstance(value, bool) or value is None:
        raise ValueError("no time")
    if isinstance(value, float):
        return int(value)
    return parse(value.isoformat() if hasattr(value, "isoformat") else str(value), zone=CHINA)


def _number(value: Any) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        return math.nan
    if isinstance(value, str) and "_" in value:
        raise ValueError("Python spelling of a number")
    return float(value)
