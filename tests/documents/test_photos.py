"""Uploads that are not what they say, or more than they say."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from tests.slips.support import photo

from hazwatch.documents.photos import MAX_ATTACHMENT, accept
from hazwatch.documents.sniff import RefusedDocumentError

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def archive() -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as parts:
        parts.writestr("run.js", "alert(1)")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 65,535 pixels wide and high."""
    content = bytearray(photo("PNG", (10, 10)))
    content[16:24] = (65_535).to_bytes(4, "big") * 2
    content[29:33] = crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def with_exif() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:23 15:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (35.0, 42.0, 7.0)
    exif[ExifTags.Base.Orientation] = 6
    return photo(exif=exif)


@pytest.mark.parametrize(("form", "name"), [("JPEG", "a.jpg"), ("PNG", "a.PNG"), ("WEBP", "a.webp")])
def test_photos_become_plain_pictures(form, name) -> None:
    kept = accept(photo(form), name)
    with Image.open(BytesIO(kept.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 240))
    assert kept.original != kept.sha256


def test_where_it_was_taken_is_dropped_and_when_is_kept() -> None:
    kept = accept(with_exif(), "a.jpg", "image/jpeg")
    assert kept.taken == "2026-11-23 15:04:05"
    with Image.open(BytesIO(kept.content)) as picture:
        assert dict(picture.getexif()) == {}
        assert picture.size == (240, 320), "turned as the camera was held"
    assert b"Exif" not in kept.content


def test_what_hangs_behind_the_picture_does_not_come_in() -> None:
    kept = accept(photo() + b"motion" * 100, "a.jpg")
    assert b"motion" not in kept.content


def test_a_large_photo_becomes_small() -> None:
    kept = accept(photo(size=(4000, 3000)), "a.jpg")
    with Image.open(BytesIO(kept.content)) as picture:
        assert max(picture.size) == 2048


def test_a_pdf_stays_as_it_is() -> None:
    assert accept(PDF, "检测报告.pdf", "application/pdf").content == PDF


HOSTILE = {
    "a program": (b"MZ\x90\x00" + bytes(100), "a.jpg", "", "只接受"),
    "a page that says it is a picture": (b"<html><script>alert(1)</script>", "a.png", "", "只接受"),
    "a page behind a picture": (photo() + b"<script>alert(1)</script>", "a.jpg", "", "网页代码"),
    "an archive behind a picture": (photo("PNG") + archive(), "a.png", "", "压缩包"),
    "a paper inside a picture": (photo("JPEG", comment=b"%PDF-1.7 x"), "a.jpg", "", "同时是图片和 PDF"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", "", "只接受照片"),
    "text": (b"hello", "a.txt", "", "只接受照片"),
    "another ending": (photo(), "a.png", "", "不符"),
    "another type declared": (photo(), "a.jpg", "image/png", "不符"),
    "half a picture": (photo()[:900], "a.jpg", "", "损坏"),
    "a bomb of pixels": (bomb(), "a.png", "", "百万像素"),
    "nothing": (b"", "a.jpg", "", "空的"),
    "too much": (b"\xff\xd8\xff" + bytes(MAX_ATTACHMENT), "a.jpg", "", "超过"),
    "a pdf that runs": (PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript/JS(x)>>"), "a.pdf", "", "脚本"),
    "a pdf that is also an archive": (PDF + archive(), "a.pdf", "", "压缩包"),
    "a pdf with a page in its head": (PDF.replace(b"1 0 obj", b"<html>1 0 obj"), "a.pdf", "", "网页代码"),
    "a pdf with something behind it": (PDF + bytes(2000), "a.pdf", "", "不完整"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_what_it_says_is_refused_with_the_reason(name) -> None:
    content, file_name, declared, reason = HOSTILE[name]
    with pytest.raises(RefusedDocumentError, match=reason):
        accept(content, file_name, declared)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=40))
def test_damaged_pictures_are_refused_or_become_pictures(at, junk) -> None:
    content = bytearray(photo(size=(64, 48)))
    at %= len(content)
    content[at : at + len(junk)] = junk
    try:
        kept = accept(bytes(content), "a.jpg")
    except RefusedDocumentError:
        return
    with Image.open(BytesIO(kept.content)) as picture:
        picture.load()
