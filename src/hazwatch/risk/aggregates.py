"""Pure: the models of enterprises and of parks or regions, as plain data in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hazwatch.risk.configuration import Configuration
from hazwatch.risk.model import MODEL_ID, VERSION, Member, enterprise_score, park_score
from hazwatch.risk.objects import ObjectError
from hazwatch.vocabulary.colours import Colour

AGGREGATES: Mapping[str, str] = {"enterprise": "企业", "park": "园区/区域"}
MOST_MEMBERS = 100_000
_TOP = 100.0
_WORDS = {c.word: c for c in Colour}


def answer(model: str, body: object, k: Configuration) -> dict[str, Any]:
    """Score one aggregate: ``{object, members: [{score, colour, sure?}], domino_share?}``.

    Raises:
        ObjectError: what is wrong, by field.
    """
    if not isinstance(body, Mapping):
        raise ObjectError({"object": "应为 JSON 对象"})
    name = body.get("object", "")
    if not isinstance(name, str) or not 0 < len(name) <= 64:  # noqa: PLR2004  # room for any code
        raise ObjectError({"object": "应为 1–64 个字符的编码"})
    allowed = {"object", "members"} | ({"domino_share"} if model == "park" else set())
    unknown = [str(key) for key in body if key not in allowed]
    if unknown:
        raise ObjectError(dict.fromkeys(unknown, "不认识的字段"))
    given = body.get("members")
    if not isinstance(given, list) or len(given) > MOST_MEMBERS:
        raise ObjectError({"members": f"应为列表,不超过 {MOST_MEMBERS} 个"})
    members = [_member(n, one) for n, one in enumerate(given)]
    share = body.get("domino_share", 0.0)
    if not _number(share, 1.0):
        raise ObjectError({"domino_share": "应为 0–1 的数值"})
    common = {"object": name, "service": model, "model": MODEL_ID, "version": VERSION, "configuration": k.digest()}
    if model == "park":
        park = park_score(members, float(share), k)
        return common | {
            "score": park.score,
            "colour": park.colour.word,
            "counts": park.counts,
            "reason": _park(park.counts),
        }
    score, colour, sure = enterprise_score(members, k)
    high = sum(1 for m in members if m.score >= k.orange)
    reason = f"最高源分值 {max((m.score for m in members), default=0.0):.1f},其中 {high} 个源不低于 {k.orange:g}"
    return common | {"score": score, "sure": sure, "colour": colour.word, "reason": reason}


def _member(n: int, one: object) -> Member:
    if not isinstance(one, Mapping):
        raise ObjectError({f"members.{n}": "应为 {score, colour}"})
    score, colour = one.get("score"), one.get("colour")
    if not _number(score, _TOP):
        raise ObjectError({f"members.{n}.score": "应为 0–100 的数值"})
    if colour not in _WORDS:
        raise ObjectError({f"members.{n}.colour": f"应为 {'、'.join(_WORDS)} 之一"})
    sure = one.get("sure", score)
    if not _number(sure, _TOP):
        raise ObjectError({f"members.{n}.sure": "应为 0–100 的数值"})
    return Member(float(score), _WORDS[colour], float(sure))  # type: ignore[arg-type]  # checked above


def _number(value: object, top: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= top


def _park(counts: Mapping[str, int]) -> str:
    said = [f"{Colour[word.upper()].zh} {n} 家" for word, n in counts.items() if n]
    return "、".join(said) or "没有企业"
