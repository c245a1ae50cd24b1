"""Hostile uploads."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from hazwatch.documents.sniff import RefusedDocumentError, sniff
from hazwatch.registry.service import template

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def zipped(**parts: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_x_", "."), content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "inline"),
    [
        (b"%PDF-1.7 x", "a.pdf", False), (b"\x89PNG\r\n\x1a\nx", "a.PNG", True), (b"\xff\xd8\xff\xe0x", "a.jpeg", True),
        (b"AC1032x", "plan.dwg", False), ("总平面说明".encode(), "a.txt", False),
        (SVG.format('<path d="M0 0"/>').encode(), "a.svg", False),
    ],
)  # fmt: skip
def test_what_is_taken(content, name, inline) -> None:
    assert sniff(content, name).inline is inline
    assert not sniff(template(), "a.xlsx").inline


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.pdf"), (b"MZ\x90", "a.exe"), (b"%PDF-1.7", "a.png"), (b"<html><script>x</script>", "a.txt"),
        (b"<!DOCTYPE html>", "a.html"), (b"GIF89a", "a.gif"), (b"a\x00b", "a.txt"), (b"PK\x03\x04broken", "a.docx"),
        (SVG.format("<script>alert(1)</script>").encode(), "a.svg"),
        (SVG.format('<rect onload="x()"/>').encode(), "a.svg"),
        (SVG.format('<a xlink:href="https://elsewhere.test/">x</a>').encode(), "a.svg"),
        (SVG.format("<foreignObject/>").encode(), "a.svg"),
        (b'<!DOCTYPE svg [<!ENTITY x "y">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>', "a.svg"),
        (b"<svg><path/></svg>", "a.svg"), (bytes(30 * 1024 * 1024 + 1), "a.pdf"),
        (zipped(evil_x_sh=b"rm"), "a.zip"),
    ],
)  # fmt: skip
def test_what_is_refused(content, name) -> None:
    with pytest.raises(RefusedDocumentError):
        sniff(content, name)


def test_office_with_macros_and_bombs() -> None:
    types = b"<Types/>"
    word = {"[Content_Types].xml": types, "word__document.xml": b"<w/>"}
    assert sniff(zipped(**word), "a.docx").media.endswith("document")
    for more in (
        {"word__vbaProject.bin": b"x"}, {"word__bomb.xml": bytes(30_000_000)},
        {"[Content_Types].xml": b'ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"'},
    ):  # fmt: skip
        with pytest.raises(RefusedDocumentError):
            sniff(zipped(**(word | more)), "a.docx")
