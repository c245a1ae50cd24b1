"""Routes of files: 一企一档, 一园一档 (docs/api.md, "Files")."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from hazwatch.documents.sniff import MAX_DOCUMENT
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import documents, service, views
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.schemas import SCHEMAS
from hazwatch.vocabulary.moments import CHINA, parse

Code = Annotated[str, Path(max_length=16)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
#: What a stored file may do in a browser: nothing.
_LOCKED = {
    "Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}  # fmt: skip


class OpBody(BaseModel):
    """One edit, see ``merge.Op``."""

    model_config = ConfigDict(extra="forbid")
    group: Annotated[str, Field(max_length=24)]
    row: Annotated[str, Field(max_length=36)] = ""
    field: Annotated[str, Field(max_length=40)] = ""
    before: Any = None
    after: Any = None


class ChangeBody(BaseModel):
    """A batch of edits."""

    model_config = ConfigDict(extra="forbid")
    ops: Annotated[list[OpBody], Field(min_length=1, max_length=service.MAX_OPS)]
    why: Annotated[str, Field(max_length=1000)]
    source: Annotated[str, Field(max_length=200)] = "页面填写"


class Note(BaseModel):
    """Words of who decides."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(max_length=1000)] = ""


def router(desk: RegistryDesk, gate: Gate) -> APIRouter:
    """The routes of files."""
    routes = APIRouter(prefix="/api/v1", tags=["files"])
    _file_routes(routes, desk, gate)
    _decision_routes(routes, desk, gate)
    _document_routes(routes, desk, gate)
    return routes


def moment_of(text: str) -> int | None:
    """A moment from a query; empty = now. A day means its end in China.

    Raises:
        ApiError: 422.
    """
    if not text:
        return None
    try:
        return parse(f"{text} 23:59:59.999" if len(text) == len("2026-11-25") and "-" in text else text, zone=CHINA)
    except ValueError as error:
        raise invalid("at", str(error)) from error


def _file_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate) -> None:
    viewer, engineer = gate.current(), gate.current(Role.ENGINEER)
    Viewer = Annotated[Principal, Depends(viewer)]  # noqa: N806  # a type, local because the gate is
    At = Annotated[str, Query(max_length=40)]  # noqa: N806  # a type

    @routes.get("/files/schemas", dependencies=[Depends(viewer)])
    def show_schemas() -> dict[str, Any]:
        return {kind.value: views.declaration(schema) for kind, schema in SCHEMAS.items()}

    @routes.get("/files/approvals")
    def list_approvals(request: Paging, who: Viewer) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return views.approvals(session, who, request).form()

    @routes.get("/files/{code}")
    def show_file(code: Code, who: Viewer, at: At = "") -> dict[str, Any]:
        moment = moment_of(at)
        with reading(desk.sessions) as session:
            return views.file_view(session, who, code, desk.clock(), moment)

    @routes.get("/files/{code}/history")
    def show_history(code: Code, who: Viewer, request: Paging) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return views.history(session, who, code, request).form()

    @routes.post("/files/{code}/changes")
    def change_file(code: Code, body: ChangeBody, who: Annotated[Principal, Depends(engineer)]) -> dict[str, Any]:
        ops = [Op(op.group, op.row, op.field, op.before, op.after) for op in body.ops]
        return asdict(service.change(desk, who, code, ops, service.Reason(body.why, body.source)))


def _decision_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate) -> None:
    engineer = gate.current(Role.ENGINEER)
    Engineer = Annotated[Principal, Depends(engineer)]  # noqa: N806  # a type, local because the gate is

    @routes.post("/files/changes/{number}/approve")
    def approve_change(number: Number, body: Note, who: Engineer) -> dict[str, int]:
        return {"version": service.approve(desk, who, number, body.note)}

    @routes.post("/files/changes/{number}/reject", status_code=204)
    def reject_change(number: Number, body: Note, who: Engineer) -> None:
        service.reject(desk, who, number, body.note)

    @routes.post("/files/changes/{number}/withdraw", status_code=204)
    def withdraw_change(number: Number, who: Engineer) -> None:
        service.withdraw(desk, who, number)


def _document_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate) -> None:
    viewer, engineer = gate.current(), gate.current(Role.ENGINEER)
    Viewer = Annotated[Principal, Depends(viewer)]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(engineer)]  # noqa: N806  # same

    @routes.get("/files/{code}/documents")
    def list_documents(code: Code, who: Viewer, at: Annotated[str, Query(max_length=40)] = "") -> list[dict[str, Any]]:
        moment = moment_of(at)
        with reading(desk.sessions) as session:
            return documents.documents(session, who, code, moment)

    @routes.post("/files/{code}/documents")
    def upload_document(
        code: Code, who: Engineer, file: UploadFile, kind: Annotated[str, Form(max_length=24)],
        why: Annotated[str, Form(max_length=1000)], title: Annotated[str, Form(max_length=400)] = "",
        valid_to: Annotated[str, Form(max_length=20)] = "", series: Annotated[int | None, Form(ge=1)] = None,
    ) -> dict[str, int]:  # fmt: skip
        content = file.file.read(MAX_DOCUMENT + 1)
        given = documents.Upload(kind, title, file.filename or "", why, valid_to, series)
        return {"id": documents.upload(desk, who, code, content, given)}

    @routes.get("/files/{code}/documents/{number}/content")
    def show_document(code: Code, number: Number, who: Viewer, inline: bool = False) -> Response:
        sent = documents.content_of(desk, who, code, number)
        shown = inline and sent.inline
        headers = _LOCKED | {
            "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(sent.file_name)}",
            "X-Content-SHA256": sent.sha256,
        }
        return Response(sent.content, media_type=sent.media if shown else "application/octet-stream", headers=headers)

    @routes.post("/files/{code}/documents/{number}/withdraw", status_code=204)
    def withdraw_document(code: Code, number: Number, body: Note, who: Engineer) -> None:
        documents.withdraw_document(desk, who, code, number, body.note)
