"""The alarm log as a file: CSV, XLSX, Parquet. Each file's SHA-256 is kept, so that whoever holds it can verify it."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from hazwatch.alarms.listing import AlarmFilter, everything
from hazwatch.alarms.tables import AlarmExport
from hazwatch.documents.cells import cell
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, reading
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.moments import iso

COLUMNS = (
    ("event_time", "报警时间"), ("level", "当前级别"), ("worst_level", "最高级别"), ("state", "状态"), ("kind", "类别"),
    ("enterprise_name", "企业"), ("source_name", "重大危险源"), ("point", "指标编码"), ("point_name", "指标"),
    ("value", "报警值"), ("limit", "限值"), ("unit", "单位"), ("arrived_at", "到达时间"), ("returned_at", "恢复时间"),
    ("acknowledged_by", "确认人"), ("acknowledged_at", "确认时间"), ("note", "备注"), ("closed_at", "关闭时间"),
    ("found_late", "迟到发现"), ("revoked", "已更正撤销"), ("simulated", "模拟"), ("id", "编号"),
)  # fmt: skip
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
_CHUNK = 1 << 20
_ROWS_TOGETHER = 10_000
#: Files up to this size never touch the disk while they are made.
_IN_MEMORY = 8 << 20


class Made:
    """A finished file: its bytes wait in ``file``, with their number, rows and SHA-256."""

    def __init__(self, file: IO[bytes], rows: int) -> None:
        self.file = file
        self.rows = rows
        digest = hashlib.sha256()
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        while part := file.read(_CHUNK):
            digest.update(part)
        self.sha256 = digest.hexdigest()

    def parts(self) -> Iterator[bytes]:
        """The bytes, for an answer."""
        self.file.seek(0)
        while part := self.file.read(_CHUNK):
            yield part
        self.file.close()


def make(sessions: Sessions, who: Principal, wanted: AlarmFilter, form: str) -> Made:
    """The whole filtered list as a file of a form in ``KINDS``."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # handed on, closed when it was sent
    with reading(sessions) as session:
        items = everything(session, who, wanted)
        rows = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[form](items, file)
    return Made(file, rows)


def _csv(items: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    text.write("\ufeff" + ",".join(zh for _, zh in COLUMNS) + "\r\n")
    # With its own line ends (RFC 4180) the writer also quotes a cell that holds a lone carriage return.
    writer, rows = csv.writer(text), 0
    for item in items:
        writer.writerow([cell(item[name]) for name, _ in COLUMNS])
        rows += 1
    text.flush()
    text.detach()
    return rows


def _xlsx(items: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("报警")
    sheet.append([zh for _, zh in COLUMNS])
    rows = 0
    for item in items:
        sheet.append([cell(item[name]) for name, _ in COLUMNS])
        rows += 1
    book.save(file)
    return rows


_NUMBERS, _FLAGS = {"value", "limit"}, {"found_late", "revoked", "simulated"}


def _parquet(items: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    """Names as in the API; times as UTC milliseconds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def kind(name: str) -> Any:
        if name in _NUMBERS:
            return pa.float64()
        if name in _FLAGS:
            return pa.bool_()
        return pa.timestamp("ms", tz="UTC") if name.endswith(("_time", "_at")) else pa.string()

    schema = pa.schema([(name, kind(name)) for name, _ in COLUMNS])
    rows = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in _batched(items):
            arrays = [
                pa.array([item[name] for item in part], pa.string()).cast(field.type)
                if pa.types.is_timestamp(field.type)
                else pa.array([item[name] for item in part], field.type)
                for (name, _), field in zip(COLUMNS, schema, strict=True)
            ]
            writer.write_table(pa.table(arrays, schema=schema))
            rows += len(part)
    return rows


def _batched(items: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while part := list(itertools.islice(items, _ROWS_TOGETHER)):
        yield part


def keep(session: Session, who: Principal, made: Made, form: str, wanted: AlarmFilter, at: int) -> None:
    """Remember what left the system."""
    asked = {name: value for name, value in asdict(wanted).items() if value}
    row = {
        "at": at, "by": who.username, "format": form, "filter": orjson.dumps(asked).decode(), "rows": made.rows,
        "size": made.size, "sha256": made.sha256, "path": who.scope,
    }  # fmt: skip
    session.execute(insert(AlarmExport), [row])


def digest(file: IO[bytes]) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    while part := file.read(_CHUNK):
        found.update(part)
    return found.hexdigest()


def verify(session: Session, who: Principal, sha256: str) -> dict[str, Any] | None:
    """The export that a checksum belongs to; None when no file of this system has it."""
    statement = scoped(select(AlarmExport).where(AlarmExport.sha256 == sha256), who, AlarmExport)
    row = session.scalar(statement.order_by(AlarmExport.id.desc()).limit(1))
    return None if row is None else _form(row)


def page(session: Session, who: Principal, request: PageRequest) -> Page[dict[str, Any]]:
    """Exports in scope, newest first."""
    statement = scoped(select(AlarmExport), who, AlarmExport)
    rows = session.scalars(statement.order_by(AlarmExport.id.desc()).offset(request.offset).limit(request.page_size))
    return Page([_form(row) for row in rows], count(session, statement), request.page, request.page_size)


def _form(row: AlarmExport) -> dict[str, Any]:
    return {
        "id": row.id, "at": iso(row.at), "by": row.by, "format": row.format, "filter": orjson.loads(row.filter),
        "rows": row.rows, "size": row.size, "sha256": row.sha256,
    }  # fmt: skip
