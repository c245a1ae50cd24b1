"""ClickHouse's Native format for columns of plain numbers: both ends are arrays, so no row is ever looked at.

A block is: number of columns, number of rows, then for each column its name, its type and its values, little-endian.
Numbers and lengths are varints. Every version of the server speaks it over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: dict[str, np.dtype[Any]] = {
    "UInt8": np.dtype("<u1"),
    "UInt32": np.dtype("<u4"),
    "UInt64": np.dtype("<u8"),
    "Int64": np.dtype("<i8"),
    "Float64": np.dtype("<f8"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >> 7:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """One block of columns of equal length.

    Raises:
        KeyError: a column of another type than the stores use.
    """
    rows = len(next(iter(columns.values())))
    parts = [_varint(len(columns)), _varint(rows)]
    for name, values in columns.items():
        kind = _NAMES[values.dtype].encode()
        word = name.encode()
        parts += [_varint(len(word)), word, _varint(len(kind)), kind, np.ascontiguousarray(values).tobytes()]
    return b"".join(parts)


class _Reader:
    """Walks over the bytes of an answer."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._data[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004  # the format's own mark
                return number
            shift += 7

    def word(self) -> str:
        length = self.varint()
        self.at += length
        return self._data[self.at - length : self.at].decode()

    def values(self, kind: str, rows: int) -> NDArray[Any]:
        dtype = _TYPES[kind]
        found = np.frombuffer(self._data, dtype, rows, self.at)
        self.at += rows * dtype.itemsize
        return found


def decode(data: bytes) -> dict[str, NDArray[Any]]:
    """All blocks of an answer as one; empty when there is no block at all.

    Raises:
        ValueError: cut short, or of a type that the stores do not use.
    """
    reader = _Reader(data)
    found: dict[str, list[NDArray[Any]]] = {}
    try:
        while reader.at < len(data):
            columns, rows = reader.varint(), reader.varint()
            for _ in range(columns):
                name, kind = reader.word(), reader.word()
                found.setdefault(name, []).append(reader.values(kind, rows))
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"the history's answer cannot be read: {error!r}") from error
    return {name: np.concatenate(parts) for name, parts in found.items()}
