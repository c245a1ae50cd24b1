"""The judge on files: ``hazwatch judge SAMPLES.csv --limits LIMITS.csv --out ALARMS.csv``.

The same judge as in the stream, fed from a file in batches. The output is the alarm history that all samples add up
to, in order of event time and point, so it does not depend on the batch size; for input shuffled in time it differs
only in the column ``found_late``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from hazwatch.judge.judge import OnDeferred, Rows, from_history, judge, tick
from hazwatch.judge.limits import Limits
from hazwatch.judge.outcome import Outcome
from hazwatch.judge.state import JudgeState, fresh
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary import moments
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.quality import Quality

HEADER = ["point", "event_ts", "from", "to", "level", "value", "limit", "found_late"]
_SAMPLE_COLUMNS = ("point", "ts", "value", "quality")
_LIMIT_COLUMNS = ("point", "ll", "l", "h", "hh", "deadband", "on_delay_s", "off_delay_s")
_LONGEST_MEMORY = 4096
#: Moments further than this from 1970 are slips of the pen (the years 5 and 3934).
_CALENDAR_MS = 62_000_000_000_000


class FileFormatError(ValueError):
    """The file as a whole cannot be used; says what is wrong and what is expected."""


@dataclass(slots=True)
class Refused:
    """Rows of a file that could not be used."""

    rows: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, line: int, reason: str, text: str) -> None:
        """Keep one row: its line number in the file, why, and what stood there."""
        self.rows.append((line, reason, text))

    def write(self, path: Path) -> None:
        """Write them to a CSV beside the output."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "reason", "text"])
            writer.writerows(self.rows)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    samples: int
    points: int
    rows: int
    refused: int
    without_limits: int


def judge_files(samples: Path, limits: Path, out: Path, batch: int = 10_000) -> Report:
    """Judge a file of samples.

    Args:
        samples: CSV ``point,ts,value,quality``; ts in ISO 8601 (UTC when it names no zone) or epoch ms.
        limits: CSV ``point,ll,l,h,hh,deadband,on_delay_s,off_delay_s``, empty = none.
        out: CSV to write, ``HEADER``; times in the form of the input.
        batch: samples judged at once.

    Raises:
        FileFormatError: a file that cannot be read at all, or limits that are wrong.
    """
    if batch < 1:
        raise FileFormatError(f"--batch 应不小于 1,收到 {batch}")
    names, table = read_limits(limits)
    refused = Refused()
    all_samples, names, iso = _read_samples(samples, names, refused)
    known = len(table)
    table = _padded(table, len(names))
    outcome = _judge_all(all_samples, table, batch)
    rows, late = outcome.rows()
    _write(out, names, rows, late, iso=iso)
    rejected = out.with_suffix(".rejected.csv")
    rejected.unlink(missing_ok=True)
    if refused.rows:
        refused.write(rejected)
    return Report(len(all_samples), len(names), len(rows), len(refused.rows), len(names) - known)


def _judge_all(samples: SampleBatch, limits: Limits, size: int) -> Outcome:
    memory = min(int(_depth(samples.point, samples.ts, len(limits))) + 2, _LONGEST_MEMORY)
    state = fresh(len(limits), memory)
    outcome = Outcome()
    from_file = _FromFile(samples, state, limits)
    for start in range(0, len(samples), size):
        part = samples.take(slice(start, start + size))
        outcome.add(judge(state, limits, part, from_file.at(start)).rows)
    if len(samples):
        outcome.add(tick(state, limits, int(samples.ts.max())))
    return outcome


@dataclass(frozen=True, slots=True)
class _FromFile:
    """Judges a sample that is older than the judge's memory from the part of the file read so far."""

    samples: SampleBatch
    state: JudgeState
    limits: Limits

    def at(self, start: int) -> OnDeferred:
        """For the batch that begins at ``start``."""

        def judged(position: int) -> Rows:
            m = start + position
            i = int(self.samples.point[m])
            own = np.flatnonzero(self.samples.point[: m + 1] == i)
            ts, value, quality = self.samples.ts[own], self.samples.value[own], self.samples.quality[own]
            older = ts <= self.state.base.ts[i]
            ts, value, quality = ts[older], value[older], quality[older]
            # Of samples with one event time the better quality stands, then the greater value.
            order = np.lexsort((-np.nan_to_num(value, nan=-np.inf), quality, ts))
            ts, value, quality = ts[order], value[order], quality[order]
            first = np.concatenate([[True], ts[1:] != ts[:-1]])
            return from_history(self.state, self.limits, i, ts[first], value[first], quality[first])

        return judged


