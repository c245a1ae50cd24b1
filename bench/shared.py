"""The same stream with engines that share enterprises, on real servers here: NATS (R3), PostgreSQL, ClickHouse.

    python bench/shared.py [points] [seconds] [workers]

The servers are those of the tests (no sync in PostgreSQL); their own processor time is not in the report. On
machines of one's own the same is ``hazwatch bench stream --workers N`` with the settings of docs/scale.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from tests.clickhouse import clickhouse_cluster
from tests.nats_cluster import nats_cluster
from tests.postgres import fresh_database

from hazwatch.bench.stream import Plan, measure


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    points, seconds, workers = (*given, *(60_000, 20, 2)[len(given) :])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        home = folder / "home"
        with clickhouse_cluster(folder / "history") as history, nats_cluster(folder / "log") as log:
            history.give_login(home)
            log.give_login(home)
            settings = {
                "log_url": log.url, "log_replicas": 3, "log_gib": 0.25, "history_url": history.url,
                "records_url": fresh_database(),
            }  # fmt: skip
            plan = Plan(home, points, seconds=seconds, warm_s=10, workers=workers, settings=settings)
            report = measure(plan, lambda line: print(line, file=sys.stderr))
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
