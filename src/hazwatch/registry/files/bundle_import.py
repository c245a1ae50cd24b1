"""A bundle comes back in: checked against its manifest, shown, and taken in whole or not at all.

The manifest tells that nothing was changed on the way, not that the sender means well: whoever changes a part can write
a new manifest. So workbook, shapes and documents pass every check that they would pass one by one. The history of the
other home stays in the bundle; what happens here is a change of today by who imports.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from sqlalchemy.orm import Session

from hazwatch.documents import archive
from hazwatch.documents.sniff import MAX_DOCUMENT, RefusedDocumentError, sniff
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.registry import write
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import book, documents, store
from hazwatch.registry.files.book import BookResult, Given
from hazwatch.registry.files.bundle import MANIFEST, checked, document_part, reading_bundle
from hazwatch.registry.files.service import need_engineer
from hazwatch.registry.files.store import Owner, owner_in_scope
from hazwatch.registry.parse import Problem
from hazwatch.vocabulary.moments import parse

_BOOK = "workbook.xlsx"
_TEXTS = frozenset({"file.json", "history.json", "boundary.geojson", "documents.json"})
#: Of one JSON part: it is parsed as a whole.
_MAX_TEXT = 64 * 1024 * 1024
_SHOWN = 5
#: What makes two versions of a document the same, wherever they are kept.
_FACTS = ("kind", "title", "file_name", "sha256", "valid_to")

Versions = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one document: ``state`` = new | changed | older | same; ``versions``: how many are added."""

    state: str
    kind: str
    title: str
    file_name: str
    versions: int


