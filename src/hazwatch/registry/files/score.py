"""How complete a file is, what is missing, and who must fill it in. Pure.

Each group has a weight; a list shares it among its rows, so that a works with many tanks is not judged by its tanks
alone. What waits for approval does not count; what has expired does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from hazwatch.registry.files.model import NONE, REASON, SINGLE, Content, Field, Group, Row, Schema, ends_of, row_title

#: A validity that ends within these days is shown as ending soon.
SOON_DAYS = 90
_DOCUMENTS_WEIGHT = 10.0
ABSENT, EXPIRED, EMPTY = "未填写", "已过期", "没有任何一行"


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing.

    Attributes:
        group, row, field: where; an empty field means the whole list or document.
        where: the place in words.
        why: not filled in, expired, no row.
        filler: who must fill it in.
        points: what filling it in adds to the score, 0–100.
    """

    group: str
    row: str
    field: str
    where: str
    why: str
    filler: str
    points: float


@dataclass(frozen=True, slots=True)
class Ending:
    """A validity that has ended or ends soon; ``days`` < 0: ended that long ago."""

    group: str
    row: str
    field: str
    where: str
    ends: date
    days: int


@dataclass(frozen=True, slots=True)
class Score:
    """The completeness of a file.

    Attributes:
        percent: 0–100.
        gaps: heaviest first.
        endings: soonest first.
        groups: percent of each group that counts.
        next_end: the next day after ``today`` on which a validity ends: until then the score holds.
    """

    percent: float
    gaps: tuple[Gap, ...]
    endings: tuple[Ending, ...]
    groups: dict[str, float]
    next_end: date | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one field, list or document contributes."""

    weight: float
    gap: Gap | None


def score(schema: Schema, content: Content, documents: Collection[str], today: date) -> Score:
    """Score a file.

    Args:
        schema: its declaration.
        content: everything that is in force.
        documents: kinds of which a valid document is there.
        today: the day, in the site's zone.
    """
    pieces = {group.key: list(_group(group, content.get(group.key, {}), today)) for group in schema.groups}
    pieces["documents"] = list(_documents(schema, content, documents))
    pieces = {key: parts for key, parts in pieces.items() if parts}
    whole = sum(piece.weight for parts in pieces.values() for piece in parts) or 1.0
    groups = {key: _percent(parts) for key, parts in pieces.items()}
    gaps = [_worth(piece.gap, 100 * piece.weight / whole) for parts in pieces.values() for piece in parts if piece.gap]
    missing = sum(piece.weight for parts in pieces.values() for piece in parts if piece.gap)
    ends = sorted(_endings(schema, content, today), key=lambda one: (one.ends, one.group, one.row))
    later = [one.ends for one in ends if one.days >= 0]
    return Score(
        percent=round(100 * (1 - missing / whole), 1),
        gaps=tuple(sorted(gaps, key=lambda gap: -gap.points)),
        endings=tuple(one for one in ends if one.days <= SOON_DAYS),
        groups=groups,
        next_end=min(later, default=None),
    )


def _percent(parts: list[_Piece]) -> float:
    whole = sum(piece.weight for piece in parts)
    return round(100 * sum(piece.weight for piece in parts if not piece.gap) / whole, 1)


def _worth(gap: Gap, points: float) -> Gap:
    return Gap(gap.group, gap.row, gap.field, gap.where, gap.why, gap.filler, round(points, 3))


def _group(group: Group, rows: dict[str, Row] | Content, today: date) -> Iterator[_Piece]:
    must = [field for field in group.fields if field.must]
    if not group.weight or not must:
        return
    real = {key: row for key, row in rows.items() if key != NONE}
    if not group.many:
        real = real or {SINGLE: {}}
    if not real:
        declared = group.may_be_none and rows.get(NONE, {}).get(REASON)
        gap = Gap(group.key, "", "", group.title, EMPTY, group.filler.value, 0.0)
        yield _Piece(group.weight, None if declared else gap)
        return
    share = group.weight / len(real) / sum(field.weight for field in must)
    for key, row in real.items():
        for field in must:
            yield _Piece(share * field.weight, _gap(group, key, row, field, today))


def _gap(group: Group, key: str, row: Row, field: Field, today: date) -> Gap | None:
    value = row.get(field.key)
    why = ABSENT if value in (None, "") else EXPIRED if field.ends and date.fromisoformat(value) < today else ""
    if not why:
        return None
    return Gap(group.key, key, field.key, _where(group, key, row, field), why, group.filler.value, 0.0)


def _where(group: Group, key: str, row: Row, field: Field) -> str:
    parts = [group.title, row_title(group, row) or key, field.title] if group.many else [group.title, field.title]
    return " · ".join(parts)


def _documents(schema: Schema, content: Content, present: Collection[str]) -> Iterator[_Piece]:
    wanted = [
        kind for kind in schema.documents
        if kind.must and (not kind.only_with or any(key != NONE for key in content.get(kind.only_with, {})))
    ]  # fmt: skip
    filler = schema.groups[0].filler.value
    for kind in wanted:
        gap = Gap("documents", kind.key, "", f"图纸与文件 · {kind.title}", "未上传", filler, 0.0)
        yield _Piece(_DOCUMENTS_WEIGHT / len(wanted), None if kind.key in present else gap)


def _endings(schema: Schema, content: Content, today: date) -> Iterator[Ending]:
    for group in schema.groups:
        for key, row in content.get(group.key, {}).items():
            if key == NONE or not any(ends_of(group, row)):
                continue
            for field in group.fields:
                if field.ends and (text := row.get(field.key)):
                    ends = date.fromisoformat(text)
                    yield Ending(group.key, key, field.key, _where(group, key, row, field), ends, (ends - today).days)
