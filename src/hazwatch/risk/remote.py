"""A model service by URL: the same batch, computed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import orjson

from hazwatch.risk.configuration import Configuration
from hazwatch.risk.features import SERVICES, Service
from hazwatch.risk.model import MODEL_ID
from hazwatch.risk.objects import Asked, stored
from hazwatch.risk.scorer import AwayError, Batch
from hazwatch.vocabulary.colours import Colour

#: Objects asked about in one request.
AT_ONCE = 2_000
_WORDS = {c.word: int(c) for c in Colour}


class Remote:
    """A model service by URL. What it answers is checked before it is believed."""

    def __init__(self, url: str, token: str = "", timeout_s: float = 5.0) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=timeout_s, trust_env=False)

    def score(self, service: Service, asked: Sequence[Asked], k: Configuration) -> Batch:
        """Score objects.

        Raises:
            AwayError: no answer, or one that is none.
        """
        answers: list[dict[str, Any]] = []
        for start in range(0, len(asked), AT_ONCE):
            answers += self._ask(service, asked[start : start + AT_ONCE], k)
        digest = k.digest()
        refused = {n: why for n, a in enumerate(answers) if (why := _wrong(a, asked[n], digest))}
        good = [a if n not in refused else _NOTHING for n, a in enumerate(answers)]
        return Batch(
            np.array([a["score"] for a in good], np.float64), np.array([a["sure"] for a in good], np.float64),
            np.array([_WORDS[a["colour"]] for a in good], np.int64),
            np.array([_WORDS[a["floor"]] for a in good], np.int64),
            np.array([a["confidence"] for a in good], np.float64), np.array([a["unknown"] for a in good], np.bool_),
            [bytes(t["x"] > 0 for t in a["terms"][1:]) for a in good], lambda n: good[n], refused,
        )  # fmt: skip

    def _ask(self, service: Service, asked: Sequence[Asked], k: Configuration) -> list[dict[str, Any]]:
        body = {"objects": [stored(service, a) for a in asked], "configuration": k.form()}
        try:
            answer = self._client.post(f"/models/{service.id}/v1/batch", content=orjson.dumps(body))
            answer.raise_for_status()
            results = orjson.loads(answer.content)["results"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise AwayError(f"{type(error).__name__}: {error}"[:200]) from error
        if not isinstance(results, list) or len(results) != len(asked):
            raise AwayError("模型服务的应答数量与所问不符")
        return results


_NOTHING: dict[str, Any] = {
    "score": 0.0, "sure": 0.0, "colour": "none", "floor": "none", "confidence": 0.0, "unknown": True,
    "terms": [{"x": 0.0}],
}  # fmt: skip


def _wrong(answer: Any, asked: Asked, digest: str) -> str:
    """What is wrong with an answer; "" when it can be believed."""
    if not isinstance(answer, dict):
        return "应答不是对象"
    if "error" in answer:
        error = answer["error"]
        fields = error.get("fields") if isinstance(error, dict) else None
        said = ";".join(f"{f}:{why}" for f, why in fields.items()) if isinstance(fields, dict) else str(error)
        return f"模型拒绝了输入({said[:200]})"
    if answer.get("object") != asked.object or answer.get("model") != MODEL_ID:
        return "应答属于别的对象或模型"
    if answer.get("configuration") != digest:
        return f"应答所用参数为 {str(answer.get('configuration'))[:12]},应为 {digest}"
    return _nonsense(answer)


def _nonsense(answer: dict[str, Any]) -> str:
    figures = [("score", 100.0), ("sure", 100.0), ("confidence", 1.0)]
    for name, top in figures:
        value = answer.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= top:
            return f"应答的 {name} 不是 0–{top:g} 的数值"
    if answer.get("colour") not in _WORDS or answer.get("floor") not in _WORDS:
        return "应答的颜色不认识"
    terms, reason = answer.get("terms"), answer.get("reason")
    known = {"id", "name", "x", "weight", "contribution", "reason"}
    if not isinstance(terms, list) or not terms or not all(isinstance(t, dict) and set(t) == known for t in terms):
        return "应答的分项不完整"
    service = SERVICES.get(str(answer.get("service")))
    if service is None or [t["id"] for t in terms] != ["B", *service.terms]:
        return "应答的分项与模型不符"
    if not isinstance(reason, str) or not isinstance(answer.get("unknown"), bool):
        return "应答没有原因"
    return ""
