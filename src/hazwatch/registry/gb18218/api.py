"""Routes of identification and grading (docs/api.md, "Identification")."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from hazwatch.documents.cells import holdable
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.gb18218 import form, service, standard
from hazwatch.registry.gb18218.model import BetaChoice, exact
from hazwatch.registry.gb18218.reading import UnitError, load

_MAX_BODY = 1 << 20
_WISH = {"unit": dict, "unit_kind": str, "boundary": str, "note": str, "adopt": bool}
_LONGEST = {"boundary": 300, "note": 1000}


async def _body(request: Request) -> Any:
    """The JSON of a request with its numbers digit for digit.

    Raises:
        ApiError: 413 too long, 422 no JSON.
    """
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _MAX_BODY:
            raise ApiError(413, "too_large", "请求内容过大", "单元数据最多 1 MiB")
    try:
        return load(bytes(content))
    except UnitError as error:
        raise ApiError(
            422, "invalid", "请求内容不合要求", "请改正后重试", {error.flaws[0].field: str(error)}
        ) from error


#: Stands after who asks, so that nobody's body is read before they are let in.
Body = Annotated[Any, Depends(_body)]


def router(desk: RegistryDesk, gate: Gate, choice: BetaChoice) -> APIRouter:
    """The routes.

    Args:
        desk: of the registry.
        gate: who may come in.
        choice: which β where the standard leaves it open.
    """
    routes = APIRouter(prefix="/api/v1")
    _compute_routes(routes, gate, choice)
    _record_routes(routes, desk, gate, choice)
    return routes


def _compute_routes(routes: APIRouter, gate: Gate, choice: BetaChoice) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("/gb18218")
    def show_tables(_: Who) -> dict[str, Any]:
        return _tables() | {"beta_choice": choice.value}

    @routes.post("/gb18218/identify")
    def identify(who: Who, body: Body) -> Response:
        del who
        _, outcome = service.judged(body, choice)
        result = service.result_of(outcome)
        whole = result | {"alpha": float(result["alpha"])} | form.form(outcome)
        whole["terms"] = [
            told | {"q_t": form.number(term.quantity), "symbol": term.symbol, "note": term.note}
            for told, term in zip(whole["terms"], outcome.terms, strict=True)
        ]
        return Response(form.dumped(whole), media_type="application/json")


def _record_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate, choice: BetaChoice) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("/sources/{code}/identifications")
    def list_identifications(code: str, request: Paging, who: Who) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return service.versions(session, who, code, request).form()

    @routes.post("/sources/{code}/identifications")
    def keep_identification(code: str, who: Engineer, body: Body) -> dict[str, Any]:
        return service.keep(desk, who, code, _wish(body), choice)

    @routes.get("/sources/{code}/identifications/{version}")
    def show_identification(code: str, version: int, who: Who) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return service.one(session, who, code, version)

    @routes.get("/sources/{code}/identifications/{version}/filing.pdf")
    def show_filing(code: str, version: int, who: Who) -> Response:
        with reading(desk.sessions) as session:
            record = service.one(session, who, code, version)
        name = quote(f"重大危险源备案表-{code}-第{version}版.pdf")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        from hazwatch.registry.gb18218 import filing

        return Response(filing.sheet(record), media_type="application/pdf", headers=headers)


def _wish(body: Any) -> service.Wish:
    if not isinstance(body, dict):
        raise ApiError(422, "invalid", "请求内容不合要求", "应为一个对象")
    fields = {str(key): "不认识的字段" for key in body if key not in _WISH}
    fields |= {key: "必填" for key in ("unit", "unit_kind") if key not in body}
    fields |= {key: "类型不对" for key, kind in _WISH.items() if key in body and not isinstance(body[key], kind)}
    fields |= {
        key: "太长" for key, most in _LONGEST.items() if isinstance(body.get(key), str) and len(body[key]) > most
    }
    if fields:
        raise ApiError(422, "invalid", "请求内容不合要求", "请改正所列字段后重试", fields)
    texts = {key: holdable(body[key]).strip() for key in _LONGEST if key in body}
    return service.Wish(body["unit"], body["unit_kind"], adopt=body.get("adopt", False), **texts)


def _tables() -> dict[str, Any]:
    """What the page needs to lead through the steps."""
    return {
        "table1": [
            {
                "no": r.no, "name": r.name, "name_en": r.name_en, "aliases": [*r.aliases, *r.called],
                "forms": list(r.forms), "form_needed": r.form_needed, "cas": list(r.cas),
                "Q_t": float(exact(r.critical)), "symbols": list(r.symbols), "certainty": r.certainty,
            }
            for r in standard.table1()
        ],
        "table2": [
            {
                "symbol": c.symbol, "hazard": c.hazard, "description": c.description, "Q_t": float(exact(c.critical)),
                "beta": float(exact(c.beta)),
            }
            for c in standard.table2().values()
        ],
        "table3": [{"cas": cas, "name": name, "beta": float(beta)} for cas, (name, beta) in standard.table3().items()],
        "table5": [{"from": int(s.least), "label": s.name, "alpha": float(s.value)} for s in standard.table5()],
        "table6": [{"from": float(s.least), "level": s.name, "number": int(s.value)} for s in standard.table6()],
        "unit_kinds": dict(standard.UNIT_KINDS), "not_applicable": dict(standard.NOT_APPLICABLE),
    }  # fmt: skip
