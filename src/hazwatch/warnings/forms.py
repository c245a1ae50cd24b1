"""A warning in the form of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import iso
from hazwatch.vocabulary.warnings import WarningKind
from hazwatch.warnings.model import CAUSES


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the list."""
    terms = orjson.loads(row["terms"])
    causes = orjson.loads(row["causes"])
    cleared = row["cleared_at"]
    return {
        "id": row["id"], "kind": row["kind"], "kind_zh": WarningKind(row["kind"]).zh, "object": row["object"],
        "name": row["name"], "cause": row["cause"], "causes": [{"id": c, "name": cause_zh(c, terms)} for c in causes],
        "colour": Colour(row["colour"]).word, "worst": Colour(row["worst"]).word,
        "state": "standing" if cleared is None else "cleared", "raised_at": iso(row["raised_at"]),
        "changed_at": iso(row["changed_at"]), "cleared_at": None if cleared is None else iso(cleared),
        "grade": row["grade"], "reason": row["reason"], "simulated": row["simulated"],
    }  # fmt: skip


def cause_zh(cause: str, terms: list[dict[str, Any]]) -> str:
    """A cause in Chinese: one of the room's own, or the name of its term."""
    return CAUSES.get(cause) or next((str(t["name"]) for t in terms if t["id"] == cause), cause)
