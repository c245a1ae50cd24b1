"""Pure: weather warnings 气象灾害预警信号 from JSON or CAP 1.2 XML (docs/warnings.md). Hostile input is text.

A message may hold several signals; a bad one is refused with its reason and the others go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hazwatch.documents import cap
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.faults import Refusal
from hazwatch.vocabulary.moments import CHINA, DAY, parse

#: Longest message, bytes.
LARGEST = 1 << 20
_MOST = 1_000
_MOST_AREAS = 200
_TEXT, _TITLE, _REF = 2_000, 200, 100
_EXCERPT = 500
#: How long a signal holds that names no end, and the longest that one may.
UNTIL_MS, LONGEST_MS = DAY, 30 * DAY

#: The fourteen signals: word → Chinese name.
KINDS: Mapping[str, str] = {
    "typhoon": "台风", "rainstorm": "暴雨", "snowstorm": "暴雪", "cold_wave": "寒潮", "wind": "大风",
    "sandstorm": "沙尘暴", "heat": "高温", "drought": "干旱", "lightning": "雷电", "hail": "冰雹", "frost": "霜冻",
    "fog": "大雾", "haze": "霾", "icing": "道路结冰",
}  # fmt: skip
#: Signals that say nothing about tanks, plants and stores: shown, not scored.
SHOWN_ONLY = frozenset({"drought", "haze"})
_KIND_OF = {zh: word for word, zh in KINDS.items()} | {word: word for word in KINDS}
_ALLOWED = f"应为 {'、'.join(KINDS.values())} 之一"
_COLOUR_OF = {c.zh: c for c in Colour if c} | {c.zh + "色": c for c in Colour if c} | {c.word: c for c in Colour if c}
_SAID = re.compile("(" + "|".join(KINDS.values()) + ")[^红橙黄蓝]{0,4}(红|橙|黄|蓝)色")


@dataclass(frozen=True, slots=True)
class Signal:
    """A weather warning. ``over``: it is lifted; ``replaces``: refs of those it stands for now. Times in epoch ms."""

    ref: str
    kind: str
    colour: Colour
    areas: tuple[str, ...]
    begin: int
    end: int
    title: str
    text: str
    over: bool = False
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bad:
    """What was refused: why, in words, and its beginning."""

    reason: Refusal
    detail: str
    excerpt: str


@dataclass(slots=True)
class Read:
    """What a message holds."""

    signals: list[Signal] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


class SignalError(ValueError):
    """A signal makes no sense."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read(message: bytes, now: int) -> Read:
    """The signals of a message.

    Args:
        message: UTF-8 JSON (one signal, a list, or ``{"signals": [...]}``), or one CAP 1.2 document.
        now: epoch ms, when it arrived.
    """
    found = Read()
    if len(message) > LARGEST:
        found.bad.append(Bad(Refusal.TOO_LARGE, f"超过 {LARGEST} 字节", _excerpt(message)))
        return found
    try:
        items: Sequence[Any] = _xml(message) if message.lstrip().startswith(b"<") else _json(message)
    except SignalError as error:
        found.bad.append(Bad(error.reason, str(error), _excerpt(message)))
        return found
    for item in items:
        try:
            found.signals.append(_signal(item, now))
        except SignalError as error:
            found.bad.append(Bad(error.reason, str(error), _excerpt(str(item).encode())))
    return found


def _excerpt(message: bytes) -> str:
    text = message[: 4 * _EXCERPT].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)[:_EXCERPT]


def _json(message: bytes) -> Sequence[Any]:
    try:
        body = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise SignalError(Refusal.MALFORMED, f"既不是 JSON 也不是 XML:{str(error)[:100]}") from error
    if isinstance(body, Mapping):
        body = body["signals"] if isinstance(body.get("signals"), list) else [body]
    if not isinstance(body, list) or len(body) > _MOST:
        raise SignalError(Refusal.MALFORMED, f"应为一条预警信号,或不超过 {_MOST} 条的列表")
    return body


