"""History on a real ClickHouse cluster of two shards of two replicas: kill each piece while blocks come in.

Debian's server is 18.16, without insert tokens: a block that comes again must be known by its content.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.clickhouse import LOGIN, ClickHouseCluster, clickhouse_cluster
from tests.figures import Figures

from hazwatch.history import query, thinning
from hazwatch.history.cluster import ClusterAddress, ClusterStore, StoreAwayError, shards_of
from hazwatch.samples.batch import SampleBatch

NOON = 1_795_417_200_000
POINTS = 40


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseCluster]:
    with clickhouse_cluster(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


def opened(cluster: ClickHouseCluster, quorum: int = 0) -> ClusterStore:
    return ClusterStore.open(ClusterAddress(shards_of(cluster.url), *LOGIN, quorum=quorum), 3_650)


@pytest.fixture
def store(cluster: ClickHouseCluster) -> Iterator[ClusterStore]:
    for server in cluster.servers:
        server.ask("DROP DATABASE IF EXISTS hazwatch")
    store = opened(cluster)
    yield store
    store.close()


def block(number: int, points: int = POINTS) -> tuple[SampleBatch, np.ndarray, str]:
    """The number-th block: one sample and one minute of every point; its values add up to number · points."""
    point = np.arange(points, dtype=np.uint32)
    batch = SampleBatch.of(point, np.full(points, NOON + 1000 * number), np.full(points, float(number)))
    minutes = np.zeros(points, thinning.ROLLUP)
    minutes["point"], minutes["minute"], minutes["count"] = point, NOON + 60_000 * number, 1
    minutes["low"] = minutes["high"] = minutes["total"] = minutes["last"] = float(number)
    return batch, minutes, f"{number}-{number + 1}:0-0"


async def totals(store: ClusterStore, table: str = "samples") -> tuple[int, float]:
    """Rows and sum of values over all shards, as a reader finds them: nothing merged away first."""
    value = "value" if table == "samples" else "total"
    found = await store.select(f"SELECT count() AS n, sum({value}) AS total FROM hazwatch.{table}")  # noqa: S608  # ours
    return found.to_pylist()[0]["n"], found.to_pylist()[0]["total"]


def wanted(blocks: int) -> tuple[int, float]:
    return blocks * POINTS, float(sum(range(blocks)) * POINTS)


async def test_a_block_that_comes_again_is_there_once(store: ClusterStore) -> None:
    for number in range(5):
        store.insert(*block(number))
    for number in (4, 2):
        batch, minutes, token = block(number)
        back = slice(None, None, -1)  # re-formed after a crash in another order
        store.insert(batch.take(back), minutes[back], token)
    assert (await totals(store), await totals(store, "minutes")) == (wanted(5), wanted(5))


async def test_a_block_lies_whole_in_the_shard_of_its_points(cluster: ClickHouseCluster, store: ClusterStore) -> None:
    store.insert(*block(1))
    for shard in range(2):
        assert cluster.server(shard, 0).ask("SELECT DISTINCT point % 2 FROM hazwatch.samples_local") == str(shard)


async def test_the_same_questions_as_of_the_embedded_store(store: ClusterStore) -> None:
    """At 0 s, 60 s, 120 s …: a sample and its minute; a corrected sample replaces the first."""
    for number in range(0, 300, 60):
        store.insert(*block(number, points=4))
    corrected = SampleBatch.of([3], [NOON + 60_000], [7.5], [2])
    store.insert(corrected, np.zeros(0, thinning.ROLLUP), "x")
    raw = await query.series(store, 3, NOON, NOON + 600_000, 0)
    assert raw.rows[:, 0].tolist() == [NOON + 60_000 * k for k in range(5)]
    assert raw.rows[:, 4].tolist() == [0.0, 7.5, 120.0, 180.0, 240.0]
    assert await query.value_before(store, 3, NOON + 60_001) == (NOON + 60_000, 7.5, 2)
    assert await query.value_before(store, 3, NOON) is None
    steps = await query.series(store, 3, NOON, NOON + 600_000, 30)
    assert steps.rows[:, 5].tolist() == [1.0] * 5
    minutes = await query.series(store, 3, NOON, NOON + 6 * 3_600_000, 3600)
    assert (minutes.source, minutes.rows[:, 5].tolist()) == ("minute", [1.0] * 5)
    counts = await query.sample_counts(store, np.array([0, 1, 3]), NOON, NOON + 600_000)
    assert counts in ({0: 5, 1: 5, 3: 6}, {0: 5, 1: 5, 3: 5}), "rows: the corrected sample counts until it is merged"
    many = await query.many_samples(store, np.array([0, 1, 3]), NOON, NOON + 70_000)
    assert (many.point.tolist(), many.value.tolist()) == ([0, 0, 1, 1, 3, 3], [0.0, 60.0, 0.0, 60.0, 0.0, 7.5])
    assert all(of["rows"] > 0 and of["bytes"] > 0 for of in (await query.stored(store)).values())
    assert (await query.ledger(store))[0] == 20
    assert (await query.series(store, 99, NOON, NOON + 600_000, 60)).rows.shape == (0, 7)


async def test_days_that_are_over_go_without_a_ttl(cluster: ClickHouseCluster, store: ClusterStore) -> None:
    ten_years_ago = 1_400_000_000_000
    store.insert(SampleBatch.of([2], [ten_years_ago], [1.0]), np.zeros(0, thinning.ROLLUP), "old")
    store.insert(*block(1))
    with_house = opened(cluster)
    with_house.insert(*block(2))
    assert (await totals(with_house)) == (2 * POINTS, 3.0 * POINTS)
    with_house.close()


@pytest.mark.usefixtures("store")
async def test_a_quorum_is_asked_for_where_it_is_set(cluster: ClickHouseCluster) -> None:
    careful = opened(cluster, quorum=2)
    careful.insert(*block(1))
    for server in cluster.servers:
        assert server.ask("SELECT count() FROM hazwatch.samples_local") == str(POINTS // 2), "both replicas have it"
    careful.close()


class Stream:
    """Blocks that go in one after the other, as fast as they are confirmed; each third comes twice."""

    def __init__(self, store: ClusterStore) -> None:
        self._store = store
        self.blocks = 0
        self.longest = 0.0
        self.stopped = False

    def run(self) -> None:
        while not self.stopped:
            began = time.monotonic()
            self._insert()
            if self.blocks % 3 == 0:
                self._insert()
            self.longest = max(self.longest, time.monotonic() - began)
            self.blocks += 1

    def _insert(self) -> None:
        """As the sink does: again until it is confirmed."""
        while True:
            try:
                self._store.insert(*block(self.blocks))
            except StoreAwayError:
                time.sleep(0.2)
            else:
                return

    def until(self, more: int, patience_s: float = 60.0) -> None:
        goal, deadline = self.blocks + more, time.monotonic() + patience_s
        while self.blocks < goal:
            assert time.monotonic() < deadline, "the stream of blocks stands still"
            time.sleep(0.02)


def _everywhere(cluster: ClickHouseCluster, wanted_rows: int, patience_s: float = 60.0) -> float:
    """Wait until both replicas of each shard hold the same rows; returns the seconds it took."""
    began = time.monotonic()
    while True:
        counts = [
            [int(server.ask(f"SELECT count() FROM hazwatch.{table}_local")) for table in ("samples", "minutes")]  # noqa: S608  # ours
            for server in cluster.servers
        ]
        if counts == [[wanted_rows // 2] * 2] * 4:
            return time.monotonic() - began
        assert time.monotonic() - began < patience_s, counts
        time.sleep(0.1)


async def test_killing_each_piece_loses_and_doubles_nothing(
    cluster: ClickHouseCluster, store: ClusterStore, figures: Figures
) -> None:
    """A replica, then a whole shard, then ZooKeeper: blocks wait where they must and stand there once."""
    stream = Stream(store)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(stream.run)
        stream.until(5)
        one, whole = cluster.server(0, 0), (cluster.server(1, 0), cluster.server(1, 1))

        def pause(name: str, act: Callable[[], None], mend: Callable[[], None] | None, *, stands: bool) -> None:
            stream.longest = 0.0
            act()
            if stands:
                time.sleep(1.0)
            else:
                stream.until(5)
            if mend is not None:
                mend()
            stream.until(5)
            figures(f"history (ClickHouse 2×2), {name}: longest insert {stream.longest:.1f} s")

        pause("kill -9 of a replica", one.kill, None, stands=False)
        assert await totals(store) is not None, "the other replica answers"
        one.start()
        one.wait()
        pause(
            "kill -9 of both replicas of a shard, one of them back after 1 s",
            lambda: [server.kill() for server in whole], whole[1].start, stands=True,
        )  # fmt: skip
        whole[0].start()
        whole[0].wait()
        pause(
            "kill -9 of ZooKeeper, back after 1 s", cluster.zookeeper.kill, cluster.zookeeper.start, stands=True
        )  # fmt: skip
        stream.stopped = True
        running.result(60)
    settled = _everywhere(cluster, stream.blocks * POINTS)
    figures(f"history (ClickHouse 2×2): {stream.blocks} blocks, replicas equal {settled:.1f} s after the last kill")
    assert (await totals(store), await totals(store, "minutes")) == (wanted(stream.blocks), wanted(stream.blocks))


async def test_a_replica_that_lost_its_keeper_in_the_middle_is_asked_to_settle(
    cluster: ClickHouseCluster, store: ClusterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers "unknown status" and keeps a part of its own; the block is sent again, and the part must go."""
    import httpx

    asked: list[str] = []
    post = httpx.Client.post

    def unsure(client: httpx.Client, url: str, **said: object) -> httpx.Response:
        asked.append(f"{url} {said.get('content')!r:.60}")
        if len(asked) == 1:
            return httpx.Response(500, text="Code: 319, e.displayText() = DB::Exception: Unknown status")
        return post(client, url, **said)

    monkeypatch.setattr(httpx.Client, "post", unsure)
    store.insert(SampleBatch.of([2], [NOON], [1.0]), np.zeros(0, thinning.ROLLUP), "t")
    first, second = cluster.server(0, 0).url, cluster.server(0, 1).url
    assert asked[1].startswith(second), "the other replica takes it"
    assert asked[2].startswith(f"{first} b'SYSTEM RESTART REPLICA hazwatch.samples_local")
    assert (await totals(store))[0] == 1


async def test_a_question_is_refused_when_a_shard_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from hazwatch.history import cluster as module

    monkeypatch.setattr(module, "_PATIENCE_S", 0.2)
    store = ClusterStore(ClusterAddress((("http://127.0.0.1:9",),), *LOGIN), 90)
    with pytest.raises(StoreAwayError, match="没有应答"):
        await store.select("SELECT 1")
    store.close()


def test_shards_and_replicas_of_a_setting() -> None:
    assert shards_of("http://a:1, http://b:1 ; http://c:1") == (("http://a:1", "http://b:1"), ("http://c:1",))
    assert "secret" not in repr(ClusterAddress((), "who", "secret"))
