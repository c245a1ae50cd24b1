"""Reasons for refusing input, and the record that keeps what was refused where a person can see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why input was refused. The words are part of the API (docs/api.md, dead letters)."""

    NOT_A_NUMBER = "not_a_number"
    UNKNOWN_POINT = "unknown_point"
    UNKNOWN_GATEWAY = "unknown_gateway"
    BAD_SIGNATURE = "bad_signature"
    BAD_KEY = "bad_key"
    BAD_TIME = "bad_time"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    WRONG_TYPE = "wrong_type"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused input.

    Attributes:
        link: gateway code or listener name it came through ("" when even that is unknown).
        reason: why.
        detail: what exactly, in Chinese, for the person who opens the list.
        at: arrival, epoch ms UTC.
        count: how many like it this letter stands for.
        excerpt: the beginning of the input, printable, at most 500 characters, never a secret.
    """

    link: str
    reason: Refusal
    detail: str
    at: int
    count: int = 1
    excerpt: str = ""
