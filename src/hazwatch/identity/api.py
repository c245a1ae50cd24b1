"""Routes of identity (docs/api.md, "Session and accounts" and the tree)."""

# No postponed annotations here: the dependencies are local to the functions that add routes, and FastAPI could not look
# them up by name later.
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from hazwatch.identity import accounts, sign_in
from hazwatch.identity.audit import audit_page
from hazwatch.identity.deps import COOKIE, Gate, Paging, address_of, check_origin
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import MAX_PASSWORD, Principal, Role
from hazwatch.identity.tree import node_in_scope, nodes
from hazwatch.records.engine import reading

#: What ``GET /session`` tells about the node: ``simulated``, ``version``, ``zone``.
SystemInfo = Callable[[], Mapping[str, Any]]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Credentials(_Form):
    """Body of the sign-in."""

    username: str = Field(max_length=64)
    password: str = Field(max_length=MAX_PASSWORD)


class PasswordChange(_Form):
    """Body of the password change."""

    old: str = Field(max_length=MAX_PASSWORD)
    new: str = Field(max_length=MAX_PASSWORD)


class NewAccount(_Form):
    """Body of a new account."""

    username: str = Field(max_length=64)
    name: str = Field(max_length=100)
    role: str = Field(max_length=16)
    scope_code: str = Field(max_length=32)


class AccountPatch(_Form):
    """Body of a change; what is absent stays."""

    name: str | None = Field(None, max_length=100)
    role: str | None = Field(None, max_length=16)
    scope_code: str | None = Field(None, max_length=32)
    enabled: bool | None = None
    reset_password: bool = False


def router(desk: Desk, gate: Gate, system: SystemInfo) -> APIRouter:
    """The routes of identity.

    Args:
        desk: sessions, clock, home.
        gate: who may come in.
        system: facts about the node for the head of the page.
    """
    routes = APIRouter(prefix="/api/v1")
    _session_routes(routes, desk, gate, system)
    _account_routes(routes, desk, gate)
    return routes


def _session_routes(routes: APIRouter, desk: Desk, gate: Gate, system: SystemInfo) -> None:
    anyone = gate.current(must_change_ok=True)

    @routes.post("/session")
    def open_session(body: Credentials, request: Request, response: Response) -> dict[str, Any]:
        check_origin(request)
        who, value = sign_in.sign_in(desk, body.username, body.password, address_of(request))
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, value, max_age=desk.absolute_ms // 1000, path="/", httponly=True, samesite="strict", secure=secure
        )
        return {"account": _account(desk, who)}

    @routes.get("/session")
    def show_session(who: Annotated[Principal, Depends(anyone)]) -> dict[str, Any]:
        return {"account": _account(desk, who), "system": dict(system())}

    @routes.delete("/session", status_code=204)
    def close_session(response: Response, who: Annotated[Principal, Depends(anyone)]) -> None:
        sign_in.sign_out(desk, who)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")

    @routes.post("/session/password", status_code=204)
    def change_password(body: PasswordChange, who: Annotated[Principal, Depends(anyone)]) -> None:
        sign_in.change_password(desk, who, body.old, body.new)


def _account_routes(routes: APIRouter, desk: Desk, gate: Gate) -> None:
    admin = gate.current(Role.ADMIN)

    @routes.get("/accounts")
    def list_accounts(
        request: Paging, who: Annotated[Principal, Depends(admin)], q: Annotated[str, Query(max_length=100)] = ""
    ) -> dict[str, Any]:
        return accounts.accounts_page(desk, who, request, q).form()

    @routes.post("/accounts", status_code=201)
    def create_account(body: NewAccount, who: Annotated[Principal, Depends(admin)]) -> dict[str, Any]:
        account, password = accounts.create_account(desk, who, **body.model_dump())
        return {"account": account, "password": password}

    @routes.patch("/accounts/{username}")
    def change_account(username: str, body: AccountPatch, who: Annotated[Principal, Depends(admin)]) -> dict[str, Any]:
        change = accounts.AccountChange(**body.model_dump())
        account, password = accounts.change_account(desk, who, username, change)
        return {"account": account} if password is None else {"account": account, "password": password}

    @routes.get("/audit")
    def list_audit(request: Paging, who: Annotated[Principal, Depends(admin)]) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return audit_page(session, who, request).form()

    @routes.get("/nodes")
    def list_nodes(who: Annotated[Principal, Depends(gate.current())]) -> list[dict[str, Any]]:
        with reading(desk.sessions) as session:
            found = nodes(session, who)
        seen = {node.code for node in found}
        return [
            {
                "code": node.code,
                "name": node.name,
                "kind": node.kind,
                # What stands above the scope does not exist for the caller.
                "parent": node.parent if node.parent in seen else None,
                "lon": node.lon,
                "lat": node.lat,
            }
            for node in found
        ]


def _account(desk: Desk, who: Principal) -> dict[str, Any]:
    with reading(desk.sessions) as session:
        node = node_in_scope(session, who, who.scope_code)
    return {
        "username": who.username,
        "name": who.name,
        "role": who.role.word,
        "scope": {"code": node.code, "name": node.name, "kind": node.kind} if node else None,
        "must_change_password": who.must_change_password,
    }
