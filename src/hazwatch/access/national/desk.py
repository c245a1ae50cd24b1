"""The desk behind both doors: authenticate, decrypt, judge, make durable, and only then say yes.

The outer JSON names the gateway (``gatewayId``, ``gatewayCode`` or ``appId``); when it names only the enterprise (the
2019 form), the signature decides among the gateways of that enterprise.

Link options: ``sign`` = ``off`` accepts unsigned messages (default: a signature is required).
Link secret: AES key (32 bytes; 16 or 24 are taken too) followed by 32 bytes of HMAC key.

``dataId`` is the key of idempotency. The judge drops a (gateway, sequence) that it has seen, durably, across restarts;
the memory here answers a repetition quickly and makes one in flight wait for the first. A message of which nothing was
accepted is forgotten, so it can be sent again once the registry has been amended.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hazwatch.access.directory import DirectoryHolder, LinkConfig
from hazwatch.access.letters import excerpt
from hazwatch.access.national import message as inner
from hazwatch.access.national.envelope import EnvelopeError, Keys, unseal, verify
from hazwatch.access.national.message import Code, Limits, MessageError, Outcome
from hazwatch.access.port import Intake, IntakeClosedError, LinkStatus, StatusBoard
from hazwatch.samples.batch import Origin
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.vocabulary.moments import Clock

_REMEMBERED: Final = 4096
_TEXT_CAP: Final = 100
_STATUS: Final = {
    Code.OK: 200,
    Code.DUPLICATE: 200,
    Code.BAD_SIGNATURE: 401,
    Code.UNKNOWN_GATEWAY: 401,
    Code.TOO_LARGE: 413,
    Code.UNAVAILABLE: 503,
}
_ERROR: Final = {
    Code.UNKNOWN_QUOTA: "部分指标未登记",
    Code.BAD_TIME: "部分数据的采集时间无效",
    Code.MALFORMED: "部分数据格式有误",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to a gateway.

    Attributes:
        status: HTTP status (TCP ignores it).
        body: JSON bytes: ``{success, dataId, code, error, data: {accepted, rejected: [{quotaId, reason}]}}``.
        code: also inside the body.
    """

    status: int
    body: bytes
    code: Code


def reply(code: Code, data_id: str = "", error: str = "", outcome: Outcome | None = None) -> Reply:
    """Build an answer. A message of which a part was accepted is a success with a list of the rest."""
    accepted = len(outcome.batch) if outcome else 0
    rejected = [{"quotaId": r.quota, "reason": str(r.reason)} for r in outcome.rejected] if outcome else []
    success = code in (Code.OK, Code.DUPLICATE) or accepted > 0
    data = {"accepted": accepted, "rejected": rejected}
    body = {"success": success, "dataId": data_id, "code": str(code), "error": error or None, "data": data}
    return Reply(200 if success else _STATUS.get(code, 400), orjson.dumps(body), code)


@dataclass(frozen=True, slots=True)
class _Opened:
    link: LinkConfig
    fields: dict[str, Any]
    data_id: str
    sequence: int


