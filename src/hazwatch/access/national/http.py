"""The HTTPS door: ``POST /ingest/v1/report``. TLS (and client certificates) belong to the server that runs the app."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hazwatch.access.national.desk import NationalDesk, Reply, reply
from hazwatch.access.national.message import Code
from hazwatch.vocabulary.faults import Refusal

PATH: Final = "/ingest/v1/report"


def create_app(desk: NationalDesk, *, cap: int = 1 << 20, body_s: float = 30.0) -> Starlette:
    """The sub-application.

    Args:
        desk: handles the messages.
        cap: largest body, bytes.
        body_s: time a client may take to send its body, seconds.
    """

    async def report(request: Request) -> Response:
        answer = await _receive(request, desk, cap, body_s)
        return Response(answer.body, answer.status, media_type="application/json")

    return Starlette(routes=[Route(PATH, report, methods=["POST"])])


async def _receive(request: Request, desk: NationalDesk, cap: int, body_s: float) -> Reply:
    body = bytearray()
    try:
        async with asyncio.timeout(body_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > cap:
                    desk.refuse(Refusal.TOO_LARGE, f"HTTP 报文超过上限 {cap} 字节", bytes(body[:500]))
                    return reply(Code.TOO_LARGE, error=f"报文超过上限 {cap} 字节")
    except (TimeoutError, ClientDisconnect):
        desk.refuse(Refusal.TRUNCATED, f"HTTP 报文只收到 {len(body)} 字节", bytes(body[:500]))
        return reply(Code.MALFORMED, error="报文不完整")
    return await desk.handle(bytes(body))
