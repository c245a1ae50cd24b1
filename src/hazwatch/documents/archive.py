"""A first look at an uploaded file, before any of it is unpacked: is it a plain, harmless .xlsx?"""

from __future__ import annotations

import zipfile
from io import BytesIO

MAX_FILE = 10 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_RATIO = 100
MAX_PARTS = 500

#: Below this a high ratio harms nobody: empty sheets pack very well.
_RATIO_FROM = 2 * 1024 * 1024

_FORBIDDEN = {
    "vbaproject": "文件含有宏,请另存为不含宏的 .xlsx",
    "xl/macrosheets/": "文件含有宏表,请删除后重试",
    "xl/externallinks/": "文件含有外部链接,请断开链接后重试",
    "xl/activex/": "文件含有控件,请删除后重试",
    "xl/embeddings/": "文件含有嵌入对象,请删除后重试",
    "xl/connections": "文件含有数据连接,请删除后重试",
}


class HostileFileError(ValueError):
    """The file is not taken; the message says why, in Chinese."""


def check(content: bytes, file_name: str) -> None:
    """Refuse what is no plain workbook.

    Raises:
        HostileFileError: too large, not a workbook, macros, external links, or a zip bomb.
    """
    if len(content) > MAX_FILE:
        raise HostileFileError(f"文件超过 {MAX_FILE // 1024 // 1024} MiB,请分多次导入")
    if not file_name.lower().endswith(".xlsx"):
        raise HostileFileError("只接受 .xlsx 文件")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            check_parts(archive.infolist())
            types = archive.read("[Content_Types].xml")
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        if isinstance(error, HostileFileError):
            raise
        raise HostileFileError("不是有效的 .xlsx 文件") from error
    if b"macroEnabled" in types:
        raise HostileFileError(_FORBIDDEN["vbaproject"])


def check_parts(parts: list[zipfile.ZipInfo]) -> None:
    """Refuse parts that no harmless Office file has.

    Sizes are those that the archive declares; the reader stops at them, so lying does not help.

    Raises:
        HostileFileError: macros, external links, controls, or a zip bomb.
    """
    if len(parts) > MAX_PARTS:
        raise HostileFileError(f"文件内部件超过 {MAX_PARTS} 个")
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise HostileFileError(f"解压后超过 {MAX_UNPACKED // 1024 // 1024} MiB,请分多次导入")
    names = [part.filename.lower() for part in parts]
    if len(set(names)) != len(names):
        raise HostileFileError("文件内部件重名")
    for part, name in zip(parts, names, strict=True):
        if part.file_size > _RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise HostileFileError("压缩比异常,疑为恶意文件")
        for word, reason in _FORBIDDEN.items():
            if word in name:
                raise HostileFileError(reason)
