"""What a PDF would do when opened: scripts, programs, actions, files inside; also where it hides them.

ISO 32000-1: a dictionary lies in the open, or in a stream of objects (7.5.7) that is compressed; a name may be written
with ``#xx`` for any letter (7.3.5). So names are decoded, every stream that could hold dictionaries is unpacked within
bounds, and what cannot be looked into is refused. Pictures are passed over.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator

from hazwatch.documents.sniff import RefusedDocumentError

#: Streams of one file; what one and all of them may unpack to; how much larger than packed, from a size on.
MOST_STREAMS = 20_000
LARGEST_STREAM = 32 * 1024 * 1024
LARGEST = 128 * 1024 * 1024
_RATIO, _RATIO_FROM = 200, 1024 * 1024
_CHUNK = 64 * 1024
#: How far before a stream its dictionary begins at most.
_DICTIONARY = 8192

#: Between two words: bounded, so that no file makes the search slow; what is longer is refused or found by its value.
_GAP = rb"(?:[\s\x00]|%[^\r\n]{0,60}[\r\n]){0,64}"
_REFERENCE = rb"(\d{1,10})" + _GAP + rb"\d{1,5}" + _GAP + rb"R"
_VALUE = _GAP + rb"(?:\(|<|" + _REFERENCE + rb")"
_ACTIVE = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA)(?![A-Za-z0-9])|/(?:JS|EF|AA)(?=" + _VALUE + rb")"
)
_ENCRYPTED = re.compile(rb"/Encrypt(?=" + _VALUE + rb")")
_OPEN_ACTION = re.compile(rb"/OpenAction" + _GAP + rb"(?:(<<)|" + _REFERENCE + rb")")
#: The only thing that opening may do: show a place of this document.
_GOES_TO = re.compile(rb"/S" + _GAP + rb"/GoTo(?![A-Za-z])")
_FIRST = re.compile(rb"/First" + _GAP + rb"(\d{1,9})(?!" + _GAP + rb"\d)")
_STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_FILTER = re.compile(rb"/(?:Filter|F)" + _GAP + rb"(?:\[([^\]]*)\]|(/[A-Za-z0-9]+))")
_NAME = re.compile(rb"/([A-Za-z0-9]+)")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_PREDICTED = re.compile(rb"/Predictor" + _GAP + rb"(?:[2-9]|1\d)")
_FLATE, _HEX, _A85 = (b"FlateDecode", b"Fl"), (b"ASCIIHexDecode", b"AHx"), (b"ASCII85Decode", b"A85")
_DIGITS = 10
_OPAQUE = "PDF 的结构用了无法检查的编码,请打印为普通 PDF 后重试"
_WHY = "PDF 含有脚本、启动动作或嵌入文件,请打印为普通 PDF 后重试"


def check(content: bytes) -> None:
    """Look for anything active.

    Raises:
        RefusedDocumentError: there is, or it cannot be looked into.
    """
    text = _names(content)
    if _ENCRYPTED.search(text):
        raise RefusedDocumentError("PDF 已加密,无法检查,请打印为普通 PDF 后重试")
    _refuse_active(text)
    opening = [text] if b"/OpenAction" in text else []
    members: dict[bytes, list[bytes]] = {}
    for unpacked, first in _unpacked(content):
        _refuse_active(unpacked)
        if b"/OpenAction" in unpacked:
            opening.append(unpacked)
        for number, member in _members(unpacked, first):
            members.setdefault(number, []).append(member)
    for one in opening:
        _refuse_opening(one, text, members)


def _names(content: bytes) -> bytes:
    """With ``#xx`` of names decoded."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), content)


def _refuse_active(text: bytes) -> None:
    if _ACTIVE.search(text):
        raise RefusedDocumentError(_WHY)


def _refuse_opening(text: bytes, whole: bytes, members: dict[bytes, list[bytes]]) -> None:
    """What is done at opening may only show a place of this document, wherever it is written."""
    for found in _OPEN_ACTION.finditer(text):
        if found[1]:
            told = [b"<<" + text[found.end() : found.end() + _DICTIONARY].partition(b">>")[0]]
        else:
            there = re.compile(rb"(?<!\d)" + found[2] + rb"\s+\d+\s+obj(.{0,2048})", re.DOTALL)
            told = [match[1].partition(b"endobj")[0] for match in there.finditer(whole)] + members.get(found[2], [])
        for one in told:
            place = one.lstrip().startswith(b"[") or (_GOES_TO.search(one) and b"/Next" not in one)
            if not place:
                raise RefusedDocumentError("PDF 打开时会执行动作,请打印为普通 PDF 后重试")


