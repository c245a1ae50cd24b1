"""The models as independent services: an ASGI application without a node (docs/models.md).

GET  /health                      {status, version, models}
GET  /models                      every model: id, name, version, configuration hash, where to ask
GET  /models/{id}                 the same with its JSON Schema and the configuration itself
POST /models/{id}/v1/score        one object → one answer; nonsense → 422 with field and reason
POST /models/{id}/v1/batch        {objects: […]} up to 10,000 → {results: […]}; a wrong one does not stop the others
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from hazwatch.identity import errors
from hazwatch.identity.errors import ApiError
from hazwatch.risk import aggregates, configuration, objects, schema
from hazwatch.risk.aggregates import AGGREGATES
from hazwatch.risk.configuration import Configuration, ConfigurationError
from hazwatch.risk.features import SERVICES
from hazwatch.risk.model import MODEL_ID, VERSION
from hazwatch.risk.objects import ObjectError

MOST_OBJECTS = 10_000
MAX_BODY = 64 * 1024 * 1024
#: Configurations that callers sent, parsed.
_KEPT = 16


def model_ids() -> list[str]:
    """Every model that can be served."""
    return [*SERVICES, *AGGREGATES]


def create_models_app(only: Iterable[str] = (), own: Configuration = configuration.DEFAULT, token: str = "") -> FastAPI:
    """The application.

    Args:
        only: ids of the models to serve; empty = all.
        own: configuration where the caller sends none.
        token: bearer token that callers must send; empty = none is asked for (loopback).
    """
    served = [name for name in model_ids() if name in set(only) or not only]
    app = FastAPI(title="Hazwatch models", version=VERSION, openapi_url="/openapi.json", docs_url=None, redoc_url=None)
    errors.install(app)
    desk = _Desk(served, own)

    @app.middleware("http")
    async def known_callers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and not hmac.compare_digest(given.encode(), token.encode()):
            return errors.unauthenticated("模型服务需要访问令牌").response()
        return await call_next(request)

    @app.get("/health")
    async def health() -> Response:
        return _json({"status": "ok", "model": MODEL_ID, "version": VERSION, "models": served})

    @app.get("/models")
    async def models() -> Response:
        return _json({"items": [desk.form(name) for name in served]})

    @app.get("/models/{model}")
    async def model_page(model: str) -> Response:
        desk.check(model)
        return _json(desk.form(model) | {"schema": schema.of(model), "parameters": own.form()})

    @app.post("/models/{model}/v1/score")
    async def score(model: str, request: Request) -> Response:
        desk.check(model)
        body = await _body(request)
        with_own = desk.configuration(body.pop("configuration", None))
        result = desk.answer(model, with_own, [body])[0]
        if "error" in result:
            raise ApiError(422, "invalid", "请求内容不合要求", "请改正所列字段后重试", result["error"]["fields"])
        return _json(result)

    @app.post("/models/{model}/v1/batch")
    async def batch(model: str, request: Request) -> Response:
        desk.check(model)
        body = await _body(request)
        asked = body.get("objects")
        if not isinstance(asked, list) or not 0 < len(asked) <= MOST_OBJECTS:
            raise errors.invalid("objects", f"应为 1–{MOST_OBJECTS} 个对象的列表")
        return _json({"results": desk.answer(model, desk.configuration(body.get("configuration")), asked)})

    return app


class _Desk:
    """What is served, and with which configurations."""

    def __init__(self, served: list[str], own: Configuration) -> None:
        self._served = served
        self._own = own
        self._known: dict[bytes, Configuration] = {}

    def form(self, model: str) -> dict[str, Any]:
        """A row of the list."""
        names = {**{s.id: s.zh for s in SERVICES.values()}, **AGGREGATES}
        return {
            "id": model, "name": names[model], "model": MODEL_ID, "version": VERSION,
            "configuration": self._own.digest(), "score": f"/models/{model}/v1/score",
            "batch": f"/models/{model}/v1/batch",
        }  # fmt: skip

    def check(self, model: str) -> None:
        """404 unless it is served."""
        if model not in self._served:
            raise ApiError(404, "not_found", f"没有模型 {model[:40]}", f"可用:{'、'.join(self._served)}")

    def configuration(self, given: object) -> Configuration:
        """The configuration that a caller sent, or our own."""
        if given is None:
            return self._own
        if not isinstance(given, Mapping):
            raise errors.invalid("configuration", "应为 名称 → 数值")
        key = orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
        known = self._known.get(key)
        if known is None:
            try:
                known = configuration.parse(given)
            except ConfigurationError as error:
                fields = {f"configuration.{name}": why for name, why in error.wrong.items()}
                raise ApiError(422, "invalid", "配置不合要求", "请改正所列字段后重试", fields) from error
            self._known = dict([*self._known.items(), (key, known)][-_KEPT:])
        return known

    def answer(self, model: str, k: Configuration, asked: list[Any]) -> list[dict[str, Any]]:
        """An answer or an error for each, in the order asked."""
        if model in AGGREGATES:
            return [_aggregate(model, body, k) for body in asked]
        service = SERVICES[model]
        out: list[dict[str, Any]] = []
        good: list[tuple[int, objects.Asked]] = []
        for n, body in enumerate(asked):
            try:
                good.append((n, objects.parse(service, body)))
                out.append({})
            except ObjectError as error:
                out.append(_error(body, error))
        for (n, _), result in zip(good, objects.answers(service, [a for _, a in good], k), strict=True):
            out[n] = result
        return out


def _aggregate(model: str, body: object, k: Configuration) -> dict[str, Any]:
    try:
        return aggregates.answer(model, body, k)
    except ObjectError as error:
        return _error(body, error)


def _error(body: object, error: ObjectError) -> dict[str, Any]:
    name = str(body.get("object", ""))[:64] if isinstance(body, Mapping) else ""
    return {"object": name, "error": {"code": "invalid", "message": str(error)[:500], "fields": error.wrong}}


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request, read no further than is allowed."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise ApiError(413, "too_large", "请求内容过大", f"一次不超过 {MAX_BODY // 1024 // 1024} MiB")
        parts.append(part)
    try:
        body = orjson.loads(b"".join(parts))
    except orjson.JSONDecodeError as error:
        raise errors.invalid("body", "不是合法的 JSON") from error
    if not isinstance(body, dict):
        raise errors.invalid("body", "应为 JSON 对象")
    return body


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
