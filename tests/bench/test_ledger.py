"""The ledger of a node whose engines share one store: nothing is counted twice, nothing is missed in between."""

from __future__ import annotations

import orjson

from hazwatch.bench import ledger

TABLES = {"samples": {"rows": 5, "bytes": 50}, "minutes": {"rows": 1, "bytes": 6}}


def figures(samples: int) -> dict[str, float]:
    return {"samples": samples, "total": samples * 2.0, "weighted": samples * 3.0}


class FakeLog:
    """Two engines; the second moves its running minute to the common store when it is asked for the first time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.store, self.running = 100, {"0": 7, "1": 5}

    async def ask(self, subject: str, timeout_s: float) -> bytes:
        assert timeout_s > 10
        self.asked.append(subject)
        share = subject.rpartition(".")[2]
        if share == "1":
            self.store, self.running["1"] = self.store + self.running["1"], 0
        running = self.running.get(share, 9)
        return orjson.dumps({"store": figures(self.store), "running": figures(running), "tables": TABLES})


async def test_engines_of_two_shares_are_asked_until_two_rounds_agree() -> None:
    log = FakeLog()
    found = await ledger.read(log, 2)
    assert {name: found[name] for name in ("samples", "total", "weighted")} == figures(112)
    assert log.asked == ["hz.rpc.ledger.0", "hz.rpc.ledger.1"] * 2


async def test_one_engine_is_asked_once() -> None:
    log = FakeLog()
    assert (await ledger.read(log, 1))["samples"] == 109
    assert log.asked == ["hz.rpc.ledger"]


def test_what_was_sent_is_compared_with_what_came_in() -> None:
    there = {"samples": 30, "total": 60.0, "weighted": 90.0}
    same = ledger.compare([figures(10), figures(8)], figures(12), there)
    assert (same["lost_or_doubled"], same["checksum_equal"]) == (0, True)
    other = ledger.compare([figures(18)], figures(12), {**there, "weighted": 91.0})
    assert (other["lost_or_doubled"], other["checksum_equal"]) == (0, False)
    assert ledger.compare([figures(20)], figures(12), there)["lost_or_doubled"] == 2
