"""Pure: JSON Schema of what the models are asked and what they answer."""

from __future__ import annotations

from typing import Any

from hazwatch.risk.aggregates import AGGREGATES, MOST_MEMBERS
from hazwatch.risk.features import SERVICES, TERM_ZH, Feature
from hazwatch.vocabulary.colours import Colour

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_COLOURS = [c.word for c in Colour]


def of(model: str) -> dict[str, Any]:
    """The schemas of a model: ``{request, response}``."""
    request = _aggregate(model) if model in AGGREGATES else _object(model)
    return {"request": {"$schema": _DRAFT, **request}, "response": {"$schema": _DRAFT, **_answer(model)}}


def _object(model: str) -> dict[str, Any]:
    service = SERVICES[model]
    return {
        "title": f"HW-1 {service.zh}", "type": "object", "additionalProperties": False, "required": ["object"],
        "properties": {
            "object": {"type": "string", "minLength": 1, "maxLength": 64},
            "inputs": {
                "type": "object", "additionalProperties": False,
                "description": "null = 缺失;必需的输入未给出时按缺失处理,其余按无异常处理",
                "properties": {f.id: _input(f) for f in service.features},
            },
            "declared": {"type": "array", "items": {"type": "string", "maxLength": 300}, "maxItems": 100},
            "configuration": {"type": "object", "description": "模型参数;未给出时用服务自己的参数"},
        },
    }  # fmt: skip


def _input(f: Feature) -> dict[str, Any]:
    number = {"type": ["number", "null"], "minimum": f.low, "maximum": f.high}
    whole = {
        "type": "object", "additionalProperties": False, "required": ["value"],
        "properties": {
            "value": number, "age_s": {"type": "number", "minimum": 0, "description": "距上次有效的秒数"},
            "note": {"type": "string", "maxLength": 300, "description": "原因文字"},
        },
    }  # fmt: skip
    return {
        "title": f.zh, "anyOf": [number, whole], "x-unit": f.unit, "x-term": f.term, "x-calm": f.calm,
        "x-worse": "higher" if f.worse > 0 else "lower", "x-needed": f.needed,
    }  # fmt: skip


def _aggregate(model: str) -> dict[str, Any]:
    score = {"type": "number", "minimum": 0, "maximum": 100}
    member = {
        "type": "object", "required": ["score", "colour"],
        "properties": {"score": score, "colour": {"enum": _COLOURS}, "sure": score},
    }  # fmt: skip
    properties: dict[str, Any] = {
        "object": {"type": "string", "minLength": 1, "maxLength": 64},
        "members": {"type": "array", "items": member, "maxItems": MOST_MEMBERS},
    }
    if model == "park":
        properties["domino_share"] = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "title": f"HW-1 {AGGREGATES[model]}", "type": "object", "additionalProperties": False,
        "required": ["object", "members"], "properties": properties,
    }  # fmt: skip


def _answer(model: str) -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "number"}
    properties: dict[str, Any] = {
        "object": text, "service": text, "model": text, "version": text, "configuration": text, "score": number,
        "colour": {"enum": _COLOURS}, "reason": text,
    }  # fmt: skip
    if model in SERVICES:
        term = {
            "id": {"enum": sorted(TERM_ZH)},
            "name": text,
            "x": number,
            "weight": number,
            "contribution": number,
            "reason": text,
        }
        properties |= {
            "sure": number, "floor": {"enum": _COLOURS}, "floors": {"type": "array", "items": text},
            "terms": {"type": "array", "items": {"type": "object", "properties": term}}, "confidence": number,
            "unknown": {"type": "boolean"}, "declared": {"type": "array", "items": text},
        }  # fmt: skip
    if model == "park":
        properties["counts"] = {"type": "object", "additionalProperties": {"type": "integer"}}
    return {"type": "object", "properties": properties}
