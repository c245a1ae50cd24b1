"""Samples of a source that cannot be asked again, kept in bounded memory while the log is away.

A national gateway keeps its own data until we acknowledge; an OPC UA subscription or a poll does not. So their samples
wait here, in order, and everything that waits goes out as one frame: a link costs one append however fast it talks.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hazwatch.access.directory import LinkConfig
from hazwatch.access.port import Intake, IntakeClosedError, LinkStatus
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.moments import Clock

_RETRY_S: Final = 0.5


class Retained:
    """The waiting samples of one link (live lane).

    Args:
        link: whose samples they are.
        intake: where they go.
        status: counts what is durable, and what had to be given up as gaps.
        clock: epoch ms.
        most: samples kept; beyond that the oldest batches go.
    """

    def __init__(
        self, link: LinkConfig, intake: Intake, status: LinkStatus, clock: Clock, most: int = 1_000_000
    ) -> None:
        self._link = link
        self._intake = intake
        self._status = status
        self._clock = clock
        self._most = most
        self._waiting: list[SampleBatch] = []
        self._samples = 0
        self._arrived = asyncio.Event()

    def put(self, batch: SampleBatch) -> None:
        """Take in samples; returns at once."""
        if not len(batch):
            return
        self._waiting.append(batch)
        self._samples += len(batch)
        while self._samples > self._most and len(self._waiting) > 1:
            self._samples -= len(self._waiting.pop(0))
            self._status.gaps += 1
        self._arrived.set()

    async def run(self) -> None:
        """Make durable what waits, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                batches, self._waiting, self._samples = self._waiting, [], 0
                if not await self._submit(SampleBatch.concat(batches)):
                    self._waiting = [*batches, *self._waiting]
                    self._samples = sum(map(len, self._waiting))
                    await asyncio.sleep(_RETRY_S)

    async def _submit(self, batch: SampleBatch) -> bool:
        now = self._clock()
        try:
            await self._intake.submit(Frame(Origin(self._link.gateway, -1, now), batch))
        except IntakeClosedError as error:
            self._status.fault(f"日志不可用,数据暂存于内存: {error}", now)
            return False
        self._status.received(len(batch), now, int(batch.ts.max()))
        return True
