"""Sparkplug B data types (specification v3.0, 6.4.16)."""

from __future__ import annotations

from enum import IntEnum


class DataType(IntEnum):
    """Numbers in ``Metric.datatype``."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14


#: ``Quality`` property of a metric: anything else than GOOD (or absent) means the source does not stand behind it.
QUALITY_GOOD = 192
