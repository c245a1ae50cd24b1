"""Pure: one object as plain data, in and out: what a model is asked, what it answers, and the same answer again.

asked     {object, inputs: {name: 3.2 | null | {value, age_s, note}}, declared: [text]}
answered  {object, model, version, configuration, score, colour, floor, terms, reason, confidence, unknown, …}
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hazwatch.risk.configuration import Configuration
from hazwatch.risk.features import COLUMN, SERVICES, TERM_COLUMNS, TERM_ZH, Feature, Service
from hazwatch.risk.model import FLOORS, MODEL_ID, VERSION, Scores, evaluate
from hazwatch.risk.words import term_reason
from hazwatch.vocabulary.colours import Colour

MAX_AGE_S = 10 * 365 * 86_400.0
_LONGEST_NOTE = 300
_MOST_DECLARED = 100
_WORTH_TELLING = 0.05
CALM_REASON = "无报警,各指标远离限值,仅固有危险性"


class ObjectError(ValueError):
    """What is wrong with an object that a model was asked about: field → reason, in Chinese."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__(";".join(f"{name}:{why}" for name, why in wrong.items()))
        self.wrong = dict(wrong)


@dataclass(frozen=True, slots=True)
class Asked:
    """An object to be scored: values and ages in the order of the features, notes for its reasons."""

    object: str
    value: NDArray[np.float64]
    age: NDArray[np.float64]
    notes: Mapping[str, str] = field(default_factory=dict)
    declared: Sequence[str] = ()


_BLANK = {s.id: np.array([math.nan if f.needed else f.calm for f in s.features]) for s in SERVICES.values()}


