"""What-ifs in the engine: from the list through a real history to the outcome in the records."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import numpy as np
import orjson
import pytest
from tests.registry.support import SMALL, office

from hazwatch.alarms import trial_service as service
from hazwatch.alarms.assistant import Bounds
from hazwatch.alarms.trial_service import AskedFor, ChangeOf, Mark, Scope
from hazwatch.app import trials
from hazwatch.app.facts import load
from hazwatch.app.trials import Trials
from hazwatch.history.store import Store
from hazwatch.history.thinning import ROLLUP
from hazwatch.identity.model import SYSTEM
from hazwatch.records import reading
from hazwatch.registry import queries
from hazwatch.registry.service import seed
from hazwatch.samples.batch import SampleBatch

SECOND, DAY = 1000, 86_400_000
START = 1_795_417_200_000


@pytest.fixture
def records(tmp_path):
    from hazwatch.records import make_engine, make_sessions, migrate

    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    migrate(url)
    engine = make_engine(url)
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture
def store(tmp_path):
    """A day of all three points; the gas detector chatters for a minute in eleven."""
    opened = Store.open(tmp_path / "history", 4000)
    ts = np.arange(START, START + DAY, 10 * SECOND)
    chatter = (ts // (60 * SECOND)) % 11 == 0
    for point in range(3):
        value = np.where(chatter & (ts // (10 * SECOND) % 2 == 0), 25.5, 20.0) if point == 1 else np.full(len(ts), 5.0)
        opened.insert(SampleBatch.of(np.full(len(ts), point), ts, value), np.zeros(0, ROLLUP), str(point))
    yield opened
    opened.close()


def test_a_whatif_runs_is_resumed_and_can_be_stopped(records, store, monkeypatch) -> None:
    monkeypatch.setattr(trials, "PIECE", 3_000)
    level, gas_point, heat = SMALL.points
    prompt = replace(SMALL, points=(level, replace(gas_point, off_delay_s=0.0), heat))
    seed(office(records).desk, SYSTEM, prompt, "park")

    def points_of(who, scope: Scope):
        with reading(records) as session:
            return queries.point_places(session, who, queries.PointFilter(), scope.codes)

    def ask(**given) -> str:
        standard = {"name": "", "start": START, "end": START + DAY, "scope": Scope()}
        return service.ask(records, SYSTEM, lambda: START, points_of, AskedFor(**(standard | given)))

    gas = "410902001001Q0001QT001"
    service.mark(records, SYSTEM, lambda: START, points_of, Mark(gas, START, START + DAY, "泄漏"))
    first = ask(changes=[ChangeOf({"off_delay_s": 60.0, "on_delay_s": 0.0}, quantity="QT")])
    second = ask(bounds=Bounds(bound_ms=0))
    third = ask(bounds=Bounds())
    work = Trials(records, store, lambda: load(records), lambda: START)

    async def until_done() -> dict[str, dict]:
        await work.answer(orjson.dumps({"do": "cancel", "id": third}))
        task = asyncio.create_task(work.work())
        while True:
            with reading(records) as session:
                found = {n: service.shown(session, SYSTEM, n) for n in (first, second, third)}
            if all(f["state"] not in ("queued", "running") for f in found.values()):
                task.cancel()
                return found
            await asyncio.sleep(0.05)

    found = asyncio.run(asyncio.wait_for(until_done(), 60))
    assert [found[n]["state"] for n in (first, second, third)] == ["done", "done", "cancelled"]
    result = found[first]["result"]
    assert result["samples"] == 3 * 8640
    tags = {row["point"]: (row["before"], row["after"]) for row in result["comparison"]["tags"]}
    assert list(tags) == [gas]
    before, after = tags[gas]
    assert before > 100
    assert after < before
    assert result["comparison"]["events"][0]["verdict"] == "kept"
    (proposal,) = found[second]["result"]["proposals"]
    assert (proposal["point"], proposal["gas"]) == (gas, True)
    assert "on_delay_s" not in proposal["values"]
    with reading(records) as session:
        assert service.evidence(session, SYSTEM, first) is not None
        assert service.evidence(session, SYSTEM, third) is None
    json.dumps(found)
