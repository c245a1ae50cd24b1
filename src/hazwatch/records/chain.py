"""Chains of records: each row's digest is SHA-256 over its content and the digest before it.

Changing, removing or inserting a row breaks the chain; a head (length and last digest) kept beside it tells when its
end was cut. Someone who can write the database could compute the whole chain anew: copy the head elsewhere to guard
against that. The audit log and the steps of the slips are such chains.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What the check of a chain found; ``broken_at`` is the number of the first row that does not fit."""

    length: int
    broken_at: int | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether the chain is whole."""
        return self.broken_at is None


def canonical(value: Any) -> str:
    """JSON with one form only: sorted keys, no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def link(content: Sequence[Any], previous: str) -> str:
    """The digest of a row: of its content (numbers and texts, in the order of its room) after the digest before it."""
    return hashlib.sha256(json.dumps([*content, previous], ensure_ascii=False).encode()).hexdigest()


def walk(rows: Iterable[tuple[int, Sequence[Any], str]], head: tuple[int, str]) -> ChainReport:
    """Follow a chain.

    Args:
        rows: number, content and digest of every row, by number; numbers count from 1 without gaps.
        head: how long the chain is and how it ends, as kept beside it.
    """
    previous, expected = GENESIS, 1
    for number, content, digest in rows:
        if number != expected:
            return ChainReport(expected - 1, expected, f"第 {expected} 条缺失")
        if digest != link(content, previous):
            return ChainReport(expected - 1, expected, f"第 {expected} 条内容被改动")
        previous, expected = digest, expected + 1
    if head != (expected - 1, previous):
        return ChainReport(expected - 1, expected, f"应有 {head[0]} 条,实有 {expected - 1} 条或末条不符")
    return ChainReport(expected - 1)