def blank(service: Service) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and ages of an object of which nothing was said: what is needed is missing, the rest is calm."""
    value = _BLANK[service.id].copy()
    return value, np.zeros(len(value))


def parse(service: Service, body: object) -> Asked:
    """An object from plain data.

    Raises:
        ObjectError: unknown names, no numbers, values out of range; every wrong field is named.
    """
    if not isinstance(body, Mapping):
        raise ObjectError({"object": "应为 JSON 对象"})
    wrong = {str(key): "不认识的字段" for key in body if key not in ("object", "inputs", "declared")}
    name = body.get("object", "")
    if not isinstance(name, str) or not 0 < len(name) <= 64:  # noqa: PLR2004  # room for any code
        wrong["object"] = "应为 1–64 个字符的编码"
    inputs = body.get("inputs", {})
    if not isinstance(inputs, Mapping):
        raise ObjectError(wrong | {"inputs": "应为 名称 → 数值"})
    value, age = blank(service)
    notes: dict[str, str] = {}
    for key, given in inputs.items():
        column = COLUMN[service.id].get(key)
        found = f"模型 {service.id} 没有这个输入" if column is None else _one(service.features[column], given)
        if isinstance(found, str) or column is None:
            wrong[f"inputs.{key}"] = str(found)
            continue
        value[column], age[column], note = found
        if note:
            notes[key] = note
    declared = body.get("declared", [])
    if not isinstance(declared, list) or not all(isinstance(text, str) for text in declared):
        wrong["declared"] = "应为文本列表"
    if wrong:
        raise ObjectError(wrong)
    return Asked(name, value, age, notes, tuple(text[:_LONGEST_NOTE] for text in declared[:_MOST_DECLARED]))


def _one(feature: Feature, given: object) -> tuple[float, float, str] | str:
    """Value, age and note of one input, or what is wrong with it."""
    age: object = 0.0
    note: object = ""
    if isinstance(given, Mapping):
        if not set(given) <= {"value", "age_s", "note"}:
            return "只认识 value、age_s、note"
        age, note, given = given.get("age_s", 0.0), given.get("note", ""), given.get("value")
    if not isinstance(age, int | float) or isinstance(age, bool) or not 0 <= age <= MAX_AGE_S:
        return f"age_s 应为 0–{MAX_AGE_S:g} 秒"
    if not isinstance(note, str):
        return "note 应为文本"
    if given is None:
        return math.nan, float(age), note[:_LONGEST_NOTE]
    if not isinstance(given, int | float) or isinstance(given, bool) or not feature.low <= given <= feature.high:
        return f"{feature.zh}应为 {feature.low:g}–{feature.high:g} 的数值,收到 {str(given)[:40]!r}"
    return float(given), float(age), note[:_LONGEST_NOTE]


def answers(service: Service, asked: Sequence[Asked], configuration: Configuration) -> list[dict[str, Any]]:
    """Score objects and tell each whole."""
    if not asked:
        return []
    value, age = np.array([a.value for a in asked]), np.array([a.age for a in asked])
    scores = evaluate(service, value, age, configuration)
    digest = configuration.digest()
    return [told(scores, n, a, configuration, digest) for n, a in enumerate(asked)]


def told(scores: Scores, n: int, asked: Asked, k: Configuration, digest: str) -> dict[str, Any]:
    """One scored object as plain data."""
    service = scores.service
    terms = list(_terms(scores, n, asked, k))
    floors = [text for (_, text), holds in zip(FLOORS, scores.floors[n], strict=True) if holds]
    said = sorted(
        (t for t in terms[1:] if t["contribution"] >= _WORTH_TELLING and t["reason"]), key=lambda t: -t["contribution"]
    )
    live = asked.notes.get("r_live", "")
    over = [live] if live and asked.value[service.at("r_live")] > asked.value[service.at("r")] else []
    reason = ";".join([*floors, *(t["reason"] for t in said), *over]) or CALM_REASON
    if asked.declared:
        reason += ";另有记录:" + "、".join(asked.declared)
    return {
        "object": asked.object, "service": service.id, "model": MODEL_ID, "version": VERSION, "configuration": digest,
        "score": float(scores.score[n]), "sure": float(scores.sure[n]), "colour": Colour(int(scores.colour[n])).word,
        "floor": scores.floor(n).word, "floors": floors, "terms": terms, "reason": reason,
        "confidence": float(scores.confidence[n]), "unknown": bool(scores.unknown[n]), "declared": list(asked.declared),
    }  # fmt: skip


def _terms(scores: Scores, n: int, asked: Asked, k: Configuration) -> Iterator[dict[str, Any]]:
    features = scores.service.features
    known = {f.id: v for f, v in zip(features, asked.value.tolist(), strict=True) if v == v}  # noqa: PLR0124  # not NaN
    live = known.get("r_live", 0.0)
    r = known.get("r", 0.0)
    text = asked.notes.get("r_live") or f"R = {r:g}" + (f",按实时储量 {live:g}" if live > r else "")
    yield _term("B", float(scores.base[n]), 1.0, float(scores.contribution[n, 0]), text)
    for at, t in enumerate(scores.service.terms):
        x = float(scores.x[n, at])
        why = ""
        if x > 0:
            own = TERM_COLUMNS[scores.service.id][t]
            lost = any(math.isnan(asked.value[c]) or asked.age[c] > k.hold_min * 60 for c in own)
            assumed = lost or (at == 0 and known.get("silent", 0.0) > 0)
            why = term_reason(t, known, asked.notes, k, assumed=assumed)
        yield _term(t, x, k.weights[t], float(scores.contribution[n, at + 1]), why)


def _term(term: str, x: float, weight: float, contribution: float, reason: str) -> dict[str, Any]:
    return {
        "id": term, "name": TERM_ZH[term], "x": x, "weight": weight, "contribution": contribution, "reason": reason,
    }  # fmt: skip


def stored(service: Service, asked: Asked) -> dict[str, Any]:
    """What has to be kept of an object so that it can be scored again: whatever is not calm, with its age."""
    default, _ = blank(service)
    told = (asked.value != default) & ~(np.isnan(asked.value) & np.isnan(default)) | (asked.age > 0)
    told[[COLUMN[service.id][name] for name in asked.notes]] = True
    inputs: dict[str, Any] = {}
    for n in np.flatnonzero(told).tolist():
        f, v, a = service.features[n], float(asked.value[n]), float(asked.age[n])
        note = asked.notes.get(f.id, "")
        one: dict[str, Any] = {"value": None if math.isnan(v) else v}
        if a:
            one["age_s"] = a
        if note:
            one["note"] = note
        inputs[f.id] = one
    return {"object": asked.object, "inputs": inputs, "declared": list(asked.declared)}


def what_if(answer: Mapping[str, Any], k: Configuration) -> list[dict[str, Any]]:
    """What would make the colour one step better: for every term, how far x has to fall, None where it cannot alone.

    A term alone brings S down to S − contribution; the bound to reach is that of the colour shown, less the margin.
    """
    colour = Colour[answer["colour"].upper()]
    if colour is Colour.NONE:
        return []
    target = k.bounds[colour] - k.fall_margin
    out = []
    for t in answer["terms"][1:]:
        if t["contribution"] <= 0:
            continue
        alone = answer["score"] - t["contribution"]
        needed: float | None = None
        if alone < target:
            # 1 − S/100 = rest · (1 − w·x): solve for the x at which S meets the target.
            rest = (1 - alone / 100) if alone < 100 else 0.0  # noqa: PLR2004  # the top of the scale
            needed = max(0.0, (1 - (1 - target / 100) / rest) / t["weight"]) if rest > 0 and t["weight"] else None
        out.append({"id": t["id"], "name": t["name"], "x": t["x"], "score_without": alone, "x_needed": needed})
    return sorted(out, key=lambda row: row["score_without"])
