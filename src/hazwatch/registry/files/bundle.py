"""A whole file as one ZIP: workbook, content, history, shapes, documents, and a manifest with the digest of every part.

Whoever gets it can check it without this system; this system checks it before it believes it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from sqlalchemy.orm import Session

from hazwatch.documents import archive
from hazwatch.identity.errors import conflict
from hazwatch.identity.model import Principal
from hazwatch.records.engine import reading
from hazwatch.records.paging import PageRequest
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import documents, store, views
from hazwatch.registry.files.book import file_workbook
from hazwatch.registry.files.store import owner_in_scope
from hazwatch.registry.files.tables import FileBlob
from hazwatch.registry.places.service import file_geojson
from hazwatch.vocabulary.moments import iso

MANIFEST = "manifest.json"
FORMAT = "hazwatch-file/1"
MAX_BUNDLE = 500 * 1024 * 1024
#: A bundle is made in memory.
MAX_DOCUMENTS = 400 * 1024 * 1024
_MAX_PARTS = 5_000
_EVERYTHING = PageRequest(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of a bundle found."""

    ok: bool
    owner: str = ""
    made_at: str = ""
    parts: int = 0
    problems: list[str] = field(default_factory=list)


def make_bundle(desk: RegistryDesk, who: Principal, code: str) -> tuple[str, bytes]:
    """The owner's name, and the ZIP.

    Raises:
        ApiError: 404 there is no such owner in scope; 409 its documents are too large for one ZIP.
    """
    buffer = BytesIO()
    with reading(desk.sessions) as session, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as parts:
        owner = owner_in_scope(session, who, code)
        manifest: dict[str, Any] = {
            "format": FORMAT, "owner": code, "name": owner.name, "kind": owner.kind.value,
            "made_at": iso(desk.clock()), "made_by": who.username, "simulated": owner.simulated, "parts": {},
        }  # fmt: skip
        for name, content in _parts(session, who, desk.clock(), code):
            parts.writestr(name, content)
            manifest["parts"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        parts.writestr(MANIFEST, _json(manifest))
    return owner.name, buffer.getvalue()


def _parts(session: Session, who: Principal, now: int, code: str) -> Iterator[tuple[str, bytes]]:
    content = store.load(session, code)
    yield "file.json", _json(views.file_view(session, who, code, now, None))
    yield "history.json", _json(views.history(session, who, code, _EVERYTHING).items)
    yield "boundary.geojson", _json(file_geojson(content, code))
    yield "workbook.xlsx", file_workbook(session, who, code)
    found = documents.documents(session, who, code)
    if sum(version["size"] for row in found for version in (row, *row["older"])) > MAX_DOCUMENTS:
        raise conflict(f"文件合计超过 {MAX_DOCUMENTS // 1024 // 1024} MiB,不能装入一个压缩包", "请在页面上分别下载")
    yield "documents.json", _json(found)
    for row in found:
        for version in (row, *row["older"]):
            blob = session.get_one(FileBlob, version["sha256"])
            yield document_part(version), blob.content


def document_part(version: Mapping[str, Any]) -> str:
    """The name of the part that holds one version of a document."""
    return f"documents/{version['series']}-v{version['version']}-{version['file_name']}"


def check_bundle(content: bytes) -> Checked:
    """Whether a ZIP is a whole, unchanged bundle: every part of the manifest is there with its digest, and no other.

    Raises:
        archive.HostileFileError: it is no ZIP, or it blows up.
    """
    with reading_bundle(content) as parts:
        return checked(parts)


@contextmanager
def reading_bundle(content: bytes) -> Iterator[zipfile.ZipFile]:
    """The parts of a ZIP; whatever makes reading them fail becomes one refusal.

    Raises:
        archive.HostileFileError: it is too large, no ZIP, or damaged.
    """
    if len(content) > MAX_BUNDLE:
        raise archive.HostileFileError("文件过大")
    try:
        with zipfile.ZipFile(BytesIO(content)) as parts:
            yield parts
    except archive.HostileFileError:
        raise
    except (zipfile.BadZipFile, zlib.error, LookupError, TypeError, AttributeError, ValueError, OSError,
            NotImplementedError, RuntimeError, EOFError) as error:  # fmt: skip
        raise archive.HostileFileError("不是本系统导出的档案压缩包,或已损坏") from error


def checked(parts: zipfile.ZipFile) -> Checked:
    """Every part against the manifest.

    Raises:
        archive.HostileFileError: too many or too large parts, or one name twice.
    """
    infos = parts.infolist()
    if len({info.filename for info in infos}) != len(infos):
        raise archive.HostileFileError("压缩包内部件重名")
    if len(infos) > _MAX_PARTS or sum(info.file_size for info in infos) > MAX_BUNDLE:
        raise archive.HostileFileError("压缩包内部件过多或解压后过大")
    manifest = json.loads(parts.read(MANIFEST))
    wanted, there = manifest["parts"], {info.filename for info in infos}
    problems = [f"多出未登记的部件 {name}" for name in sorted(there - {*wanted, MANIFEST})]
    problems += [f"缺少部件 {name}" for name in wanted if name not in there]
    for name, facts in wanted.items():
        if name in there and hashlib.sha256(parts.read(name)).hexdigest() != facts["sha256"]:
            problems.append(f"部件 {name} 内容被改动")
    named = str(manifest["owner"]), str(manifest["made_at"])
    return Checked(not problems and manifest["format"] == FORMAT, *named, len(wanted), problems)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
