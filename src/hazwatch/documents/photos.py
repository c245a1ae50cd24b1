"""Photos and attached papers from people's telephones and desks: taken, cleaned, or refused with the reason.

A photo (JPEG, PNG, WebP) is decoded and written anew as JPEG: only pixels remain. Where it was taken (EXIF position)
and everything else that came in the file is dropped, because the record is read by five tiers and a position is
personal data that anybody can forge; when it was taken, as the camera says, is kept beside it. The digest of the file
as it came is kept too, so the original on the telephone can still be compared. A PDF is kept as it is and only ever
given back as a download.
"""

from __future__ import annotations

import hashlib
import re
import warnings
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from hazwatch.documents import pdf
from hazwatch.documents.sniff import RefusedDocumentError, sniff

if TYPE_CHECKING:
    from PIL import Image

MAX_ATTACHMENT = 15 * 1024 * 1024
_MAX_PIXELS = 60_000_000
_EDGE = 2048
_QUALITY = 85
_PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_PDF = "application/pdf"
#: What browsers would run if they were ever made to read the file as a page.
_MARKUP = re.compile(rb"<script|<iframe|<!doctype|<html|<\?php", re.IGNORECASE)
_HEAD = 1024
_TAKEN = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is kept. ``original``: SHA-256 of the file as it came; ``taken``: by the camera's word, may be empty."""

    content: bytes
    media: str
    original: str
    taken: str = ""

    @property
    def sha256(self) -> str:
        """Digest of what is kept."""
        return hashlib.sha256(self.content).hexdigest()


def accept(content: bytes, file_name: str, declared: str = "") -> Attachment:
    """Look at an upload.

    Args:
        content: the bytes.
        file_name: as the sender says.
        declared: media type as the sender says; empty or ``application/octet-stream`` says nothing.

    Raises:
        RefusedDocumentError: too large, neither photo nor PDF, not what it says, or more than it says.
    """
    if len(content) > MAX_ATTACHMENT:
        raise RefusedDocumentError(f"文件超过 {MAX_ATTACHMENT // 1024 // 1024} MiB")
    media = sniff(content, file_name).media
    if media not in {*_PICTURES, _PDF}:
        raise RefusedDocumentError("附件只接受照片(JPEG/PNG/WebP)和 PDF")
    said = declared.partition(";")[0].strip().lower().replace("image/jpg", "image/jpeg")
    if said not in {"", "application/octet-stream", media}:
        raise RefusedDocumentError(f"文件内容是 {media},与声明的 {said[:40]} 不符")
    _single(content, media)
    original = hashlib.sha256(content).hexdigest()
    if media == _PDF:
        return Attachment(content, media, original)
    kept, taken = _redrawn(content, _PICTURES[media])
    return Attachment(kept, "image/jpeg", original, taken)


def _single(content: bytes, media: str) -> None:
    """One thing only: a file that is a picture and also a page, an archive or a paper is refused."""
    if _MARKUP.search(content if media != _PDF else content[:_HEAD]):
        raise RefusedDocumentError("文件中夹带网页代码,不接受")
    if zipfile.is_zipfile(BytesIO(content)):
        raise RefusedDocumentError("文件中夹带压缩包,不接受")
    if media == _PDF:
        if b"%%EOF" not in content[-_HEAD:]:
            raise RefusedDocumentError("PDF 不完整或其后夹带其他内容")
        pdf.check(content)
    elif b"%PDF-" in content[:_HEAD]:
        raise RefusedDocumentError("文件同时是图片和 PDF,不接受")


def _redrawn(content: bytes, form: str) -> tuple[bytes, str]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=[form]) as picture:
                _check_size(picture)
                taken = _taken(picture)
                picture.draft("RGB", (_EDGE, _EDGE))
                drawn = ImageOps.exif_transpose(picture).convert("RGB")
    except RefusedDocumentError:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise RefusedDocumentError("图片已损坏,无法读取") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RefusedDocumentError(f"图片超过 {_MAX_PIXELS // 1_000_000} 百万像素") from error
    drawn.thumbnail((_EDGE, _EDGE))
    drawn.info.clear()
    out = BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue(), taken


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > _MAX_PIXELS:
        raise RefusedDocumentError(f"图片超过 {_MAX_PIXELS // 1_000_000} 百万像素")


def _taken(picture: Image.Image) -> str:
    """``2026-11-23 15:00:00`` by the camera's own clock, which has no zone."""
    from PIL import ExifTags

    exif = picture.getexif()
    said = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime) or ""
    found = _TAKEN.match(str(said))
    return f"{found[1]}-{found[2]}-{found[3]} {found[4]}" if found else ""