class NationalDesk:
    """Handles messages of all ``national`` links.

    Args:
        holder: the registry in force.
        intake: where samples go.
        board: link statuses.
        clock: epoch ms.
        limits: of sample times.
    """

    def __init__(
        self, holder: DirectoryHolder, intake: Intake, board: StatusBoard, clock: Clock, limits: Limits | None = None
    ) -> None:
        self._holder = holder
        self._intake = intake
        self._board = board
        self._clock = clock
        self._limits = limits or Limits()
        self._seen: dict[str, OrderedDict[int, asyncio.Future[bool]]] = {}

    async def handle(self, data: bytes) -> Reply:
        """Answer one message. Never raises for anything a sender can do."""
        opened: _Opened | None = None
        try:
            opened = self._open(data)
            return await self._once(opened, data)
        except MessageError as error:
            code = opened.link.code if opened else self._claimed(data)
            self.refuse(error.reason, str(error), data, code)
            return reply(error.code, opened.data_id if opened else "", str(error))
        except IntakeClosedError as error:
            return reply(Code.UNAVAILABLE, opened.data_id if opened else "", f"平台暂不能落盘,请保留并重发: {error}")

    def refuse(self, reason: Refusal, detail: str, data: bytes = b"", link: str = "") -> None:
        """File a dead letter and count it on its link."""
        now = self._clock()
        config = self._holder.current.links.get(link)
        if config is not None:
            status = self._board.of(config)
            status.rejected += 1
            status.fault(detail, now)
        self._intake.refuse(DeadLetter(link if config else "", reason, detail, now, 1, excerpt(data)))

    def _claimed(self, data: bytes) -> str:
        """The gateway a refused message claims to be from, for the dead letter; "" when that cannot be read."""
        try:
            outer = _json(data)
        except MessageError:
            return ""
        return str(inner.pick(outer, (*inner.GATEWAY, "appId"), ""))[:_TEXT_CAP]

    def _open(self, data: bytes) -> _Opened:
        outer = _json(data)
        text = inner.pick(outer, ("report", "data"))
        if not isinstance(text, str):
            raise MessageError(Code.MALFORMED, Refusal.MALFORMED, "报文缺少 report 密文")
        link, keys = self._authenticate(outer, text)
        try:
            plain = unseal(text, keys)
            fields = _json(plain)
        except (EnvelopeError, MessageError) as error:
            if keys.sign and isinstance(error, MessageError):
                raise  # signed and decrypted: it is their JSON that is wrong
            # One answer for wrong padding and wrong JSON: an unsigned link must not be a padding oracle.
            raise MessageError(Code.BAD_SIGNATURE, Refusal.BAD_KEY, "密文无法用该网关的密钥解密") from error
        data_id = str(inner.pick(fields, inner.DATA_ID, None) or inner.pick(outer, inner.DATA_ID, ""))[:_TEXT_CAP]
        digest = hashlib.blake2b(data_id.encode() or plain, digest_size=8).digest()
        return _Opened(link, fields, data_id, int.from_bytes(digest) >> 1)

    def _candidates(self, outer: dict[str, Any]) -> Iterator[LinkConfig]:
        links = self._holder.current.links
        named = inner.pick(outer, (*inner.GATEWAY, "appId"))
        if named is not None:
            link = links.get(str(named))
            if link is not None and link.protocol == "national":
                yield link
            return
        enterprise = str(inner.pick(outer, inner.ENTERPRISE, ""))
        yield from (k for k in links.values() if k.protocol == "national" and k.enterprise == enterprise)

    def _authenticate(self, outer: dict[str, Any], text: str) -> tuple[LinkConfig, Keys]:
        candidates = list(self._candidates(outer))
        if not candidates:
            raise MessageError(Code.UNKNOWN_GATEWAY, Refusal.UNKNOWN_GATEWAY, "网关或企业未登记")
        unsigned = [k for k in candidates if k.options.get("sign") == "off"]
        for link in candidates:
            signed = link not in unsigned
            try:
                keys = Keys.of(link.secret, signed=signed)
            except ValueError:
                continue  # a link without usable key lets nobody in
            if signed and verify(text, outer.get("sign"), keys):
                return link, keys
            if not signed and len(candidates) == 1:
                return link, keys
        raise MessageError(Code.BAD_SIGNATURE, Refusal.BAD_SIGNATURE, "签名校验失败")

    async def _once(self, opened: _Opened, data: bytes) -> Reply:
        """Process a message unless the same one was or is being processed."""
        status = self._board.of(opened.link)
        seen = self._seen.setdefault(opened.link.code, OrderedDict())
        while (first := seen.get(opened.sequence)) is not None:
            if await asyncio.shield(first):
                status.duplicates += 1
                return reply(Code.DUPLICATE, opened.data_id)
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        seen[opened.sequence] = done
        kept = False
        try:
            answer, kept = await self._process(opened, status, data)
        finally:
            if not kept:
                seen.pop(opened.sequence, None)
            done.set_result(kept)
        while len(seen) > _REMEMBERED and next(iter(seen.values())).done():
            seen.popitem(last=False)
        return answer

    async def _process(self, opened: _Opened, status: LinkStatus, data: bytes) -> tuple[Reply, bool]:
        now = self._clock()
        outcome = inner.read(opened.fields, opened.link, now, self._limits)
        if len(outcome.batch):
            origin = Origin(opened.link.gateway, opened.sequence, now, outcome.lane)
            await self._intake.submit(Frame(origin, outcome.batch))
            status.received(len(outcome.batch), now, int(outcome.batch.ts.max()))
        status.connected = True
        if not outcome.rejected:
            return reply(Code.OK, opened.data_id, outcome=outcome), True
        status.rejected += len(outcome.rejected)
        for reason in sorted({r.reason for r in outcome.rejected}):
            names = [r.quota for r in outcome.rejected if r.reason is reason]
            detail = f"{len(names)} 个数据未接收: {'、'.join(names[:10])}"
            self._intake.refuse(DeadLetter(opened.link.code, reason, detail, now, len(names), excerpt(data)))
        return reply(outcome.code, opened.data_id, _ERROR[outcome.code], outcome), bool(len(outcome.batch))


def _json(data: bytes) -> dict[str, Any]:
    """A JSON object; NaN and Infinity, which some gateways write, are read too.

    Raises:
        MessageError: anything else.
    """
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            fields = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise MessageError(Code.MALFORMED, Refusal.MALFORMED, "报文不是有效的 JSON") from error
    if not isinstance(fields, dict):
        raise MessageError(Code.MALFORMED, Refusal.MALFORMED, "报文不是 JSON 对象")
    return fields