@njit(cache=True)
def _depth(point: NDArray[np.uint32], ts: NDArray[np.int64], points: int) -> int:
    """How many newer samples of its point stand before the worst latecomer, at most ``_LONGEST_MEMORY``."""
    seen = np.zeros(points, np.int64)
    for i in point:
        seen[i] += 1
    start = np.zeros(points + 1, np.int64)
    for i in range(points):
        start[i + 1] = start[i] + seen[i]
    ordered = np.empty(len(point), np.int64)
    seen[:] = 0
    worst = 0
    for m in range(len(point)):
        i = point[m]
        j = start[i] + seen[i]
        floor = max(start[i], j - _LONGEST_MEMORY)
        depth = 0
        while j > floor and ordered[j - 1] > ts[m]:
            ordered[j] = ordered[j - 1]
            j -= 1
            depth += 1
        ordered[j] = ts[m]
        seen[i] += 1
        worst = max(worst, depth)
    return worst


def read_limits(path: Path) -> tuple[dict[str, int], Limits]:
    """Read a limits file: names of the points in file order, and their limits.

    Raises:
        FileFormatError: a missing column, a number that is none, a point twice, a negative deadband or delay.
    """
    table = _read_strings(path, _LIMIT_COLUMNS, needed=("point",))
    names: dict[str, int] = {}
    numbers = np.full((table.num_rows, 7), np.nan)
    columns = [table.column(name).to_pylist() for name in _LIMIT_COLUMNS]
    for line, row in enumerate(zip(*columns, strict=True)):
        name = (row[0] or "").strip()
        if not name or name in names:
            raise FileFormatError(f"{path} 第 {line + 2} 行:指标 {name!r} 为空或重复")
        names[name] = line
        for k, text in enumerate(row[1:]):
            numbers[line, k] = _number(text, path, line + 2, _LIMIT_COLUMNS[k + 1])
    extra = np.nan_to_num(numbers[:, 4:])
    if (extra < 0).any():
        raise FileFormatError(f"{path}:死区和延时不能为负")
    delays = np.rint(extra[:, 1:] * 1000).astype(np.int64)
    return names, Limits(1, numbers[:, :4].copy(), extra[:, 0].copy(), delays[:, 0].copy(), delays[:, 1].copy())


def _number(text: str | None, path: Path, line: int, column: str) -> float:
    if text is None or not text.strip():
        return np.nan
    try:
        return float(text)
    except ValueError as error:
        raise FileFormatError(f"{path} 第 {line} 行 {column} 列:{text!r} 不是数值") from error


def _read_strings(path: Path, wanted: tuple[str, ...], needed: tuple[str, ...]) -> pa.Table:
    """All columns as text; a column that is not needed may be missing."""
    try:
        with path.open("rb") as file:
            only_header = b"\n" not in file.read(1_000_000)
        if only_header:
            # A header alone, without its line end, is an empty table; Arrow would call it no table at all.
            text = path.read_text(encoding="utf-8-sig").strip()
            columns = text.split(",") if text else []
            return _selected(pa.table({name: pa.array([], pa.string()) for name in columns}), path, wanted, needed)
        names = arrow_csv.open_csv(path).schema.names
        kinds = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
        table = arrow_csv.read_csv(path, convert_options=kinds)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileFormatError(f"无法读取 {path}:{error}") from error
    return _selected(table, path, wanted, needed)


def _selected(table: pa.Table, path: Path, wanted: tuple[str, ...], needed: tuple[str, ...]) -> pa.Table:
    """The wanted columns in their order."""
    table = table.rename_columns([name.strip().lstrip("\ufeff").lower() for name in table.column_names])
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise FileFormatError(f"{path} 缺少列 {','.join(missing)};应有 {','.join(wanted)}")
    for name in wanted:
        if name not in table.column_names:
            table = table.append_column(name, pa.array([""] * table.num_rows, pa.string()))
    return table.select(wanted)


def _read_samples(path: Path, names: dict[str, int], refused: Refused) -> tuple[SampleBatch, dict[str, int], bool]:
    table = _read_strings(path, _SAMPLE_COLUMNS, needed=("point", "ts", "value"))
    ts, ts_ok, iso = _times(table.column("ts"))
    value, value_ok = _floats(table.column("value"))
    quality, quality_ok = _qualities(table.column("quality"))
    point_names = pc.utf8_trim_whitespace(table.column("point")).combine_chunks().dictionary_encode()
    if isinstance(point_names, pa.ChunkedArray):
        point_names = point_names.combine_chunks()
    words = point_names.dictionary.to_pylist()
    names = dict(names)
    place = np.array([names.setdefault(word, len(names)) if word else -1 for word in words] or [0], np.int64)
    point = place[point_names.indices.to_numpy(zero_copy_only=False)] if table.num_rows else np.zeros(0, np.int64)
    reasons = (("bad_time", ts_ok), ("wrong_type", value_ok), ("malformed", quality_ok), ("unknown_point", point >= 0))
    good = np.ones(table.num_rows, np.bool_)
    for reason, ok in reasons:
        for line in np.flatnonzero(good & ~ok).tolist():
            refused.add(line + 2, reason, ",".join(str(c[line]) for c in table.columns))
        good &= ok
    quality = np.where(np.isfinite(value), quality, np.uint8(Quality.NOT_A_NUMBER))
    value = np.where(np.isfinite(value), value, np.nan)
    return SampleBatch.of(point[good], ts[good], value[good], quality[good]), names, iso


