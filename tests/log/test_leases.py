"""Leases: dealt out evenly, held by one, over when silent, fenced by rising tokens."""

from __future__ import annotations

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from hazwatch.log.client import Log
from hazwatch.log.leases import Holding, Leases, plan
from hazwatch.log.shares import WHOLE, all_shares, share_of

WORKERS = ["a", "b", "c", "d"]


@given(st.lists(st.sampled_from(["", *WORKERS]), min_size=1, max_size=40), st.integers(1, 4))
def test_acting_on_the_plan_deals_all_shares_out_evenly(owners, count) -> None:
    """Whoever holds what at the start; workers that are not among the first ``count`` are dead."""
    workers = WORKERS[:count]
    holdings = [Holding(owner, 1, fresh=owner in workers) for owner in owners]
    for _ in range(2):
        for me in workers:
            take, give = plan(holdings, me, len(workers))
            assert not set(take) & set(give)
            for number in give:
                assert holdings[number].owner == me
                holdings[number] = Holding()
            for number in take:
                assert holdings[number].free, "nobody takes what another one holds"
                holdings[number] = Holding(me, 2, fresh=True)
    most = math.ceil(len(owners) / len(workers))
    for me in workers:
        assert sum(h.owner == me for h in holdings) <= most
    assert not [h for h in holdings if h.free]
    assert [plan(holdings, me, len(workers)) for me in workers] == [([], [])] * len(workers)


@given(st.lists(st.text("0123456789", min_size=9, max_size=9), max_size=30), st.integers(1, 16))
def test_every_enterprise_has_one_share(codes, count) -> None:
    for code in codes:
        assert [share for share in all_shares(count) if share.owns(code)] == [share_of(code, count)]


def test_one_share_is_named_as_a_node_without_shares() -> None:
    assert (WHOLE.stream, WHOLE.named("hz.rpc.values")) == ("HZ_SAMPLES", "hz.rpc.values")
    assert all_shares(1) == [WHOLE]


class Worker:
    """What a worker was told, in order."""

    def __init__(self, log: Log, name: str, shares: int = 3, lease_s: float = 1.0) -> None:
        self.told: list[tuple[str, int]] = []
        self.tokens: dict[int, int] = {}
        self.leases = Leases(log, name, shares, lease_s, self.take, self.give)
        self.task = asyncio.create_task(self.leases.run(1))

    async def take(self, number: int, token: int) -> None:
        self.told.append(("take", number))
        self.tokens[number] = token

    async def give(self, number: int) -> None:
        self.told.append(("give", number))

    def holds(self) -> set[int]:
        return set(self.leases.held)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(happened, patience_s: float = 20.0) -> None:
    async with asyncio.timeout(patience_s):
        while not happened():  # noqa: ASYNC110  # a state to watch
            await asyncio.sleep(0.02)


async def test_a_silent_worker_loses_its_shares_and_the_new_token_is_higher(log) -> None:
    first = Worker(log, "first")
    await until(lambda: first.holds() == {0, 1, 2})
    second = Worker(log, "second")
    await until(lambda: len(second.holds()) == 1)
    assert len(first.holds()) == 2
    assert not first.holds() & second.holds()
    # Killed: it gives nothing back.
    first.leases.held.clear()
    await first.stop()
    await until(lambda: second.holds() == {0, 1, 2})
    for number, token in first.tokens.items():
        assert second.tokens[number] > token
    await second.stop()


async def test_who_stops_in_good_order_gives_back_at_once(log) -> None:
    first = Worker(log, "first", lease_s=30.0)
    await until(lambda: first.holds() == {0, 1, 2})
    await first.stop()
    assert [what for what, _ in first.told].count("give") == 3
    second = Worker(log, "second", lease_s=1.0)
    await until(lambda: len(second.holds()) >= 1)
    await second.stop()


async def test_nothing_is_over_while_the_log_is_away(server, log) -> None:
    """Nobody could renew while the server was down, so nobody takes anything when it is back."""
    first, second = Worker(log, "first"), Worker(log, "second")
    await until(lambda: len(first.holds() | second.holds()) == 3 and first.holds() and second.holds())
    held = first.holds(), second.holds()
    told = len(first.told), len(second.told)
    server.kill()
    await asyncio.sleep(2.0)
    server.start()
    await asyncio.sleep(2.0)
    assert (first.holds(), second.holds()) == held
    assert (len(first.told), len(second.told)) == told
    await first.stop()
    await second.stop()
