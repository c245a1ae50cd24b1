"""The history takes nothing for a while (a full disk, a cluster that is away): alarms go on, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest
from tests.alarms.support import table
from tests.stream.support import MemoryLog, MemoryStore, Node, limits

from hazwatch.history import sink
from hazwatch.history.offsets import OffsetFile, Place
from hazwatch.vocabulary.lanes import Lane


class Refusing(MemoryStore):
    """Takes nothing for the first so many attempts."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.asked = 0

    async def insert_async(self, batch, minutes, token) -> None:
        self.asked += 1
        if self.asked <= self.times:
            raise RuntimeError("No space left on device")
        await super().insert_async(batch, minutes, token)


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(sink, "_FIRST_PAUSE_S", 0.01)


@pytest.mark.usefixtures("quick")
async def test_alarms_go_on_and_everything_is_stored_once_there_is_room(records, tmp_path) -> None:
    """At 1 s 高高 while the store refuses: the record is there; after the fifth attempt every sample is stored once."""
    log = MemoryLog()
    log.new_limits(limits(1), 0)
    for k in range(8):
        log.samples((0, k, 9.5 if k == 1 else 5.0 + k / 8))
    node = Node(log, records, tmp_path, store=Refusing(5))
    pipe = await node.run()

    assert len(table(records)) == 1
    assert node.store.asked > 5
    rows, _ = node.store.content()
    assert sum(rows.values()) == 8
    assert set(rows.values()) == {1}
    assert pipe.history_fault == ""


@pytest.mark.usefixtures("quick")
async def test_while_it_refuses_the_reason_is_told_and_the_next_block_waits(tmp_path) -> None:
    store = Refusing(10_000)
    held = sink.HistorySink(store, OffsetFile(tmp_path / "offset"), 60_000, Place())
    held.pass_by(Lane.LIVE, 1)
    task = held.begin_flush()
    while store.asked < 2:  # noqa: ASYNC110  # a count of another task
        await asyncio.sleep(0.005)
    assert held.fault == "No space left on device"
    held.pass_by(Lane.LIVE, 2)
    assert held.begin_flush() is None, "one block at a time"
    assert held.done == Place(), "what is not stored is not noted as done"
    task.cancel()