def _times(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.bool_], bool]:
    """Epoch ms, which of them could be read, and whether any was written as ISO 8601."""
    text = pc.utf8_trim_whitespace(column)
    digits = pc.match_substring_regex(text, r"^-?\d{1,17}$").to_numpy()
    if digits.all():
        out = pc.cast(text, pa.int64()).to_numpy()
        return out, digits & _in_calendar(out), False
    iso = pc.match_substring_regex(text, r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?$")
    shaped = iso.to_numpy()
    out = np.zeros(len(text), np.int64)
    ok = digits.copy()
    out[digits] = pc.cast(pc.filter(text, pa.array(digits)), pa.int64()).to_numpy()
    try:
        out[shaped] = _iso_ms(pc.filter(text, pa.array(shaped)))
        ok |= shaped
    except pa.ArrowInvalid:
        # One of them is no date (a 13th month, say): find out which.
        for k in np.flatnonzero(shaped).tolist():
            try:
                out[k] = moments.parse(text[k].as_py())
                ok[k] = True
            except ValueError:
                continue
    return out, ok & _in_calendar(out), bool(shaped.any())


def _in_calendar(ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which moments lie within the years that a date can be written for; timers must be able to run beyond them."""
    return (ms > -_CALENDAR_MS) & (ms < _CALENDAR_MS)


def _iso_ms(text: pa.ChunkedArray) -> NDArray[np.int64]:
    """Epoch ms of ISO 8601 texts; one that names no zone is UTC.

    Raises:
        pa.ArrowInvalid: one of them is no date.
    """
    zoned = pc.match_substring_regex(text, r"(Z|[+-]\d\d:?\d\d)$")
    whole = pc.if_else(zoned, text, pc.binary_join_element_wise(text, "Z", ""))
    ns = pc.cast(pc.cast(whole, pa.timestamp("ns", "UTC")), pa.int64()).to_numpy()
    return ns // 1_000_000


def _floats(column: pa.ChunkedArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values; an empty cell is NaN, a text that is no number is refused."""
    text = pc.utf8_trim_whitespace(column)
    number = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|NaN|NAN|inf|Inf|-inf|Infinity)?$"
    ok = pc.match_substring_regex(text, number).to_numpy()
    clean = pc.if_else(pc.and_(pa.array(ok), pc.not_equal(text, "")), text, "nan")
    return pc.cast(clean, pa.float64()).to_numpy().copy(), ok


def _qualities(column: pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    text = pc.utf8_trim_whitespace(column)
    ok = pc.match_substring_regex(text, r"^[0-8]?(\.0)?$").to_numpy()
    clean = pc.if_else(pc.and_(pa.array(ok), pc.not_equal(text, "")), pc.utf8_slice_codeunits(text, 0, 1), "0")
    return pc.cast(clean, pa.uint8()).to_numpy().copy(), ok


def _padded(limits: Limits, points: int) -> Limits:
    """The same limits with room for points that have none."""
    extra = Limits.none(points - len(limits))
    return Limits(
        limits.version,
        np.concatenate([limits.threshold, extra.threshold]),
        np.concatenate([limits.deadband, extra.deadband]),
        np.concatenate([limits.on_delay_ms, extra.on_delay_ms]),
        np.concatenate([limits.off_delay_ms, extra.off_delay_ms]),
    )


def _write(path: Path, names: dict[str, int], rows: Rows, late: NDArray[np.bool_], *, iso: bool) -> None:
    by_index = list(names)
    order: Iterable[int] = np.lexsort(([by_index[i] for i in rows["point"]], rows["event_ts"])) if len(rows) else []
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for k in order:
            row = rows[k]
            ts = int(row["event_ts"])
            writer.writerow(
                [
                    by_index[int(row["point"])],
                    moments.iso(ts) if iso else ts,
                    *(Level(int(row[name])).word for name in ("from_level", "to_level", "level")),
                    repr(float(row["value"])),
                    "" if np.isnan(row["limit"]) else repr(float(row["limit"])),
                    int(late[k]),
                ]
            )
