"""Many open pages: each a live stream of its own with a token of its own scope, watching one source."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from hazwatch.app import desks
from hazwatch.bench.fleet import Member
from hazwatch.settings import Settings

_OPENING = 50


@dataclass(slots=True)
class Page:
    """What one page heard."""

    events: int = 0
    bytes: int = 0
    heard: float = 0.0
    longest_silence: float = 0.0
    shed: bool = False
    closed: bool = False


class Pages:
    """Opens pages and counts what they hear.

    Args:
        settings: of the node.
        members: whose enterprises are the scopes, in turn.
        count: how many pages.
    """

    def __init__(self, settings: Settings, members: list[Member], count: int) -> None:
        self._settings = settings
        self._members = [members[i % len(members)] for i in range(count)]
        self.pages = [Page() for _ in range(count)]
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Open all of them."""
        owners = {m.enterprise for m in self._members}
        tokens = {
            code: await asyncio.to_thread(desks.create_token, self._settings, "bench", "viewer", code, 1)
            for code in owners
        }
        gate = asyncio.Semaphore(_OPENING)
        opened = [asyncio.Event() for _ in self.pages]
        for page, member, event in zip(self.pages, self._members, opened, strict=True):
            self._tasks.append(asyncio.create_task(self._read(page, member, tokens[member.enterprise], gate, event)))
        await asyncio.gather(*(event.wait() for event in opened))

    async def _read(
        self, page: Page, member: Member, token: str, gate: asyncio.Semaphore, opened: asyncio.Event
    ) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._settings.port)
            request = (
                f"GET /api/v1/live?source={member.enterprise}001 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n"
            )
            writer.write(request.encode())
            await reader.readuntil(b"\r\n\r\n")
            opened.set()
        page.heard = time.monotonic()
        while chunk := await reader.read(1 << 16):
            now = time.monotonic()
            page.longest_silence = max(page.longest_silence, now - page.heard)
            page.heard = now
            page.events += chunk.count(b"event: ")
            page.bytes += len(chunk)
            page.shed = page.shed or b"event: shed" in chunk
        page.closed = True

    def begin(self) -> None:
        """Count from now on."""
        for page in self.pages:
            page.events = page.bytes = 0
            page.longest_silence = 0.0

    def report(self, seconds: float) -> dict[str, float]:
        """What all pages heard."""
        return {
            "clients": len(self.pages),
            "events_per_s": round(sum(p.events for p in self.pages) / seconds, 1),
            "kib_per_s": round(sum(p.bytes for p in self.pages) / 1024 / seconds, 1),
            "quietest_events": min(p.events for p in self.pages),
            "longest_silence_s": round(max(p.longest_silence for p in self.pages), 2),
            "shed": sum(p.shed for p in self.pages),
            "closed": sum(p.closed for p in self.pages),
        }

    def close(self) -> None:
        """Close all."""
        for task in self._tasks:
            task.cancel()