def _xml(message: bytes) -> list[Mapping[str, Any]]:
    try:
        root = cap.parse(message)
    except ValueError as error:
        raise SignalError(Refusal.MALFORMED, str(error)) from error

    def text(parent: Any, name: str) -> str:
        return str(parent.findtext(f"{{{cap.CAP}}}{name}") or "").strip()

    replaced = [one.split(",")[1] for one in text(root, "references").split() if one.count(",") > 1]
    over = text(root, "msgType") == "Cancel"
    infos = root.findall(f"{{{cap.CAP}}}info")
    if not infos:
        raise SignalError(Refusal.MALFORMED, "CAP 报文没有 info")
    found: list[Mapping[str, Any]] = []
    for info in infos:
        said = _SAID.search(text(info, "event")) or _SAID.search(text(info, "headline"))
        codes = [
            text(geocode, "value") for area in info.findall(f"{{{cap.CAP}}}area")
            for geocode in area.findall(f"{{{cap.CAP}}}geocode")
        ]  # fmt: skip
        found.append({
            "id": (replaced[0] if over and replaced else text(root, "identifier")),
            "kind": said.group(1) if said else text(info, "event"), "colour": said.group(2) if said else "",
            "area": codes, "from": text(info, "onset") or text(info, "effective") or text(root, "sent"),
            "to": text(info, "expires"), "title": text(info, "headline"), "text": text(info, "description"),
            "over": over, "replaces": replaced,
        })  # fmt: skip
    return found


def _signal(item: Any, now: int) -> Signal:
    if not isinstance(item, Mapping):
        raise SignalError(Refusal.WRONG_TYPE, "一条预警信号应为对象")
    ref = _text(item, "id", _REF)
    kind = _KIND_OF.get(_text(item, "kind", _REF).removesuffix("预警"))
    colour = _COLOUR_OF.get(_text(item, "colour", _REF))
    if not ref:
        raise SignalError(Refusal.WRONG_TYPE, "缺少 id")
    if kind is None:
        raise SignalError(
            Refusal.WRONG_TYPE, f"不认识的信号 {_text(item, 'kind', _REF)!r},应为 {'、'.join(KINDS.values())} 之一"
        )
    if colour is None:
        raise SignalError(Refusal.WRONG_TYPE, f"不认识的颜色 {_text(item, 'colour', _REF)!r},应为红、橙、黄、蓝之一")
    areas = item.get("area", [])
    areas = [areas] if isinstance(areas, str) else areas
    if not isinstance(areas, list) or not 0 < len(areas) <= _MOST_AREAS or not all(_code(a) for a in areas):
        raise SignalError(Refusal.WRONG_TYPE, f"area 应为 1–{_MOST_AREAS} 个区划、园区或企业编码")
    begin, end = _times(item, now)
    replaces = item.get("replaces", [])
    if not isinstance(replaces, list) or not all(isinstance(r, str) for r in replaces):
        raise SignalError(Refusal.WRONG_TYPE, "replaces 应为编号列表")
    title = _text(item, "title", _TITLE) or f"{KINDS[kind]}{colour.zh}色预警"
    return Signal(
        ref, kind, colour, tuple(dict.fromkeys(areas)), begin, end, title, _text(item, "text", _TEXT),
        item.get("over") is True, tuple(replaces[:_MOST_AREAS]),
    )  # fmt: skip


def _code(area: object) -> bool:
    return isinstance(area, str) and 0 < len(area) <= 16 and area.isalnum() and area.isascii()  # noqa: PLR2004  # codes


def _text(item: Mapping[str, Any], name: str, most: int) -> str:
    value = item.get(name, "")
    if not isinstance(value, str):
        raise SignalError(Refusal.WRONG_TYPE, f"{name} 应为文本")
    return "".join(c for c in value if c.isprintable() or c == "\n").strip()[:most]


def _times(item: Mapping[str, Any], now: int) -> tuple[int, int]:
    given = [_text(item, "from", _REF), _text(item, "to", _REF)]
    try:
        begin = parse(given[0], zone=CHINA) if given[0] else now
        end = parse(given[1], zone=CHINA) if given[1] else begin + UNTIL_MS
    except (ValueError, OverflowError) as error:
        raise SignalError(Refusal.BAD_TIME, f"时间不合要求:{str(error)[:100]}") from error
    if not 0 < end - begin <= LONGEST_MS:
        raise SignalError(Refusal.BAD_TIME, "有效期应早晚有序,且不超过 30 天")
    if end <= now and item.get("over") is not True:
        raise SignalError(Refusal.BAD_TIME, "有效期已经过去")
    return begin, end
