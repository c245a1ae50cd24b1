"""Engines on several machines: they share the enterprises, take over each other's share, and outlive the database."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select
from tests.app.engines import Beats, Field, engine_processes, enterprises, same, seeded
from tests.clickhouse import LOGIN, clickhouse_cluster
from tests.figures import Figures
from tests.log.support import PASSWORD, Server
from tests.postgres import PostgresServer

from hazwatch.alarms.hold_store import owners_of
from hazwatch.alarms.tables import Alarm
from hazwatch.history.cluster import ClusterAddress, ClusterStore, shards_of
from hazwatch.log.client import Log, LogAddress
from hazwatch.log.leases import BUCKET
from hazwatch.log.server import NODE_USER
from hazwatch.log.shares import share_of
from hazwatch.records import Sessions, reading
from hazwatch.settings import Settings
from hazwatch.stream import wire
from hazwatch.web.engines import Engines

SHARES = 4


def give_login(home: Path, name: str, user: str, password: str) -> None:
    path = home / "secrets" / f"{name}.login"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"{user}:{password}")


def begun(sessions: Sessions) -> dict[int, list[int]]:
    """Begin of every alarm record by point."""
    found: dict[int, list[int]] = {}
    with reading(sessions) as session:
        for point, at in session.execute(select(Alarm.point, Alarm.event_time).order_by(Alarm.event_time)):
            found.setdefault(point, []).append(at)
    return found


def alarms_of(sessions: Sessions, wanted: set[str]) -> int:
    with reading(sessions) as session:
        return session.scalar(select(func.count()).select_from(Alarm).where(Alarm.enterprise.in_(wanted))) or 0


async def seconds_until(happened: Callable[[], bool], patience_s: float = 60.0) -> float:
    began = time.monotonic()
    async with asyncio.timeout(patience_s):
        while not await asyncio.to_thread(happened):  # noqa: ASYNC110  # a state to watch
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def balanced(field: Field, sessions: Sessions, patience_s: float = 30.0) -> tuple[int, int]:
    """Lost and doubled alarm records, once the engines have written everything."""
    deadline = time.monotonic() + patience_s
    while True:
        found = await asyncio.to_thread(begun, sessions)
        lost, doubled = same(found, field.excursions())
        if not lost or time.monotonic() > deadline:
            return lost, doubled
        await asyncio.sleep(0.2)


async def test_the_database_is_killed_while_the_engine_writes_alarms(tmp_path: Path, figures: Figures) -> None:
    """The engine waits and goes on; a transaction cut in the middle is played again from the log."""
    postgres, server = PostgresServer(), Server(tmp_path / "nats")
    settings = Settings(
        home=tmp_path / "home", simulator=False, records_url=postgres.url, log_url=server.url, snapshot_s=2, log_gib=0.5
    )
    give_login(settings.home, "log", NODE_USER, PASSWORD)
    sessions = seeded(settings, enterprises(4))
    log = await Log.connect(LogAddress((server.url,), NODE_USER, PASSWORD), "test")
    try:
        with engine_processes([settings]) as (engine,):
            beats = Beats()
            await beats.listen(log)
            await beats.ready(1)
            field = Field(log, sessions)
            driving = asyncio.create_task(field.run())
            for away_s in (0.0, 1.5):
                await asyncio.sleep(2.0)
                before = alarms_of(sessions, set(field.points))
                postgres.kill()
                await asyncio.sleep(away_s)
                postgres.start()

                def goes_on(before: int = before) -> bool:
                    engine.keep_running()
                    return alarms_of(sessions, set(field.points)) > before + 12

                took = await seconds_until(goes_on)
                figures(
                    f"records (PostgreSQL), kill -9 and {away_s:.1f} s away: next alarms {took:.1f} s after its return"
                )
            field.stopped = True
            await driving
            assert await balanced(field, sessions) == (0, 0)
    finally:
        await log.close()
        server.kill()
        postgres.stop()


async def test_an_engine_is_killed_and_the_other_takes_its_shares_over(tmp_path: Path, figures: Figures) -> None:
    """Two machines share eight enterprises in four shares: every alarm once, every sample once, whoever judged it."""
    with clickhouse_cluster(tmp_path / "clickhouse") as history:
        postgres, server = PostgresServer(), Server(tmp_path / "nats")
        common = {
            "simulator": False, "records_url": postgres.url, "log_url": server.url, "history_url": history.url,
            "shares": SHARES, "lease_s": 2.0, "snapshot_s": 2, "log_gib": 0.5,
        }  # fmt: skip
        machines = [Settings(home=tmp_path / name, **common) for name in ("one", "two")]
        for machine in machines:
            give_login(machine.home, "log", NODE_USER, PASSWORD)
            give_login(machine.home, "history", *LOGIN)
        sessions = seeded(machines[0], enterprises(8))
        log = await Log.connect(LogAddress((server.url,), NODE_USER, PASSWORD), "test")
        store = None
        try:
            with engine_processes(machines) as (one, two):
                beats = Beats()
                await beats.listen(log)
                await beats.ready(SHARES)
                store = ClusterStore.open(ClusterAddress(shards_of(history.url), *LOGIN), 3_650)
                assert await _shared_evenly(log)
                field = Field(log, sessions, SHARES)
                driving = asyncio.create_task(field.run())
                await asyncio.sleep(4.0)

                lost_shares = await _held_by(log, one.process.pid)
                theirs = {e for e in field.points if share_of(e, SHARES).number in lost_shares}
                assert theirs, "the test itself: the killed engine judges somebody"
                one.kill()
                before = await asyncio.to_thread(alarms_of, sessions, theirs)
                took = await seconds_until(lambda: alarms_of(sessions, theirs) > before + 3 * len(theirs))
                figures(
                    f"judge (2 engines, {SHARES} shares, lease {machines[0].lease_s:.0f} s), kill -9 of one: "
                    f"alarms of its shares again after {took:.1f} s"
                )
                one.start()
                assert await _shared_evenly(log), "who comes back gets an equal part again"

                # One that only sleeps does not know that it was replaced: it wakes up with work in its hands.
                two.process.send_signal(signal.SIGSTOP)
                took = await _held_by_all(log, one.process.pid)
                two.process.send_signal(signal.SIGCONT)
                figures(f"judge, an engine that sleeps: its shares taken over after {took:.1f} s")
                await asyncio.sleep(2.0)
                field.stopped = True
                await driving
                two.keep_running()

                assert await balanced(field, sessions) == (0, 0)
                assert await _stored(store, field) == (0, 0)
                await _everybody_answers(log, sessions)
        finally:
            if store is not None:
                store.close()
            await log.close()
            server.kill()
            postgres.stop()


async def _owners(log: Log) -> list[str]:
    bucket = await log.jetstream.key_value(BUCKET)
    return [((await bucket.get(f"share.{n}")).value or b"").decode() for n in range(SHARES)]


async def _held_by(log: Log, pid: int) -> set[int]:
    return {n for n, owner in enumerate(await _owners(log)) if f"-{pid}-" in owner}


async def _held_by_all(log: Log, pid: int, patience_s: float = 30.0) -> float:
    """Until one engine holds every share; returns the seconds it took."""
    began = time.monotonic()
    while time.monotonic() - began < patience_s:
        if len(await _held_by(log, pid)) == SHARES:
            return time.monotonic() - began
        await asyncio.sleep(0.05)
    raise AssertionError(await _owners(log))


async def _shared_evenly(log: Log, patience_s: float = 30.0) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        owners = await _owners(log)
        if "" not in owners and all(owners.count(owner) == SHARES // 2 for owner in owners):
            return True
        await asyncio.sleep(0.1)
    return False


async def _stored(store: ClusterStore, field: Field, patience_s: float = 20.0) -> tuple[int, int]:
    """Lost and doubled samples in the history, nothing merged away first."""
    deadline = time.monotonic() + patience_s
    while True:
        table = await store.select("SELECT point, ts FROM hazwatch.samples ORDER BY point, ts")
        found: dict[int, list[int]] = {}
        for point, ts in zip(table.column("point").to_pylist(), table.column("ts").to_pylist(), strict=True):
            found.setdefault(point, []).append(ts)
        outcome = same(found, field.kept())
        if outcome == (0, 0) or time.monotonic() > deadline:
            return outcome
        await asyncio.sleep(0.5)


async def _everybody_answers(log: Log, sessions: Sessions) -> None:
    """A command on alarms of all shares reaches the engine of each; an unknown one is refused once."""

    def owners(ids) -> dict[str, str]:
        with reading(sessions) as session:
            return owners_of(session, ids)

    with reading(sessions) as session:
        ids = list(session.scalars(select(Alarm.id).where(Alarm.acknowledged_at.is_(None))))
        spread = {share_of(e, SHARES).number for e in session.scalars(select(Alarm.enterprise).distinct())}
    assert len(spread) > 2, "the test itself: the alarms lie in several shares"
    command = {"do": "acknowledge", "ids": [*ids, "nothing"], "who": "值班员", "note": "", "at": 1}
    answer = await Engines(log, SHARES, owners).command(wire.RPC_ALARM, command)
    assert set(answer["done"]) == set(ids)
    assert [refused["id"] for refused in answer["refused"]] == ["nothing"]
