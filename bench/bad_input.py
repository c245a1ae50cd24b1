"""What bad input costs: the same frames clean and spoilt, in turn, through access up to the durable append.

    python bench/bad_input.py [rounds]

One frame in twenty is malformed, one in a hundred comes from the future, one in fifty repeats the sequence number of
the frame before. Raw frames go into the connection's own code, Sparkplug payloads into the edge node's; a node that is
asked for a rebirth sends one, which is part of the cost. The log takes everything at once. Printed: frames a CPU
second, samples that arrived, and how many dead letters the refusals became.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from hazwatch.access import accept
from hazwatch.access.directory import Directory, DirectoryHolder, LinkConfig, PointTable
from hazwatch.access.frames import codec
from hazwatch.access.frames.listener import FramesListener, Session
from hazwatch.access.intake import GroupCommit
from hazwatch.access.port import StatusBoard
from hazwatch.access.sparkplug import decode
from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.access.sparkplug.datatypes import DataType
from hazwatch.access.sparkplug.session import EdgeNode
from hazwatch.vocabulary.faults import DeadLetter
from hazwatch.vocabulary.lanes import Lane

GATEWAYS, POINTS, SECONDS = 20, 209, 600
MALFORMED, FUTURE, TWICE = 0.05, 0.01, 0.02
SECRET = b"k" * 64
DAY_MS = 86_400_000


@dataclass
class Told:
    """What became of a run."""

    frames: int = 0
    samples: int = 0
    letters: int = 0
    cpu_s: float = 0.0


def links(protocol: str) -> list[LinkConfig]:
    """Gateways of 209 points, the mean of the nation."""
    found = []
    for g in range(GATEWAYS):
        names = [f"point{k:04}" for k in range(POINTS)]
        index = np.arange(g * POINTS, (g + 1) * POINTS)
        table = PointTable(names, names, index, np.ones(POINTS), np.zeros(POINTS))
        found.append(LinkConfig(g, f"G{g:010}", "网关", protocol, "410900001", secret=SECRET, points=table))
    return found


def fates(rng: np.random.Generator, spoilt: bool) -> Iterator[str]:
    """What happens to each frame."""
    dice = rng.random(GATEWAYS * SECONDS)
    for x in dice.tolist():
        if not spoilt or x > MALFORMED + FUTURE + TWICE:
            yield "good"
        elif x < MALFORMED:
            yield "malformed"
        else:
            yield "future" if x < MALFORMED + FUTURE else "twice"


class Wire(asyncio.Transport):
    """Where a connection writes; only the greeting matters."""

    def __init__(self) -> None:
        super().__init__()
        self.hello = b""

    def write(self, data: bytes) -> None:
        self.hello = self.hello or bytes(data)

    def is_closing(self) -> bool:
        return False

    def is_reading(self) -> bool:
        return True

    def pause_reading(self) -> None:
        pass

    def close(self) -> None:
        raise RuntimeError("the connection was closed")


class Raw:
    """Gateways for raw frames."""

    def __init__(self, intake: GroupCommit, now: int) -> None:
        self._listener = FramesListener(
            DirectoryHolder(Directory(1, {link.code: link for link in links("frames")})), intake, StatusBoard(),
            lambda: time.time_ns() // 1_000_000, "127.0.0.1", 0,
        )  # fmt: skip
        self._now, self._sessions, self._keys, self._number = now, [], [], [1] * GATEWAYS
        for link in links("frames"):
            session, wire = Session(self._listener, asyncio.get_running_loop()), Wire()
            session.connection_made(wire)
            nonce = wire.hello[len(codec.GREETING) :]
            names = [f"point{k:04}" for k in range(POINTS)]
            form = {"gateway": link.code, "mac": codec.proof(SECRET, nonce, link.code), "points": names}
            data = orjson.dumps(form)
            session.data_received(len(data).to_bytes(4, "little") + data)
            self._sessions.append(session)
            self._keys.append(codec.session_key(SECRET, nonce, link.code))

    def frame(self, g: int, second: int, values: np.ndarray, fate: str) -> bytes:
        self._number[g] += fate != "twice"
        ts = self._now - (SECONDS - second) * 1000 + (DAY_MS if fate == "future" else 0)
        whole = codec.frame(self._keys[g], self._number[g], ts, values)
        if fate != "malformed":
            return whole
        # The header promises one sample more than the body holds.
        body = whole[codec.HEADER.size : -codec.MAC]
        head = codec.HEADER.pack(codec.MAGIC, 7, 0, POINTS + 1, len(body), self._number[g], ts)
        return head + body + codec.seal(self._keys[g], head + body)

    async def take(self, g: int, data: bytes) -> None:
        self._sessions[g].data_received(data)


class Sparkplug:
    """Sparkplug edge nodes."""

    def __init__(self, intake: GroupCommit, now: int) -> None:
        self._intake, self._now = intake, now
        self._nodes = [EdgeNode(link) for link in links("sparkplug")]
        self._seq, self._asked = [0] * GATEWAYS, [True] * GATEWAYS
        self._waiting: set[asyncio.Task[None]] = set()

    def frame(self, g: int, second: int, values: np.ndarray, fate: str) -> tuple[bool, bytes, int]:
        ts = self._now - (SECONDS - second) * 1000
        born, self._asked[g] = self._asked[g], False
        self._seq[g] = 0 if born else (self._seq[g] + (fate != "twice")) % 256
        payload = pb.Payload(timestamp=ts + (DAY_MS if fate == "future" and not born else 0), seq=self._seq[g])
        for k, value in enumerate(values.tolist()):
            metric = payload.metrics.add(alias=k + 1, double_value=value)
            if born:
                metric.name, metric.datatype = f"point{k:04}", DataType.DOUBLE
        data = payload.SerializeToString()
        return born, data[: len(data) // 2] + b"\xff" if fate == "malformed" and not born else data, ts

    async def take(self, g: int, data: tuple[bool, bytes, int]) -> None:
        born, payload, now = data
        node = self._nodes[g]
        result = node.birth(payload, "", now) if born else node.data(payload, "", now)
        self._asked[g] = result.rebirth
        for reason, detail in result.refusals:
            self._intake.refuse(DeadLetter(node.link.code, reason, detail, now, 1, ""))
        for frame in result.frames:
            task = asyncio.ensure_future(self._intake.submit(frame))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)


async def run(kind: type[Raw | Sparkplug], seed: int, *, spoilt: bool) -> Told:
    told = Told()

    async def publish(data: bytes, lane: Lane) -> None:
        told.samples += lane is Lane.LIVE and len(data) // 21

    def letter(_: DeadLetter) -> None:
        told.letters += 1

    intake = GroupCommit(publish, letter, commit_ms=5)
    committing = asyncio.create_task(intake.run())
    gateways, rng = kind(intake, time.time_ns() // 1_000_000), np.random.default_rng(seed)
    fate = fates(rng, spoilt)
    for second in range(SECONDS):
        values = rng.uniform(10, 90, (GATEWAYS, POINTS))
        frames = [gateways.frame(g, second, values[g], next(fate)) for g in range(GATEWAYS)]
        began = time.process_time()
        for g, frame in enumerate(frames):
            await gateways.take(g, frame)
        while intake.pending_bytes:  # noqa: ASYNC110  # a figure to watch, not an event to wait for
            await asyncio.sleep(0.001)
        told.cpu_s += time.process_time() - began
        told.frames += len(frames)
    await asyncio.sleep(1.1)  # letters are posted once a second
    committing.cancel()
    await asyncio.gather(committing, return_exceptions=True)
    return told


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    decode.warm_up()
    accept.warm_up()
    for kind in (Raw, Sparkplug):
        asyncio.run(run(kind, 0, spoilt=True))
        ratios, clean, dirty = [], Told(), Told()
        for k in range(rounds):
            a, b = asyncio.run(run(kind, k, spoilt=False)), asyncio.run(run(kind, k, spoilt=True))
            ratios.append((b.frames / b.cpu_s) / (a.frames / a.cpu_s))
            clean, dirty = a, b
        print(
            f"{kind.__name__:9}  clean {clean.frames / clean.cpu_s:8,.0f} frames/CPU s, spoilt "
            f"{dirty.frames / dirty.cpu_s:8,.0f}, ratio median {np.median(ratios):.3f} (min {min(ratios):.3f}); "
            f"samples {clean.samples:,} and {dirty.samples:,}; letters {dirty.letters} of "
            f"{dirty.frames * (MALFORMED + FUTURE):,.0f} refused frames"
        )


if __name__ == "__main__":
    main()
