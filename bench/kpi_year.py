"""KPIs of one busy control room over a year, from alarm records in SQLite.

.venv/bin/python bench/kpi_year.py [ACTIVATIONS]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from hazwatch.alarms import kpi_store
from hazwatch.alarms.kpi import measure
from hazwatch.alarms.tables import Alarm, AlarmEvent
from hazwatch.identity.model import SYSTEM
from hazwatch.records import Sessions, make_engine, make_sessions, migrate, reading, unit_of_work

NOW, DAY = 1_795_417_200_000, 86_400_000
ROOM, POINTS, PART = "410902001", 3_000, 20_000


def blank(table: Any) -> dict[str, Any]:
    """Values for the columns that a bench does not care about."""
    words = {"BOOLEAN": False, "INTEGER": 0, "BIGINT": 0}
    return {
        c.name: None if c.nullable else words.get(str(c.type), "")
        for c in table.__table__.columns
        if not (c.primary_key and c.name == "id" and table is AlarmEvent)
    }


def seed(sessions: Sessions, count: int) -> None:
    rng = np.random.default_rng(1)
    begin = np.sort(rng.integers(NOW - 365 * DAY, NOW, count)).tolist()
    point, length = (rng.zipf(1.4, count) % POINTS).tolist(), rng.integers(5_000, 3_600_000, count).tolist()
    alarm, event = blank(Alarm), blank(AlarmEvent)
    alarm |= {"kind": "process", "state": "normal", "worst_level": 1, "enterprise": ROOM, "path": f"/410000/{ROOM}/"}
    for first in range(0, count, PART):
        alarms, events = [], []
        for k in range(first, min(first + PART, count)):
            key, end = str(uuid.UUID(int=random.getrandbits(128))), begin[k] + length[k]
            own = {"id": key, "point": point[k], "event_time": begin[k], "returned_at": end, "seq": k}
            alarms.append(
                alarm | {name: v for name, v in own.items() if name in alarm} | {"point_code": f"{point[k]:022d}"}
            )
            for cause, ts, level, state in (
                ("raise", begin[k], 1, "unacknowledged"), ("acknowledge", begin[k] + 1000, 1, "acknowledged"),
                ("return", end, 0, "normal"),
            ):  # fmt: skip
                own = {"alarm_id": key, "point": point[k], "event_time": ts, "cause": cause, "level": level}
                events.append(event | own | {"to_state": state})
        with unit_of_work(sessions) as session:
            session.execute(insert(Alarm), alarms)
            session.execute(insert(AlarmEvent), events)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'records.sqlite'}"
        migrate(url)
        sessions = make_sessions(make_engine(url))
        seed(sessions, count)
        for days in (365, 30, 1):
            start = NOW - days * DAY
            begun = time.perf_counter()
            with reading(sessions) as session:
                log = kpi_store.room_log(session, SYSTEM, ROOM, start, NOW)
            read = time.perf_counter()
            found = measure(log, start, NOW, points=POINTS)
            done = time.perf_counter()
            print(
                f"{days:>4} days: {found.activations:,} activations, read {read - begun:.2f} s, "
                f"measured {done - read:.2f} s, {len(found.floods)} floods, class {found.grade}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 365_000)
