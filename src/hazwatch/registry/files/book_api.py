"""Routes of a file's workbook and bundle (docs/api.md, "Files")."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Response, UploadFile

from hazwatch.documents import archive
from hazwatch.identity.deps import Gate
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import book, bundle, bundle_import
from hazwatch.registry.files.model import OwnerKind
from hazwatch.registry.files.store import owner_in_scope

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Code = Annotated[str, Path(max_length=16)]


def router(desk: RegistryDesk, gate: Gate) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1", tags=["files"])
    viewer, engineer = gate.current(), gate.current(Role.ENGINEER)
    Viewer = Annotated[Principal, Depends(viewer)]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(engineer)]  # noqa: N806  # same

    for kind in OwnerKind:
        routes.add_api_route(
            f"/files/template/{kind.value}.xlsx", _template(kind), methods=["GET"], dependencies=[Depends(engineer)]
        )

    @routes.get("/files/{code}/book.xlsx")
    def export_book(code: Code, who: Viewer) -> Response:
        with reading(desk.sessions) as session:
            owner = owner_in_scope(session, who, code)
            content = book.file_workbook(session, who, code)
        return _sent(content, f"{owner.schema.title}-{owner.name}.xlsx", XLSX)

    @routes.post("/files/{code}/book")
    def import_book(
        code: Code, who: Engineer, file: UploadFile, why: Annotated[str, Form(max_length=1000)] = "",
        dry_run: Annotated[bool, Query()] = True,
    ) -> dict[str, Any]:  # fmt: skip
        content = file.file.read(archive.MAX_FILE + 1)
        try:
            return asdict(book.import_book(desk, who, code, content, file.filename or "", why, dry_run=dry_run))
        except archive.HostileFileError as error:
            status = 413 if len(content) > archive.MAX_FILE else 422
            hint = "请从模板另存为 .xlsx 后重试"
            raise ApiError(status, "bad_workbook", str(error), hint, {"file": str(error)}) from error

    @routes.get("/files/{code}/bundle.zip")
    def export_bundle(code: Code, who: Viewer) -> Response:
        name, content = bundle.make_bundle(desk, who, code)
        return _sent(content, f"档案-{name}-{code}.zip", "application/zip")

    @routes.post("/files/{code}/bundle")
    def import_bundle(
        code: Code, who: Engineer, file: UploadFile, why: Annotated[str, Form(max_length=1000)] = "",
        dry_run: Annotated[bool, Query()] = True,
    ) -> dict[str, Any]:  # fmt: skip
        content = file.file.read(bundle.MAX_BUNDLE + 1)
        with _refused(content):
            found = bundle_import.import_bundle(desk, who, code, content, why, dry_run=dry_run)
        steps = [asdict(step) for step in found.documents]
        return asdict(found.book) | {"made_at": found.made_at, "documents": steps}

    @routes.post("/files/bundle/check", dependencies=[Depends(viewer)])
    def check_bundle(file: UploadFile) -> dict[str, Any]:
        content = file.file.read(bundle.MAX_BUNDLE + 1)
        with _refused(content):
            return asdict(bundle.check_bundle(content))

    return routes


@contextmanager
def _refused(content: bytes) -> Iterator[None]:
    """A bundle that is not taken, as the API says it."""
    try:
        yield
    except archive.HostileFileError as error:
        status = 413 if len(content) > bundle.MAX_BUNDLE else 422
        raise ApiError(status, "bad_bundle", str(error), "请选择本系统导出的 .zip", {"file": str(error)}) from error


def _template(kind: OwnerKind) -> Any:
    def show_template() -> Response:
        return _sent(book.empty_workbook(kind), f"{kind.zh}档案模板.xlsx", XLSX)

    show_template.__name__ = f"show_{kind.value}_template"
    return show_template


def _sent(content: bytes, name: str, media: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}", "Cache-Control": "no-store"}
    return Response(content, media_type=media, headers=headers)
