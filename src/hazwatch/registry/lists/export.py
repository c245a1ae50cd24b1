"""A list as a file: XLSX or CSV, whole, with no text in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

from hazwatch.registry.columns import Titled

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Forms of a file, as the address ends.
ENDINGS = ("xlsx", "csv")
#: A text that a spreadsheet would read as a formula gets a mark before it in CSV.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_CHUNK = 1_000


def file_of(
    title: str, columns: Sequence[Titled], rows: Iterable[Mapping[str, Any]], ending: str, day: date
) -> Response:  # fmt: skip
    """The answer that a browser saves as ``title-day.ending``.

    Args:
        title: of the list.
        columns: in order.
        rows: by key of the column; a CSV is sent while they come.
        ending: one of ``ENDINGS``.
        day: in China.
    """
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{title}-{day.isoformat()}.{ending}')}"}
    if ending == "xlsx":
        from hazwatch.registry.sheets import table_book

        return Response(table_book(title, columns, rows), media_type=XLSX, headers=headers)
    return StreamingResponse(_csv(columns, rows), media_type="text/csv", headers=headers)


def _csv(columns: Sequence[Titled], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.title for column in columns])
    yield "\ufeff".encode()
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(row.get(column.key)) for column in columns])
        if number % _CHUNK == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
