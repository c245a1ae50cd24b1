"""An intake for a stream that is dealt out in shares: every share has a group commit of its own.

All points of a gateway belong to one enterprise, so a whole frame goes to one share, and a share whose log is slow
holds back its own gateways only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from hazwatch.access.intake import GroupCommit
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import DeadLetter


class DealtIntake:
    """Deals frames out (satisfies ``port.GroupIntake``).

    Args:
        shares: one group commit a share.
        share_of: number of the share of a gateway, by its dense number.
    """

    def __init__(self, shares: Sequence[GroupCommit], share_of: Callable[[int], int]) -> None:
        self._shares = shares
        self._share_of = share_of

    @property
    def full(self) -> bool:
        """Whether any share is full; see ``port.GroupIntake``."""
        return any(share.full for share in self._shares)

    @property
    def pending_bytes(self) -> int:
        """Bytes handed over and not yet durable."""
        return sum(share.pending_bytes for share in self._shares)

    async def submit(self, frame: Frame) -> None:
        """Hand over a frame; see ``port.Intake``."""
        await self._shares[self._share_of(frame.origin.gateway)].submit(frame)

    def offer(self, frame: Frame) -> asyncio.Future[None]:
        """Hand over a frame at once; see ``port.GroupIntake``."""
        return self._shares[self._share_of(frame.origin.gateway)].offer(frame)

    def refuse(self, letter: DeadLetter) -> None:
        """Keep what could not be accepted; one letter box serves all."""
        self._shares[0].refuse(letter)

    async def run(self) -> None:
        """Commit until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for share in self._shares:
                tasks.create_task(share.run())