def _members(text: bytes, first: int) -> Iterator[tuple[bytes, bytes]]:
    """The objects of a stream of objects: number and text."""
    numbers = text[:first].split()
    begins = [int(n) for n in numbers[1::2] if n.isdigit() and len(n) <= _DIGITS]
    for index, (number, begin) in enumerate(zip(numbers[::2], begins, strict=False)):
        end = begins[index + 1] if index + 1 < len(begins) else len(text)
        yield number, text[first + begin : first + end]


def _unpacked(content: bytes) -> Iterator[tuple[bytes, int]]:
    """The text of every stream that is packed and no picture, and where its objects begin if it holds some, else 0."""
    budget = _Budget()
    for count, found in enumerate(_STREAM.finditer(content), 1):
        if count > MOST_STREAMS:
            raise RefusedDocumentError(f"PDF 的数据流超过 {MOST_STREAMS} 个,无法检查")
        before = content[max(0, found.start() - _DICTIONARY) : found.start()]
        dictionary = _names(before[max(before.rfind(b"obj"), 0) :])
        objects = b"/First" in dictionary
        first = _FIRST.search(dictionary)
        if b"/Image" in dictionary and not objects:
            continue
        text = _decoded(content, found.end(), _filters(dictionary), budget, objects=objects)
        if objects and (_PREDICTED.search(dictionary) or not first):
            raise RefusedDocumentError(_OPAQUE)
        if text:
            yield _names(text), int(first[1]) if first else 0


def _filters(dictionary: bytes) -> list[bytes]:
    found = _FILTER.search(dictionary)
    return _NAME.findall(found[1] or found[2]) if found else []


class _Budget:
    """What may be unpacked of one file in all, bytes."""

    def __init__(self) -> None:
        self._left = LARGEST

    def spend(self, size: int) -> None:
        """Take some of it."""
        self._left -= size
        if self._left < 0:
            raise RefusedDocumentError(f"PDF 解压后超过 {LARGEST // 1024 // 1024} MiB,不接受")


def _decoded(content: bytes, start: int, filters: list[bytes], budget: _Budget, *, objects: bool) -> bytes:
    """A stream unpacked; empty when it lies open, or is a picture. Without a filter it may be packed all the same."""
    data, at = content, start
    for name in filters or _FLATE[:1]:
        if name in _FLATE:
            data, at = _inflated(data, at, budget), 0
        elif name in _HEX:
            data, at = _hex(_upto(data, at, b">", budget)), 0
        elif name in _A85:
            data, at = _a85(_upto(data, at, b"~>", budget)), 0
        elif objects:
            raise RefusedDocumentError(_OPAQUE)
        else:
            break
    return data if data is not content else b""


def _upto(data: bytes, start: int, end: bytes, budget: _Budget) -> bytes:
    found = data.find(end, start)
    if found < 0:
        raise RefusedDocumentError(_OPAQUE)
    budget.spend(found - start)
    return data[start:found]


def _inflated(content: bytes, start: int, budget: _Budget) -> bytes:
    """To its own end, wherever the file says that it ends; of a damaged one as much as a reader would get."""
    packed, out, size = zlib.decompressobj(), [], 0
    at = start
    while at < len(content) and not packed.eof:
        chunk = content[at : at + _CHUNK]
        at += len(chunk)
        try:
            while chunk and not packed.eof:
                out.append(packed.decompress(chunk, _CHUNK))
                chunk = packed.unconsumed_tail
                size += len(out[-1])
                budget.spend(len(out[-1]))
                read = at - start - len(chunk)
                if size > LARGEST_STREAM or (size > _RATIO_FROM and size > _RATIO * read):
                    raise RefusedDocumentError("PDF 中有解压后过大的数据流,不接受")
        except zlib.error:
            break
    return b"".join(out)


def _hex(data: bytes) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", data)
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _a85(data: bytes) -> bytes:
    text = re.sub(rb"[\s\x00]", b"", data).removeprefix(b"<~")
    try:
        return base64.a85decode(text)
    except ValueError:
        return b""
