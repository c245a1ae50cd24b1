"""Hostile papers, made up: whatever a reader would do when it opens them is found where it hides."""

from __future__ import annotations

import base64
import os
import re
import zlib
from io import BytesIO

import pytest
from PIL import Image

from hazwatch.documents import pdf
from hazwatch.documents.photos import accept
from hazwatch.documents.sniff import RefusedDocumentError


def paper(*parts: bytes, catalog: bytes = b"") -> bytes:
    body = b"\n".join(parts)
    return b"%PDF-1.7\n1 0 obj<</Type/Catalog" + catalog + b">>endobj\n" + body + b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def stream(text: bytes, dictionary: bytes = b"/Filter/FlateDecode", number: int = 5) -> bytes:
    return b"%d 0 obj<<%s/Length %d>>\nstream\n%s\nendstream endobj" % (number, dictionary, len(text), text)


def objects(text: bytes, packed=zlib.compress, dictionary: bytes = b"/Filter/FlateDecode") -> bytes:
    """A stream of objects that holds object 7."""
    head = b"7 0 "
    return stream(packed(head + text), b"/Type/ObjStm/N 1/First %d" % len(head) + dictionary)


SCRIPT = b"<</S/JavaScript/JS(app.alert(1))>>"
HOSTILE = {
    "a script in the open": paper(catalog=b"/OpenAction" + SCRIPT),
    "a script in a stream of objects": paper(objects(SCRIPT), catalog=b"/OpenAction 7 0 R"),
    "its name with a letter as a number": paper(objects(b"<</S/J#61vaScript/#4aS(x)>>")),
    "a letter as a number in the open": paper(b"2 0 obj<</S/Java#53cript/J#53 3 0 R>>endobj"),
    "a comment between name and script": paper(b"2 0 obj<</JS % nothing here\n (app.alert(1))>>endobj"),
    "packed twice": paper(
        objects(SCRIPT, lambda t: zlib.compress(zlib.compress(t)), b"/Filter[/FlateDecode/FlateDecode]")
    ),
    "packed as text": paper(
        objects(SCRIPT, lambda t: base64.a85encode(zlib.compress(t)) + b"~>", b"/Filter[/ASCII85Decode/FlateDecode]")
    ),
    "packed as digits": paper(objects(SCRIPT, lambda t: t.hex().encode() + b">", b"/Filter/ASCIIHexDecode")),
    "it says that it is a picture": paper(objects(SCRIPT, dictionary=b"/Subtype/Image/Filter/FlateDecode")),
    "a false end in front of it": paper(objects(b"endstream" * 3 + SCRIPT, lambda t: zlib.compress(t, 0))),
    "the end is damaged": paper(objects(SCRIPT + os.urandom(200), lambda t: zlib.compress(t)[:-40])),
    "a program": paper(objects(b"<</S/Launch/F(cmd.exe)>>")),
    "a file inside": paper(objects(b"<</Names<</EmbeddedFiles 9 0 R>>>>")),
    "a file inside, another way": paper(objects(b"<</Type/Filespec/EF<</F 9 0 R>>>>")),
    "it calls somebody when opened": paper(catalog=b"/OpenAction<</S/URI/URI(http://x)>>"),
    "the same, said elsewhere": paper(b"8 0 obj<</S/SubmitForm/F(http://x)>>endobj", catalog=b"/OpenAction 8 0 R"),
    "the same, said in a stream": paper(objects(b"<</S/URI/URI(http://x)>>"), catalog=b"/OpenAction 7 0 R"),
    "after the place another action": paper(catalog=b"/OpenAction<</S/GoTo/D[3 0 R/Fit]/Next 9 0 R>>"),
    "on every page an action": paper(b"3 0 obj<</Type/Page/AA<</O 9 0 R>>>>endobj"),
    "a form of the other kind": paper(objects(b"<</XFA[(x) 9 0 R]>>")),
    "its key is kept": paper().replace(b"/Root", b"/Encrypt 9 0 R/Root"),
    "packed in a way that nobody looks into": paper(objects(SCRIPT, lambda t: t, b"/Filter/LZWDecode")),
    "its filter is written elsewhere": paper(objects(SCRIPT, dictionary=b"/Filter 9 0 R")),
    "one end for many beginnings": paper(b"<</Filter/A85>>stream\n" * 15_000 + b"z" * 200_000 + b"~>"),
    "no end": paper(stream(b"zz", b"/Filter/A85")),
    "mixed rows": paper(objects(SCRIPT, dictionary=b"/Filter/FlateDecode/DecodeParms<</Predictor 12>>")),
    "a bomb": paper(stream(zlib.compress(bytes(40 * 1024 * 1024), 9))),
    "many small bombs": paper(*(stream(zlib.compress(os.urandom(20_000) + bytes(900_000))) for _ in range(150))),
    "too many streams": paper(b"stream\n\nendstream " * (pdf.MOST_STREAMS + 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_active_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(RefusedDocumentError, match="PDF"):
        accept(HOSTILE[name], "报告.pdf", "application/pdf")


def scanned() -> bytes:
    out = BytesIO()
    Image.effect_noise((900, 900), 60).save(out, "PDF")
    return out.getvalue()


GOOD = {
    "opens at a page": paper(catalog=b"/OpenAction[3 0 R/Fit]"),
    "opens at a place": paper(catalog=b"/OpenAction<</S/GoTo/D[3 0 R/Fit]>>"),
    "opens at a place kept in a stream, beside links": paper(
        objects(b"<</S/GoTo/D[3 0 R/Fit]>>"), stream(zlib.compress(b"<</S/URI/URI(http://x)>>")),
        catalog=b"/OpenAction 7 0 R",
    ),
    "speaks of scripts": paper(stream(zlib.compress(b"BT (JavaScript and JS) Tj ET"))),
    "a scanned page": scanned(),
    "a picture that packs well": paper(stream(zlib.compress(bytes(40_000_000)), b"/Subtype/Image/Filter/FlateDecode")),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_only_shows_something_is_taken(name: str) -> None:
    assert accept(GOOD[name], "报告.pdf", "application/pdf").content == GOOD[name]


def test_noise_of_pictures_is_no_script() -> None:
    noise = re.sub(rb"/JS", b"/Js", os.urandom(4 * 1024 * 1024))
    accept(paper(stream(noise, b"/Subtype/Image/Filter/DCTDecode")), "扫描.pdf")
