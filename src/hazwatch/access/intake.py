"""Group commit: frames of all links that arrive within some milliseconds share one durable append.

With an fsync for every append the log takes some thousand messages a second whatever their size, so gathering is both
safe and fast. ``submit`` returns when the message that holds the frame is durable. Lanes have a queue and messages of
their own: history never delays live data.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from hazwatch.access.letters import LetterBox
from hazwatch.access.port import IntakeClosedError
from hazwatch.samples.codec import Frame, encode
from hazwatch.vocabulary.faults import DeadLetter
from hazwatch.vocabulary.lanes import Lane

#: Makes one message durable in the log of a lane; raises when it could not.
Publish = Callable[[bytes, Lane], Awaitable[None]]

MIB: Final = 1 << 20
_SAMPLE_BYTES: Final = 21
_ORIGIN_BYTES: Final = 32
_HEADER_BYTES: Final = 16
#: Largest message of the background lane, bytes: live data wait for as long as one of them is judged.
_BACKGROUND: Final = MIB
_LETTER_PERIOD_S: Final = 1.0
_log = logging.getLogger(__name__)


def weight(frame: Frame) -> int:
    """Bytes a frame takes in a message."""
    return _ORIGIN_BYTES + _SAMPLE_BYTES * len(frame.batch)


def split(frame: Frame, limit: int) -> Iterator[Frame]:
    """Cut a frame into parts of at most ``limit`` bytes each.

    A re-sent frame is cut at the same places, and parts after the first get sequence numbers derived from the
    frame's own, so that the judge recognises every part of a repetition.
    """
    size = max(1, (limit - _HEADER_BYTES - _ORIGIN_BYTES) // _SAMPLE_BYTES)
    for part, start in enumerate(range(0, max(1, len(frame.batch)), size)):
        origin = frame.origin
        if part and origin.sequence >= 0:
            digest = hashlib.blake2b(f"{origin.sequence}/{part}".encode(), digest_size=8).digest()
            origin = replace(origin, sequence=int.from_bytes(digest) >> 1)
        yield Frame(origin, frame.batch.take(slice(start, start + size)))


_Waiting = tuple[Frame, asyncio.Future[None]]


class _Piece(NamedTuple):
    """A frame, or a part of one, on its way into a message."""

    frame: Frame
    done: asyncio.Future[None]
    last: bool


class _LaneQueue:
    """Frames of one lane that wait for the next commit."""

    def __init__(self) -> None:
        self.waiting: list[_Waiting] = []
        self.arrived = asyncio.Event()


class GroupCommit:
    """The intake of a node (satisfies ``port.Intake``).

    Args:
        publish: makes a message durable; called for one message of a lane at a time, in order.
        deliver: takes dead letters, at most one a second per link and reason.
        commit_ms: how long to gather after the first frame, milliseconds.
        max_message: upper bound of a message, bytes.
        max_pending: bytes not yet durable beyond which ``submit`` makes its caller wait.
    """

    def __init__(
        self,
        publish: Publish,
        deliver: Callable[[DeadLetter], None],
        *,
        commit_ms: float = 20.0,
        max_message: int = 4 * MIB,
        max_pending: int = 64 * MIB,
    ) -> None:
        self._publish = publish
        self._letters = LetterBox(deliver)
        self._commit_s = commit_ms / 1000.0
        self._max_message = max_message
        self._max_pending = max_pending
        self._pending = 0
        self._in_line: list[asyncio.Future[None]] = []
        self._queues = {lane: _LaneQueue() for lane in Lane}
        self._closed = False

    @property
    def pending_bytes(self) -> int:
        """Bytes submitted and not yet durable."""
        return self._pending

    @property
    def full(self) -> bool:
        """Whether callers should stop reading from their gateways."""
        return self._pending >= self._max_pending

    async def submit(self, frame: Frame) -> None:
        """Hand over a frame; returns when it is durable.

        Raises:
            IntakeClosedError: it is not.
        """
        if not len(frame.batch):
            return
        while self._pending and self._pending + weight(frame) > self._max_pending:
            # A frame larger than the whole allowance passes alone instead of waiting for ever.
            room = asyncio.get_running_loop().create_future()
            self._in_line.append(room)
            await room
        await self.offer(frame)

    def offer(self, frame: Frame) -> asyncio.Future[None]:
        """Hand over a frame at once; see ``port.GroupIntake``."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            done.set_exception(IntakeClosedError("接入已停止"))
            return done
        size = weight(frame)
        self._pending += size
        done.add_done_callback(lambda _: self._release(size))
        queue = self._queues[frame.origin.lane]
        queue.waiting.append((frame, done))
        queue.arrived.set()
        return done

    def _release(self, size: int) -> None:
        self._pending -= size
        in_line, self._in_line = self._in_line, []
        for room in in_line:
            if not room.done():
                room.set_result(None)

    def refuse(self, letter: DeadLetter) -> None:
        """Keep what could not be accepted. Never blocks and never raises."""
        self._letters.put(letter)

    async def run(self) -> None:
        """Commit until cancelled; then every waiting caller gets IntakeClosedError."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in Lane:
                    tasks.create_task(self._commit(lane), name=f"commit-{lane.name}")
                tasks.create_task(self._post(), name="dead-letters")
        finally:
            self._closed = True
            self._letters.flush()
            for queue in self._queues.values():
                _fail(queue.waiting, IntakeClosedError("接入已停止"))
                queue.waiting = []

    async def _post(self) -> None:
        while True:
            await asyncio.sleep(_LETTER_PERIOD_S)
            self._letters.flush()

    async def _commit(self, lane: Lane) -> None:
        queue = self._queues[lane]
        while True:
            await queue.arrived.wait()
            await asyncio.sleep(self._commit_s)
            queue.arrived.clear()
            group, queue.waiting = queue.waiting, []
            try:
                for message in self._messages(group, _BACKGROUND if lane is Lane.BACKGROUND else self._max_message):
                    await self._append(lane, message)
            finally:
                _fail(group, IntakeClosedError("接入已停止"))  # reaches only those that a cancellation left behind

    def _messages(self, group: list[_Waiting], most: int) -> Iterator[list[_Piece]]:
        """Pack a group into messages below the size limit. Lazy: what failed meanwhile is not written further."""
        message: list[_Piece] = []
        used = _HEADER_BYTES
        for frame, done in group:
            parts = list(split(frame, most))
            for part in parts:
                if message and used + weight(part) > most:
                    yield message
                    message, used = [], _HEADER_BYTES
                if done.done():  # an earlier part failed, or the caller is gone: the frame will come again as a whole
                    break
                message.append(_Piece(part, done, last=part is parts[-1]))
                used += weight(part)
        if message:
            yield message

    async def _append(self, lane: Lane, message: list[_Piece]) -> None:
        try:
            await self._publish(encode([piece.frame for piece in message]), lane)
        except Exception as error:  # noqa: BLE001  # whatever the log throws, it means: not durable
            _log.warning("log did not take a message of %d frames: %s", len(message), error)
            for piece in message:
                if not piece.done.done():
                    piece.done.set_exception(IntakeClosedError(f"日志未确认写入: {error}"))
            return
        for piece in message:
            if piece.last and not piece.done.done():
                piece.done.set_result(None)


def _fail(group: list[_Waiting], error: IntakeClosedError) -> None:
    for _, done in group:
        if not done.done():
            done.set_exception(error)
