"""Asking the engines: of several, each answers for the enterprises of its share only."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import orjson

from hazwatch.log.client import Log
from hazwatch.log.shares import Share, all_shares, share_of

#: Enterprises of records or holds, by id; those that are not known are missing.
OwnersOf = Callable[[Collection[str]], Mapping[str, str]]


class Engines:
    """The engine of a node, or those of all its shares."""

    def __init__(self, log: Log, count: int, owners_of: OwnersOf) -> None:
        self._log = log
        self._owners_of = owners_of
        self.shares = all_shares(count)

    async def ask(self, share: Share, subject: str, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
        """Ask the engine of a share.

        Raises:
            RpcError: refused, or nobody answered.
        """
        return await self._log.ask(share.named(subject), data, timeout_s=timeout_s)

    async def ask_owner(self, enterprise: str, subject: str, data: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Ask the engine that an enterprise belongs to.

        Raises:
            RpcError: refused, or nobody answered.
        """
        return await self.ask(share_of(enterprise, len(self.shares)), subject, data, timeout_s=timeout_s)

    async def command(self, subject: str, asked: Mapping[str, Any], *, timeout_s: float = 20.0) -> dict[str, Any]:
        """A command on the records or holds named by ``ids``: to each engine its own, the answers' lists joined.

        Raises:
            RpcError: an engine refused or did not answer. What others did stands; the same command again is told so.
        """
        by_share = await self._by_share(asked.get("ids", ()))
        answers = await asyncio.gather(
            *(
                self.ask(share, subject, orjson.dumps({**asked, "ids": ids}), timeout_s=timeout_s)
                for share, ids in by_share.items()
            )
        )
        joined: dict[str, Any] = defaultdict(list)
        for answer in answers:
            for name, rows in orjson.loads(answer).items():
                joined[name] += rows
        return dict(joined)

    async def _by_share(self, ids: Iterable[str]) -> Mapping[Share, list[str]]:
        wanted = list(ids)
        if len(self.shares) == 1:
            return {self.shares[0]: wanted}
        owners = await asyncio.to_thread(self._owners_of, wanted)
        dealt: dict[Share, list[str]] = defaultdict(list)
        for one in wanted:
            # Nobody knows an unknown id: any of them may say so.
            dealt[share_of(owners.get(one, ""), len(self.shares))].append(one)
        return dealt
