"""The log on a NATS cluster of three: the stream's leader is killed while the intake appends and a reader reads."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.figures import Figures
from tests.log.support import free_port
from tests.nats_cluster import nats_cluster

from hazwatch.access.intake import GroupCommit
from hazwatch.access.port import IntakeClosedError
from hazwatch.log.client import Log, LogAddress, LogConfig, WrongSharesError
from hazwatch.log.reader import LogReader
from hazwatch.log.shares import LIVE, SAMPLES, WHOLE, Share
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame, decode
from hazwatch.vocabulary.lanes import Lane

CONFIG = LogConfig(hours=1, gib=0.5, replicas=3)


class Traffic:
    """Frames with running values through an intake, a reader behind it, and a request 20 times a second."""

    def __init__(self, writer: Log, reader: Log) -> None:
        self._writer, self._reader = writer, reader
        self.intake = GroupCommit(self._append, lambda _: None, commit_ms=5)
        self.acknowledged: list[int] = []
        self.read: list[float] = []
        self.gaps = {"append": 0.0, "read": 0.0, "ask": 0.0}
        self._last = dict.fromkeys(self.gaps, 0.0)
        self.stop = asyncio.Event()

    async def _append(self, data: bytes, lane: Lane) -> None:
        await self._writer.append(WHOLE.lane(lane), data)

    def _happened(self, what: str) -> None:
        now = time.monotonic()
        if self._last[what]:
            self.gaps[what] = max(self.gaps[what], now - self._last[what])
        self._last[what] = now

    async def send(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            frame = Frame(Origin(1, number, 0), SampleBatch.of([0], [number], [float(number)]))
            while True:
                try:
                    await self.intake.submit(frame)
                except IntakeClosedError:
                    continue  # as a gateway: without an answer the same frame comes again
                break
            self.acknowledged.append(number)
            self._happened("append")
            await asyncio.sleep(0.01)

    async def take(self) -> None:
        async for batch in LogReader(self._reader, [LIVE], 0).batches():
            self.read += [value for message in batch for value in decode(message.data).batch.value.tolist()]
            self._happened("read")

    async def ask(self) -> None:
        async def echo(data: bytes) -> bytes:
            return data

        await self._reader.serve("hz.rpc.echo", echo)
        while not self.stop.is_set():
            try:
                await self._writer.ask("hz.rpc.echo", b"x", timeout_s=0.5)
            except RuntimeError:
                continue
            self._happened("ask")
            await asyncio.sleep(0.05)


async def test_the_leader_is_killed_and_nothing_is_lost_or_doubled(tmp_path: Path, figures: Figures) -> None:
    with nats_cluster(tmp_path) as cluster:
        writer, reader = await Log.connect(cluster.address, "access"), await Log.connect(cluster.address, "engine")
        await writer.ensure_stream(CONFIG)
        assert (await writer.jetstream.stream_info(SAMPLES)).config.num_replicas == 3
        traffic = Traffic(writer, reader)
        tasks = [
            asyncio.create_task(work) for work in (traffic.intake.run(), traffic.take(), traffic.send(), traffic.ask())
        ]
        await asyncio.sleep(1.0)
        before = len(traffic.acknowledged)
        leader = await cluster.leader(SAMPLES)
        cluster.kill(leader)
        async with asyncio.timeout(40):
            while len(traffic.acknowledged) < before + 50:  # noqa: ASYNC110  # a figure to watch
                await asyncio.sleep(0.05)
        cluster.start(leader)
        traffic.stop.set()
        await tasks[2]
        async with asyncio.timeout(40):
            while len(traffic.read) < len(traffic.acknowledged):  # noqa: ASYNC110  # same
                await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        gaps = ", ".join(f"{what} {gap:.1f} s" for what, gap in traffic.gaps.items())
        figures(f"kill -9 of the stream's leader (NATS, R3): longest pause {gaps}")
        assert traffic.read == [float(n) for n in traffic.acknowledged], "in order, each once"
        await writer.close()
        await reader.close()


async def test_shares_have_streams_of_their_own(log: Log) -> None:
    await log.jetstream.delete_stream(SAMPLES)
    for number in range(2):
        await log.ensure_stream(LogConfig(1, 0.5), Share(number, 2))
    await log.append(Share(1, 2).lane(Lane.LIVE), b"of share 1")
    held = [(await log.jetstream.stream_info(Share(n, 2).stream)).state.messages for n in range(2)]
    assert held == [0, 1]


async def test_the_number_of_shares_is_fixed_once_the_log_has_one(log: Log) -> None:
    """Two processes with different numbers would both take an enterprise for theirs."""
    with pytest.raises(WrongSharesError, match="分为 1 份"):
        await log.ensure_stream(LogConfig(1, 0.5), Share(0, 4))


async def test_a_cluster_of_which_one_server_is_there(server) -> None:
    """Any of the servers named is enough to sign in."""
    from tests.log.support import PASSWORD

    from hazwatch.log.server import NODE_USER

    urls = (f"nats://127.0.0.1:{free_port()}", server.url, f"nats://127.0.0.1:{free_port()}")
    log = await Log.connect(LogAddress(urls, NODE_USER, PASSWORD), "test")
    assert log.connected
    await log.close()


def test_without_a_login_a_cluster_is_not_tried(tmp_path: Path) -> None:
    from hazwatch.app.node import NoLoginError, log_address
    from hazwatch.settings import Settings

    settings = Settings(home=tmp_path, log_url="nats://a:4222,nats://b:4222")
    with pytest.raises(NoLoginError, match=r"log\.login"):
        log_address(settings)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "log.login").write_text("who:what:ever\n")
    address = log_address(settings)
    assert (address.urls, address.user, address.password) == (("nats://a:4222", "nats://b:4222"), "who", "what:ever")
    assert "what" not in repr(address)