@dataclass(frozen=True, slots=True)
class BundleResult:
    """What an import of a bundle did or would do: ``book`` as a workbook tells it, and its documents."""

    book: BookResult
    made_at: str
    documents: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Versions to add, oldest first, to the document ``series`` of this home, or as a new one.

    ``older``: they came before those that are here, so the newest stays the newest.
    """

    step: Step
    series: int | None
    add: Versions
    older: bool = False


def import_bundle(
    desk: RegistryDesk, who: Principal, code: str, content: bytes, why: str, *, dry_run: bool
) -> BundleResult:
    """Take the bundle of one file in, whole or not at all. Rows and documents that it does not mention stay.

    Raises:
        archive.HostileFileError: it is no whole, unchanged bundle of this file.
        ApiError: 403, 404; 409 as a workbook, or no room for more documents; 422 no reason.
    """
    need_engineer(who)
    book.need_reason(why, dry_run=dry_run)
    with reading(desk.sessions) as session:
        owner = owner_in_scope(session, who, code)
    with reading_bundle(content) as parts:
        made_at, given, listed, media = _read(owner, parts)
    if dry_run or given.problems:
        with reading(desk.sessions) as session:
            plans = _plans(documents.documents(session, who, code), listed)
            result = book.try_book(session, who, owner, given, dry_run=dry_run)
        return BundleResult(result, made_at, [plan.step for plan in plans])
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        plans = _plans(documents.documents(session, who, code), listed)
        result, version = book.enter_book(session, desk, who, owner, given, why)
        if result.ok:
            with zipfile.ZipFile(BytesIO(content)) as parts:  # every part was read before: nothing fails here
                _keep(session, desk, who, owner, plans, parts.read, media, why)
        else:
            session.rollback()
    if result.ok and version is not None:
        desk.on_change(version)
    return BundleResult(result, made_at, [plan.step for plan in plans])


def _read(owner: Owner, parts: zipfile.ZipFile) -> tuple[str, Given, list[Versions], dict[str, str]]:
    """When it was made, what the file shall be, its documents with versions oldest first, and their kinds by part."""
    for info in parts.infolist():
        _check_part(info)
    found = checked(parts)
    if found.owner != owner.code:
        raise archive.HostileFileError(f"压缩包是 {found.owner[:20]} 的档案,不能导入到 {owner.name}({owner.code})")
    if not found.ok:
        more = f" 等 {len(found.problems)} 处" if len(found.problems) > _SHOWN else ""
        reason = ";".join(found.problems[:_SHOWN]) + more if found.problems else "格式版本不认识"
        raise archive.HostileFileError(f"与校验清单不符:{reason[:500]}")
    parse(found.made_at)
    listed = [_oldest_first(one) for one in json.loads(parts.read("documents.json"))]
    wanted = [document_part(version) for version in _all(listed)]
    there = {info.filename for info in parts.infolist()} - {MANIFEST, _BOOK, *_TEXTS}
    if len(set(wanted)) != len(wanted) or set(wanted) != there:
        odd = sorted(set(wanted) ^ there)
        raise archive.HostileFileError(f"图纸与文件清单与内容不符:{(odd or wanted)[0][:200]}")
    read = book.read_book(owner, parts.read(_BOOK), _BOOK)
    media, wrong = _sniffed(owner, listed, parts.read)
    shapes = json.loads(parts.read("file.json"))["content"]
    if not all(isinstance(row, dict) for rows in shapes.values() for row in rows.values()):
        raise TypeError("file.json")
    source = f"档案压缩包 {found.made_at}"
    return found.made_at, replace(read, problems=[*read.problems, *wrong], source=source, shapes=shapes), listed, media


def _check_part(info: zipfile.ZipInfo) -> None:
    """Refuse a part that no bundle has, before anything is unpacked."""
    name = info.filename
    folder, _, bare = name.rpartition("/")
    # What stands before a NUL is all that ``filename`` tells, so the name as it is written counts.
    if info.orig_filename != name or "\\" in name or name.startswith("/") or ".." in name.split("/"):
        raise archive.HostileFileError(f"部件名含有路径:{info.orig_filename[:100]!r}")
    if folder == "documents" and bare and documents.safe_name(bare.split("-", 2)[-1]) == bare.split("-", 2)[-1]:
        limit = MAX_DOCUMENT
    elif name == _BOOK:
        limit = archive.MAX_FILE
    elif name in _TEXTS or name == MANIFEST:
        limit = _MAX_TEXT
    else:
        raise archive.HostileFileError(f"不认识的部件 {name[:100]!r}")
    if info.file_size > limit:
        raise archive.HostileFileError(f"部件 {name[:100]} 解压后超过 {limit // 1024 // 1024} MiB")


def _oldest_first(document: Mapping[str, Any]) -> Versions:
    return sorted([document, *document["older"]], key=lambda version: int(version["version"]))


def _all(listed: list[Versions]) -> Iterator[Mapping[str, Any]]:
    return (version for versions in listed for version in versions)


def _sniffed(
    owner: Owner, listed: list[Versions], bytes_of: Callable[[str], bytes]
) -> tuple[dict[str, str], list[Problem]]:
    """What every version really is by part, and what is wrong with them."""
    kinds = {kind.key for kind in owner.schema.documents}
    media: dict[str, str] = {}
    wrong = []
    for version in _all(listed):
        part = document_part(version)
        try:
            if version["kind"] not in kinds:
                raise RefusedDocumentError("没有这种文件类型")  # noqa: TRY301  # told like the others
            content = bytes_of(part)
            media[part] = sniff(content, version["file_name"]).media
            if hashlib.sha256(content).hexdigest() != version["sha256"]:
                raise RefusedDocumentError("内容与 documents.json 中的 SHA-256 不符")  # noqa: TRY301  # same
            documents.check_words(_upload(version, "导入", None))
        except RefusedDocumentError as error:
            wrong.append(Problem("图纸与文件", "", 0, str(version["file_name"]), str(error)))
        except ApiError as error:
            words = ";".join((error.fields or {}).values())
            wrong.append(Problem("图纸与文件", "", 0, str(version["file_name"]), words))
    return media, wrong


def _plans(held: list[dict[str, Any]], listed: list[Versions]) -> list[_Plan]:
    """Meet the documents of this home: by the newest version, else by any content, else by kind and title."""
    free = {document["series"]: _oldest_first(document) for document in held}
    met: dict[int, tuple[int, Versions]] = {}
    for alike in (_same_newest, _share_content, _same_title):
        for place, given in enumerate(listed):
            if place not in met:
                series = next((number for number, own in free.items() if alike(own, given)), None)
                if series is not None:
                    met[place] = series, free.pop(series)
    return [_plan(given, *met.get(place, (None, []))) for place, given in enumerate(listed)]


def _plan(given: Versions, series: int | None, own: Versions) -> _Plan:
    newest = given[-1]
    known = {_facts(version) for version in own}
    add = [version for version in given[:-1] if _facts(version) not in known]
    older = bool(own) and _same_newest(own, given)
    if not older:
        add.append(newest)
    state = "same" if not add else "older" if older else "new" if series is None else "changed"
    return _Plan(Step(state, newest["kind"], newest["title"], newest["file_name"], len(add)), series, add, older)


def _facts(version: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(version[name] for name in _FACTS)


def _same_newest(own: Versions, given: Versions) -> bool:
    return _facts(own[-1]) == _facts(given[-1])


def _share_content(own: Versions, given: Versions) -> bool:
    contents = {version["sha256"] for version in own}
    return own[-1]["kind"] == given[-1]["kind"] and any(version["sha256"] in contents for version in given)


def _same_title(own: Versions, given: Versions) -> bool:
    return (own[-1]["kind"], own[-1]["title"]) == (given[-1]["kind"], given[-1]["title"])


def _keep(
    session: Session, desk: RegistryDesk, who: Principal, owner: Owner, plans: list[_Plan],
    bytes_of: Callable[[str], bytes], media: Mapping[str, str], why: str,
) -> None:  # fmt: skip
    for plan in plans:
        series, added = plan.series, []
        for version in plan.add:
            part = document_part(version)
            number = documents.keep(
                session, desk, who, owner, bytes_of(part), media[part], _upload(version, why, series)
            )
            # The first version of a document gives it its number.
            series = number if series is None else series
            added.append(number)
        if plan.older and series is not None and added:
            documents.put_first(session, owner, series, added)
    if any(plan.add for plan in plans):
        store.refresh(session, [owner.code], desk.clock())


def _upload(version: Mapping[str, Any], why: str, series: int | None) -> documents.Upload:
    return documents.Upload(
        version["kind"], version["title"], version["file_name"], why, version["valid_to"] or "", series
    )
