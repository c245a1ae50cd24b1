"""The log over kills of its server: nothing lost, nothing doubled, nothing out of order."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from tests.log.support import PASSWORD, free_port

from hazwatch.log.client import Log, LogAddress, LogAwayError, LogConfig, RpcError
from hazwatch.log.reader import LogReader
from hazwatch.log.server import NODE_USER
from hazwatch.log.shares import BACKGROUND, CONTROL, LIVE, SAMPLES


async def read(log: Log, count: int, subjects: list[str], after: int = 0) -> list[tuple[int, str, bytes]]:
    """The next ``count`` messages of a new reader."""
    got: list[tuple[int, str, bytes]] = []
    async with asyncio.timeout(20):
        async for batch in LogReader(log, subjects, after).batches():
            got += [(m.sequence, m.subject, m.data) for m in batch]
            if len(got) >= count:
                return got
    return got


async def test_an_append_has_the_next_number_and_can_be_read(log) -> None:
    numbers = [await log.append(LIVE, b"%d" % k) for k in range(5)]
    assert numbers == [1, 2, 3, 4, 5]
    assert await read(log, 5, [LIVE]) == [(k + 1, LIVE, b"%d" % k) for k in range(5)]


async def test_what_was_confirmed_survives_kill_9(server, log) -> None:
    for k in range(20):
        await log.append(LIVE, b"%d" % k)
    server.kill()
    server.start()
    assert [m[2] for m in await read(log, 20, [LIVE])] == [b"%d" % k for k in range(20)]
    assert await log.append(LIVE, b"next") == 21


async def test_an_append_waits_for_a_server_that_is_away_and_stands_once(server, log) -> None:
    await log.append(LIVE, b"before")
    server.kill()
    waiting = asyncio.create_task(log.append(LIVE, b"during"))
    await asyncio.sleep(0.3)
    assert not waiting.done(), "nothing is confirmed while the log is away"
    server.start()
    assert await waiting == 2
    assert await log.append(LIVE, b"after") == 3
    assert [m[2] for m in await read(log, 3, [LIVE])] == [b"before", b"during", b"after"]


async def test_an_append_that_is_not_confirmed_in_time_says_so(server, log) -> None:
    server.kill()
    with pytest.raises(LogAwayError):
        await log.append(LIVE, b"x", patience_s=0.5)


async def test_appends_while_the_server_dies(server, log) -> None:
    """Whatever was confirmed is there once, in the order of its numbers."""
    confirmed: dict[int, bytes] = {}

    async def write() -> None:
        for k in range(120):
            data = b"%d" % k
            confirmed[await log.append(LIVE, data)] = data

    writing = asyncio.create_task(write())
    for want in (60,):
        async with asyncio.timeout(30):
            while len(confirmed) < want:  # noqa: ASYNC110  # the test watches from outside
                await asyncio.sleep(0.005)
        server.kill()
        server.start()
    async with asyncio.timeout(60):
        await writing
    rows = await read(log, 120, [LIVE])
    assert [m[2] for m in rows] == [b"%d" % k for k in range(120)]
    assert {m[0]: m[2] for m in rows} == confirmed


async def test_a_reader_goes_on_over_restarts_without_gap_or_double(server, log) -> None:
    got: list[int] = []
    reader = LogReader(log, [LIVE, CONTROL], 0)

    async def take() -> None:
        async for batch in reader.batches():
            got.extend(m.sequence for m in batch)

    reading = asyncio.create_task(take())
    number = 0
    for restart in (True, False):
        for _ in range(40):
            number = await log.append(LIVE if number % 3 else CONTROL, b"x")
        async with asyncio.timeout(30):
            while len(got) < number:  # noqa: ASYNC110  # same
                await asyncio.sleep(0.01)
        if restart:
            server.kill()
            server.start()
    assert got == list(range(1, number + 1))
    assert reader.at == number
    assert not reading.done()
    reading.cancel()


async def test_a_consumer_that_delivers_no_more_is_replaced(log) -> None:
    got: list[int] = []
    reader = LogReader(log, [LIVE], 0)

    async def take() -> None:
        async for batch in reader.batches():
            got.extend(m.sequence for m in batch)

    reading = asyncio.create_task(take())
    try:
        await log.append(LIVE, b"before")
        async with asyncio.timeout(20):
            while len(got) < 1:  # noqa: ASYNC110  # same
                await asyncio.sleep(0.01)
            (consumer,) = await log.jetstream.consumers_info(SAMPLES)
            until = orjson.dumps({"pause_until": datetime.now(UTC) + timedelta(hours=1)})
            answer = await log.client.request(f"$JS.API.CONSUMER.PAUSE.{SAMPLES}.{consumer.name}", until)
            assert orjson.loads(answer.data)["paused"]
            number = await log.append(LIVE, b"after")
            while number not in got:  # noqa: ASYNC110  # same
                await asyncio.sleep(0.01)
    finally:
        reading.cancel()
    assert got == [1, number]


async def test_readers_see_their_lane_only_from_where_they_are(log) -> None:
    for k in range(9):
        await log.append([LIVE, BACKGROUND, CONTROL][k % 3], b"%d" % k)
    assert [m[0] for m in await read(log, 3, [BACKGROUND])] == [2, 5, 8]
    assert [m[0] for m in await read(log, 3, [LIVE, CONTROL], after=4)] == [6, 7, 9]


async def test_a_reader_that_starts_before_anything_is_there(log) -> None:
    waiting = asyncio.create_task(read(log, 1, [LIVE]))
    await log.append(LIVE, b"first")
    assert await waiting == [(1, LIVE, b"first")]


async def test_more_messages_than_one_pull(log) -> None:
    await asyncio.gather(*(log.append(LIVE, b"x") for _ in range(700)))
    assert [m[0] for m in await read(log, 700, [LIVE])] == list(range(1, 701))


async def test_the_stream_is_bounded_and_its_bounds_follow_the_settings(log) -> None:
    await log.append(LIVE, b"kept")
    await log.ensure_stream(LogConfig(hours=5, gib=0.25))
    info = await log.jetstream.stream_info(SAMPLES)
    assert (info.config.max_age, info.config.max_bytes) == (5 * 3600, 2**28)
    assert info.state.messages == 1, "changing the bounds keeps what is there"


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(LogAwayError, match="没有应答"):
        await Log.connect(LogAddress((f"nats://127.0.0.1:{free_port()}",), NODE_USER, PASSWORD), "test", patience_s=0.3)


async def test_a_wrong_password_is_refused(server) -> None:
    with pytest.raises(LogAwayError):
        await Log.connect(LogAddress((server.url,), NODE_USER, "wrong"), "test", patience_s=0.3)


# --- telling and asking --------------------------------------------------------------------------------------------


async def test_asking(log) -> None:
    async def double(data: bytes) -> bytes:
        return data * 2

    async def refuses(_: bytes) -> bytes:
        raise RpcError("busy", "正忙")

    async def breaks(_: bytes) -> bytes:
        raise KeyError("oops")

    await log.serve("hz.rpc.double", double)
    await log.serve("hz.rpc.refuses", refuses)
    await log.serve("hz.rpc.breaks", breaks)
    assert await log.ask("hz.rpc.double", b"ab") == b"abab"
    with pytest.raises(RpcError, match="正忙") as refused:
        await log.ask("hz.rpc.refuses")
    assert refused.value.code == "busy"
    with pytest.raises(RpcError) as broken:
        await log.ask("hz.rpc.breaks")
    assert broken.value.code == "internal"
    assert await log.ask("hz.rpc.double", b"") == b"", "a request that failed does not stop the service"


async def test_nobody_answers(log) -> None:
    with pytest.raises(RpcError) as away:
        await log.ask("hz.rpc.nobody", timeout_s=0.5)
    assert away.value.code == "away"


async def test_a_slow_request_holds_back_no_other(log) -> None:
    gate = asyncio.Event()

    async def answer(data: bytes) -> bytes:
        if data == b"slow":
            await gate.wait()
        return data

    await log.serve("hz.rpc.x", answer)
    slow = asyncio.create_task(log.ask("hz.rpc.x", b"slow"))
    assert await log.ask("hz.rpc.x", b"quick") == b"quick"
    assert not slow.done()
    gate.set()
    assert await slow == b"slow"


async def test_who_listens_is_told_also_after_a_restart_of_the_server(server, log) -> None:
    heard: list[bytes] = []

    async def hear(data: bytes) -> None:
        heard.append(data)

    await log.listen("hz.live.values", hear)
    deadline = time.monotonic() + 20
    await log.tell("hz.live.values", b"one")
    while not heard:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    server.kill()
    server.start()
    while b"two" not in heard:
        assert time.monotonic() < deadline
        await log.tell("hz.live.values", b"two")
        await asyncio.sleep(0.05)
    assert heard[0] == b"one"
