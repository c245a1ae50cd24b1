"""What the knowledge base answers: find, card, meet, accidents, coverage. Reads nothing but the book."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hazwatch.chemicals.book import Accident, Book, book
from hazwatch.chemicals.model import (
    EXPOSURES,
    FLAGS,
    PROPERTIES,
    Fact,
    NoVapourPressureError,
    Substance,
    hazard_words,
    vapour_pressure,
)
from hazwatch.chemicals.reactivity import Meeting
from hazwatch.chemicals.search import Hit, Index

#: Where GHS classes come from, and what they are not.
GHS_SOURCE = "凭知识录入(以欧盟 CLP 统一分类为主),待与危险化学品分类信息表核对"
MEASURE_SOURCE = "本系统按危险类别编写;隔离距离为通则,以现场监测为准"
_PRESSURE_AT = 20.0
_TOPICS = {"storage": "储存", "fire": "灭火", "first_aid": "急救"}


class UnknownSubstanceError(LookupError):
    """No substance, or several, go by this name; ``candidates`` lists what may be meant."""

    def __init__(self, asked: str, candidates: Sequence[str]) -> None:
        super().__init__(f"知识库中没有 {asked!r}" if not candidates else f"{asked!r} 未能唯一确定物质")
        self.candidates = tuple(candidates)


@cache
def index() -> Index:
    """The index of all substances."""
    held = book()
    found = Index(held.sounds)
    for substance in held.substances.values():
        found.add(
            substance.cas,
            [substance.name, *substance.aliases, substance.name_en, substance.cas, *(f"UN{un}" for un in substance.un)],
            _text(held, substance),
        )
    return found


def search(query: str, most: int = 20) -> list[dict[str, Any]]:
    """Substances, best first: ``{cas, name_zh, name_en, score, by, how, flags}``."""
    held = book().substances
    return [_hit(held[hit.key], hit) for hit in index().search(query, most)]


def _hit(substance: Substance, hit: Hit) -> dict[str, Any]:
    return {
        "cas": hit.key, "name_zh": substance.name, "name_en": substance.name_en, "score": round(hit.score, 1),
        "by": hit.by, "how": hit.how, "flags": list(dict.fromkeys(flag.flag for flag in substance.flags)),
    }  # fmt: skip


def find(asked: str) -> Substance:
    """The one substance of this name, alias or CAS number.

    Raises:
        UnknownSubstanceError: none, or several.
    """
    keys = index().exact(asked)
    held = book().substances
    if len(keys) == 1:
        return held[keys[0]]
    near = keys or [hit.key for hit in index().search(asked, 6)]
    raise UnknownSubstanceError(asked, [f"{held[key].name}({key})" for key in near])


def by_cas(cas: str) -> Substance | None:
    """The substance of a CAS number, None when the book has none."""
    return book().substances.get(cas)


def card(substance: Substance) -> dict[str, Any]:
    """All that is known of a substance; ``unknown`` names the fields that are not."""
    held = book()
    known = {
        "cas": substance.cas, "name_zh": substance.name, "name_en": substance.name_en,
        "aliases": list(substance.aliases), "un": list(substance.un),
        "ghs": [{"code": code, "text": hazard_words(code)} for code in substance.ghs], "ghs_source": GHS_SOURCE,
        "groups": [{"code": code, "name": held.groups[code]} for code in substance.groups],
        "flags": [{"flag": f.flag, "name": FLAGS[f.flag], "no": f.no, "source": f.source} for f in substance.flags],
        "properties": [
            {"key": key, "name": name, **_fact(fact)}
            for key, name in PROPERTIES.items()
            for fact in substance.properties.get(key, ())
        ],
        "vapour_pressure": _pressure(substance),
        "exposure": [
            {"kind": kind, **_fact(substance.exposure[kind])} for kind in EXPOSURES if kind in substance.exposure
        ],
        "measures": _measures(held, substance), "measure_source": MEASURE_SOURCE,
        "accidents": [accident_form(a) for a in held.accidents if substance.cas in a.cas],
    }  # fmt: skip
    return known | {"unknown": unknown(substance)}


def unknown(substance: Substance) -> list[str]:
    """Fields without a value, in Chinese."""
    missing = [name for key, name in PROPERTIES.items() if key not in substance.properties]
    missing += [kind for kind in ("MAC/PC-TWA", "IDLH") if not _has(substance, kind)]
    missing += ["UN 编号"] if not substance.un else []
    missing += ["GHS 分类"] if not substance.ghs else []
    missing += ["蒸气压"] if substance.curve is None else []
    return missing


def meet(asked: Sequence[str]) -> dict[str, Any]:
    """Whether substances may meet: all pairs, the worst first.

    Raises:
        UnknownSubstanceError: a name that is not certain.
        ValueError: fewer than two different substances.
    """
    found = list(dict.fromkeys(find(one).cas for one in asked))
    if len(found) < 2:  # noqa: PLR2004  # a pair
        raise ValueError("请给出至少两种不同的物质")
    held = book()
    pairs = held.matrix.all_pairs([(cas, held.substances[cas].groups) for cas in found])
    pairs.sort(key=lambda pair: pair.verdict, reverse=True)
    return {
        "substances": [{"cas": cas, "name_zh": held.substances[cas].name} for cas in found],
        "verdict": pairs[0].verdict.name.lower(), "verdict_zh": pairs[0].verdict.zh,
        "pairs": [_meeting(held, pair) for pair in pairs],
        "note": "按反应性基团判定,最坏的一对决定结论;没有依据的一律为「未知」,不视为相容",
    }  # fmt: skip


def accidents(query: str = "", cas: str = "") -> list[dict[str, Any]]:
    """Accidents, newest first; those that hold all words of the query, and those of a substance."""
    words = query.split()
    return [
        accident_form(a)
        for a in sorted(book().accidents, key=lambda a: a.date, reverse=True)
        if all(word in f"{a.date}{a.place}{a.title}{a.kind}{a.cause}{a.lesson}{a.source}" for word in words)
        and (not cas or cas in a.cas)
    ]


def accident_form(a: Accident) -> dict[str, Any]:
    """An accident in the form of the API."""
    names = [{"cas": cas, "name_zh": book().substances[cas].name} for cas in a.cas]
    return {
        "date": a.date, "place": a.place, "title": a.title, "substances": names, "kind": a.kind, "cause": a.cause,
        "lesson": a.lesson, "deaths": a.deaths or None, "source": a.source,
    }  # fmt: skip


def coverage() -> dict[str, Any]:
    """How many substances have each field."""
    held = book()
    substances = list(held.substances.values())
    fields = {
        "中文名": len(substances), "英文名": sum(bool(s.name_en) for s in substances),
        "别名": sum(bool(s.aliases) for s in substances), "UN 编号": sum(bool(s.un) for s in substances),
        "GHS 分类": sum(bool(s.ghs) for s in substances), "反应性基团": sum(bool(s.groups) for s in substances),
        "储存、灭火、急救": sum(bool(s.families) for s in substances),
        "隔离距离": sum(any(held.families[f].isolation for f in s.families) for s in substances),
        "专用规则": sum(bool(s.rules) for s in substances),
    }  # fmt: skip
    fields |= {name: sum(key in s.properties for s in substances) for key, name in PROPERTIES.items()}
    fields |= {"蒸气压曲线": sum(s.curve is not None for s in substances)}
    fields |= {kind: sum(kind in s.exposure for s in substances) for kind in EXPOSURES[2:]}
    fields |= {"职业接触限值(任一)": sum(_has(s, "MAC/PC-TWA") for s in substances)}
    fields |= {name: sum(any(f.flag == key for f in s.flags) for s in substances) for key, name in FLAGS.items()}
    pairs = len(held.groups) * (len(held.groups) + 1) // 2
    return {
        "substances": len(substances), "fields": fields, "accidents": len(held.accidents),
        "groups": len(held.groups), "pairs_judged": len(held.matrix), "pairs": pairs,
    }  # fmt: skip


def _has(substance: Substance, kind: str) -> bool:
    return any(one in substance.exposure for one in (kind.split("/") if "/" in kind else [kind]))


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "value": fact.value, "unit": fact.unit, "source": fact.source, "certainty": fact.certainty or None,
        "note": fact.note or None,
    }  # fmt: skip


def _pressure(substance: Substance) -> dict[str, Any]:
    try:
        value = vapour_pressure(substance, _PRESSURE_AT)
    except NoVapourPressureError as error:
        return {"celsius": _PRESSURE_AT, "kpa": None, "reason": str(error), "source": None}
    source = substance.curve.source if substance.curve else None
    return {"celsius": _PRESSURE_AT, "kpa": float(f"{value:.4g}"), "reason": None, "source": source}


def _measures(held: Book, substance: Substance) -> dict[str, Any]:
    families = [held.families[key] for key in substance.families]
    measures: dict[str, Any] = {
        topic: [rule for about, rule in substance.rules if about == topic]
        + [f"{family.name}:{getattr(family, topic)}" for family in families]
        for topic in _TOPICS
    }
    near = [family.isolation for family in families if family.isolation]
    far = [family.isolation_fire for family in families if family.isolation_fire]
    return measures | {"isolation_m": max(near, default=None), "isolation_fire_m": max(far, default=None)}


def _meeting(held: Book, pair: Meeting) -> dict[str, Any]:
    return {
        "a": {"cas": pair.first, "name_zh": held.substances[pair.first].name},
        "b": {"cas": pair.second, "name_zh": held.substances[pair.second].name},
        "verdict": pair.verdict.name.lower(), "verdict_zh": pair.verdict.zh, "gases": list(pair.gases),
        "unjudged": pair.unjudged,
        "findings": [
            {
                "a": held.groups[f.a], "b": held.groups[f.b], "verdict": f.verdict.name.lower(),
                "effects": list(f.effects), "gases": list(f.gases), "reason": f.reason,
            }
            for f in pair.findings
        ],
    }  # fmt: skip


def _text(held: Book, substance: Substance) -> str:
    families = [held.families[key] for key in substance.families]
    parts = [hazard_words(code) for code in substance.ghs] + [held.groups[code] for code in substance.groups]
    parts += [f"{f.name} {f.storage} {f.fire} {f.first_aid}" for f in families]
    parts += [rule for _, rule in substance.rules] + [FLAGS[flag.flag] for flag in substance.flags]
    parts += [f"{a.title} {a.cause} {a.lesson} {a.place}" for a in held.accidents if substance.cas in a.cas]
    return " ".join(parts)
