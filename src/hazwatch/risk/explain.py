"""Pure: a stored grade computed again, to the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hazwatch.risk import objects
from hazwatch.risk.configuration import Configuration
from hazwatch.risk.features import SERVICES
from hazwatch.risk.model import VERSION, Held, Member, enterprise_score, hold, park_score
from hazwatch.vocabulary.colours import Colour

_WORDS = {c.word: c for c in Colour}


@dataclass(frozen=True, slots=True)
class Kept:
    """A grade as it stands in the records: ``inputs`` and ``terms`` as plain data."""

    id: int
    object: str
    at: int
    colour: Colour
    score: float
    terms: list[dict[str, Any]]
    inputs: Mapping[str, Any]
    version: str
    configuration: str


class CannotError(ValueError):
    """Why a grade cannot be computed again."""


def again(kept: Kept, k: Configuration | None) -> dict[str, Any]:
    """Compute a grade again and compare.

    Args:
        kept: the grade.
        k: the configuration with the digest that stands in it; None when nobody has it.

    Returns:
        ``{identical, differences: {name: [stored, computed]}, computed}``.

    Raises:
        CannotError: written by another version, or what it needs was not kept.
    """
    mode = kept.inputs.get("mode")
    if mode is None or kept.version != VERSION:
        raise CannotError(f"等级由模型版本 {kept.version} 写入,当时未保存输入,不能重算")
    if mode == "refused":
        raise CannotError(f"等级沿用上一次评估(模型拒绝了输入:{kept.inputs.get('why', '')}),没有新的计算")
    if k is None or k.digest() != kept.configuration:
        raise CannotError(f"没有散列值为 {kept.configuration} 的参数")
    if mode in ("enterprise", "place"):
        return _aggregate(kept, mode, k)
    service = SERVICES[kept.inputs["service"]]
    answer = objects.answers(service, [objects.parse(service, kept.inputs["asked"])], k)[0]
    stored = {**kept.inputs["raw"], "terms": kept.terms, "shown_colour": kept.colour.word}
    computed = {name: answer[name] for name in (*kept.inputs["raw"], "terms")}
    computed["shown_colour"] = _shown(kept, answer, k).word
    return _compared(stored, computed, answer)


def _shown(kept: Kept, answer: Mapping[str, Any], k: Configuration) -> Colour:
    """The colour after hysteresis."""
    colour, floor = _WORDS[answer["colour"]], _WORDS[answer["floor"]]
    before = kept.inputs["before"]
    if before is None:
        return colour
    last = _WORDS[before["colour"]]
    if kept.inputs["mode"] == "unknown":
        return max(last, colour)
    return hold(Held(last, before["lower_since"]), answer["score"], colour, floor, kept.at, k).colour


def _aggregate(kept: Kept, mode: str, k: Configuration) -> dict[str, Any]:
    members = [Member(score, _WORDS[colour], sure) for _, score, colour, sure in kept.inputs["members"]]
    if mode == "enterprise":
        score, colour, _ = enterprise_score(members, k)
    else:
        park = park_score(members, kept.inputs["domino_share"], k)
        score, colour = park.score, park.colour
    stored = {"score": kept.score, "shown_colour": kept.colour.word}
    return _compared(stored, {"score": score, "shown_colour": colour.word}, {"score": score, "colour": colour.word})


def _compared(stored: Mapping[str, Any], computed: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    different = {name: [stored[name], computed[name]] for name in computed if stored[name] != computed[name]}
    return {"identical": not different, "differences": different, "computed": dict(answer)}
