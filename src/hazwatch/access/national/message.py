"""The inner JSON of the national gateway. Pure: parsed JSON in, columns and a list of refusals out.

Both public forms are read: ``yyyyMMddHHmmss`` and ``yyyy-MM-dd HH:mm:ss`` (China time), booleans as such or as strings,
values as strings or numbers, ``report`` and ``continues`` (断点续传), and the names of either form of each field.

A value that is a number but not finite, and an empty one, is submitted with quality NOT_A_NUMBER: the judge holds the
last state. A text that is no number at all is refused (``wrong_type``) and named in the reply.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from hazwatch.access.columns import Columns
from hazwatch.access.directory import LinkConfig
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.faults import Refusal
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.moments import CHINA, DAY, to_ms
from hazwatch.vocabulary.quality import Quality

_COMPACT = re.compile(r"\d{14}(\d{3})?", re.ASCII)
_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)
_PLAIN = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)

#: Names of a field in the two public forms and their spellings in the field.
DATA_ID: Final = ("dataId", "dataID", "data_id")
GATEWAY: Final = ("gatewayId", "gatewayCode", "gateway_id", "gateway_code")
ENTERPRISE: Final = ("enterpriseId", "enterpriseCode", "enterprise_id", "enterprise_code", "companyCode")
_TIME: Final = ("collectTime", "collect_time")
_CONNECTED: Final = ("isConnectDataSource", "is_connect_data_source")
_TYPE: Final = ("reportType", "report_type")
_DATAS: Final = ("datas", "data")
_QUOTA: Final = ("quotaId", "quotaCode", "targetCode", "quota_id")
_VALID: Final = ("isValid", "is_valid")


class Code(StrEnum):
    """Codes of a reply."""

    OK = "ok"
    DUPLICATE = "duplicate"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_GATEWAY = "unknown_gateway"
    UNKNOWN_QUOTA = "unknown_quota"
    BAD_TIME = "bad_time"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNAVAILABLE = "unavailable"  # not durable: keep it and send again


class MessageError(ValueError):
    """The message is refused as a whole.

    Attributes:
        code: of the reply.
        reason: of the dead letter.
    """

    def __init__(self, code: Code, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rejected:
    """A datum that was not accepted."""

    quota: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a message brought.

    Attributes:
        lane: live, or background for ``continues``.
        batch: accepted samples.
        rejected: the others.
        code: OK, or UNKNOWN_QUOTA/BAD_TIME/MALFORMED when something was left out.
    """

    lane: Lane
    batch: SampleBatch
    rejected: list[Rejected] = field(default_factory=list)
    code: Code = Code.OK


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of samples.

    Attributes:
        future_ms: how far ahead of our clock a sample may be.
        past_ms: how old a sample may be.
    """

    future_ms: int = 300_000
    past_ms: int = 30 * DAY


def pick(fields: Mapping[str, Any], names: Iterable[str], default: Any = None) -> Any:
    """The first of several spellings of a field that is there."""
    return next((fields[name] for name in names if name in fields), default)


def as_bool(value: object, *, default: bool) -> bool:
    """A boolean as boolean, number or text; anything else is the default."""
    if isinstance(value, bool | int):
        return bool(value)
    if isinstance(value, str):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            value.strip().lower(), default
        )
    return default


def parse_time(value: object) -> int:
    """Epoch ms of any of the forms in use; texts without zone are China time.

    Raises:
        ValueError: no such time.
    """
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    if _COMPACT.fullmatch(text):
        moment = datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
        return to_ms(moment) + int(text[14:] or 0)
    if _PLAIN.fullmatch(text):
        moment = datetime.fromisoformat(text.replace("/", "-"))
        return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=CHINA))
    raise ValueError(f"采集时间 {str(value)[:40]!r} 不是 yyyyMMddHHmmss 或 yyyy-MM-dd HH:mm:ss")


def parse_value(value: object) -> float:
    """A reading as float; NaN for null, the empty text and NaN itself.

    Raises:
        ValueError: the value is no number.
    """
    if value is None:
        return math.nan
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    if isinstance(value, str):
        text = value.strip()
        if not text or text.lower() == "null":
            return math.nan
        if _NUMBER.fullmatch(text):
            return float(text)
        state = {"true": 1.0, "false": 0.0}.get(text.lower())
        if state is not None:
            return state
    raise ValueError(f"{str(value)[:40]!r} 不是数值")


def check_time(ts: int, now: int, limits: Limits) -> None:
    """Refuse what cannot be true.

    Raises:
        MessageError: too far ahead or too old.
    """
    if ts > now + limits.future_ms:
        ahead = (ts - now) // 1000
        raise MessageError(Code.BAD_TIME, Refusal.BAD_TIME, f"采集时间超前平台时钟 {ahead} 秒,请检查网关对时")
    if ts < now - limits.past_ms:
        raise MessageError(Code.BAD_TIME, Refusal.BAD_TIME, f"采集时间早于 {limits.past_ms // DAY} 天前")


def read(fields: Mapping[str, Any], link: LinkConfig, now: int, limits: Limits) -> Outcome:
    """Judge a decrypted message.

    Args:
        fields: the inner JSON object.
        link: the gateway it was authenticated as; only its points are accepted.
        now: arrival, epoch ms.
        limits: of sample times.

    Raises:
        MessageError: nothing of it can be accepted.
    """
    gateway = pick(fields, GATEWAY)
    if gateway is not None and str(gateway) != link.code:
        raise MessageError(Code.UNKNOWN_GATEWAY, Refusal.UNKNOWN_GATEWAY, f"报文网关编码 {gateway} 与密钥所属网关不符")
    datas = pick(fields, _DATAS)
    if not isinstance(datas, list):
        raise MessageError(Code.MALFORMED, Refusal.MALFORMED, "报文缺少 datas 数组")
    try:
        ts = parse_time(pick(fields, _TIME))
    except ValueError as error:
        raise MessageError(Code.BAD_TIME, Refusal.BAD_TIME, str(error)) from error
    check_time(ts, now, limits)
    connected = as_bool(pick(fields, _CONNECTED), default=True)
    kind = str(pick(fields, _TYPE, "report")).strip().lower()
    if kind not in ("report", "continues", "continue"):
        raise MessageError(Code.MALFORMED, Refusal.MALFORMED, f"reportType {kind[:20]!r} 应为 report 或 continues")
    lane = Lane.LIVE if kind == "report" else Lane.BACKGROUND
    base = Quality.GOOD if connected else Quality.DISCONNECTED
    return _columns(datas, link, lane, ts, base, lambda t: check_time(t, now, limits))


def _columns(datas: list[Any], link: LinkConfig, lane: Lane, ts: int, base: Quality, check: Any) -> Outcome:
    columns = Columns()
    rejected: list[Rejected] = []
    for datum in datas:
        quota = str(pick(datum, _QUOTA, ""))[:64] if isinstance(datum, dict) else ""
        point = link.points.get(quota)
        if point is None:
            rejected.append(Rejected(quota, Refusal.UNKNOWN_POINT if quota else Refusal.MALFORMED))
            continue
        try:
            at = ts
            if own := pick(datum, _TIME):  # a datum may carry its own time (several samples in one message)
                at = parse_time(own)
                check(at)
        except ValueError:
            rejected.append(Rejected(quota, Refusal.BAD_TIME))
            continue
        try:
            value = parse_value(datum.get("value"))
        except ValueError:
            rejected.append(Rejected(quota, Refusal.WRONG_TYPE))
            continue
        valid = as_bool(pick(datum, _VALID), default=True)
        quality = base if valid else max(base, Quality.DISCONNECTED)
        columns.add(point.index, at, value * point.scale + point.offset, quality)
    return Outcome(lane, columns.take(), rejected, _code(rejected))


def _code(rejected: list[Rejected]) -> Code:
    reasons = {item.reason for item in rejected}
    if Refusal.UNKNOWN_POINT in reasons:
        return Code.UNKNOWN_QUOTA
    if Refusal.BAD_TIME in reasons:
        return Code.BAD_TIME
    return Code.MALFORMED if reasons else Code.OK
