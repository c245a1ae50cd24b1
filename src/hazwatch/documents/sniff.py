"""What an uploaded document really is. Its name and the browser's word are not believed: its content decides.

Taken: PDF, PNG, JPEG, WebP, TIFF, Office without macros, DWG, DXF, SVG without anything active, plain text. Refused:
what is none of these, what runs (HTML, scripts, programs, macros), and archives that blow up. Whatever is taken is
given back as a download; only plain pictures are shown in place.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from hazwatch.documents import archive

MAX_DOCUMENT = 30 * 1024 * 1024

#: Pictures that hold nothing but pixels.
INLINE = frozenset({"image/png", "image/jpeg", "image/webp"})

_MAGIC: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"%PDF-", "application/pdf", ("pdf",)),
    (b"\x89PNG\r\n\x1a\n", "image/png", ("png",)),
    (b"\xff\xd8\xff", "image/jpeg", ("jpg", "jpeg")),
    (b"II*\x00", "image/tiff", ("tif", "tiff")),
    (b"MM\x00*", "image/tiff", ("tif", "tiff")),
    (b"AC10", "image/vnd.dwg", ("dwg",)),
)
_OFFICE = {
    "word/document.xml": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    "xl/workbook.xml": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "ppt/presentation.xml": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
}
_TEXT = {"txt": "text/plain", "csv": "text/csv", "dxf": "image/vnd.dxf"}
_ACTIVE_TEXT = re.compile(rb"<\s*(!doctype\s+html|html|script|svg|iframe|body|head)\b", re.IGNORECASE)
_SVG = "{http://www.w3.org/2000/svg}"
_ACTIVE_TAGS = {"script", "foreignObject", "iframe", "object", "embed", "handler", "animate", "set", "image", "use"}
_LINK = re.compile(r"^\s*(#|data:image/(png|jpeg);)")


class RefusedDocumentError(ValueError):
    """The document is not taken; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What a document is."""

    media: str
    inline: bool


def sniff(content: bytes, file_name: str) -> Sniffed:
    """Look at a document.

    Raises:
        RefusedDocumentError: too large, empty, of no kind that is taken, dangerous, or not what its name says.
    """
    if not content:
        raise RefusedDocumentError("文件是空的")
    if len(content) > MAX_DOCUMENT:
        raise RefusedDocumentError(f"文件超过 {MAX_DOCUMENT // 1024 // 1024} MiB")
    ending = file_name.rpartition(".")[2].lower()
    media, endings = _kind(content, ending)
    if ending not in endings:
        raise RefusedDocumentError(f"文件内容是 {'/'.join(endings)},与扩展名 .{ending[:10]} 不符")
    return Sniffed(media, media in INLINE)


def _kind(content: bytes, ending: str) -> tuple[str, tuple[str, ...]]:
    for magic, media, endings in _MAGIC:
        if content.startswith(magic):
            return media, endings
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", ("webp",)
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    if ending == "svg":
        _check_svg(content)
        return "image/svg+xml", ("svg",)
    if ending in _TEXT:
        _check_text(content)
        return _TEXT[ending], (ending,)
    raise RefusedDocumentError("只接受 PDF、图片(PNG/JPEG/WebP/TIFF/SVG)、Office(不含宏)、DWG/DXF 和纯文本")


def _office(content: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as parts:
            archive.check_parts(parts.infolist())
            names = set(parts.namelist())
            types = parts.read("[Content_Types].xml")
    except archive.HostileFileError as error:
        raise RefusedDocumentError(str(error)) from error
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise RefusedDocumentError("压缩包或已损坏的文件,不接受") from error
    if b"macroEnabled" in types:
        raise RefusedDocumentError("文件含有宏,请另存为不含宏的格式")
    for part, (media, ending) in _OFFICE.items():
        if part in names:
            return media, (ending,)
    raise RefusedDocumentError("压缩包不接受,请上传其中的文件")


def _check_svg(content: bytes) -> None:
    """Nothing that runs, nothing that loads from elsewhere."""
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise RefusedDocumentError("不是安全的 SVG(不能含有 DTD 或实体)") from error
    if root.tag != f"{_SVG}svg":
        raise RefusedDocumentError("不是 SVG 图")
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag.rpartition("}")[2] in _ACTIVE_TAGS:
            raise RefusedDocumentError("SVG 含有脚本、引用或活动内容,请导出为 PDF 或 PNG")
        for name, value in element.attrib.items():
            bare = name.rpartition("}")[2].lower()
            loads = bare == "href" and not _LINK.match(value)
            if bare.startswith("on") or loads or "javascript:" in value.lower() or "url(http" in value.lower():
                raise RefusedDocumentError("SVG 含有脚本或外部链接,请导出为 PDF 或 PNG")


def _check_text(content: bytes) -> None:
    if b"\x00" in content:
        raise RefusedDocumentError("不是纯文本文件")
    if _ACTIVE_TEXT.search(content[:1_000_000]):
        raise RefusedDocumentError("文本中含有网页代码,不接受")
