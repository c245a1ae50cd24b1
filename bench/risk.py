"""Grading of a nation: 23,000 sources of 7,000 enterprises, 500 alarm transitions a second, and everything anew.

    .venv/bin/python bench/risk.py [SECONDS]

The desk of the node works on SQLite in a temporary folder; what the alarm desk and the stream would hand in is made up
here (alarms of sources, the rest calm). CPU seconds are those of this process.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from hazwatch.records.engine import make_engine, make_sessions
from hazwatch.records.schema import migrate
from hazwatch.risk.configuration import DEFAULT
from hazwatch.risk.evidence import ActiveAlarm, Around, collect
from hazwatch.risk.features import SERVICES
from hazwatch.risk.objects import Asked
from hazwatch.risk.service import RiskDesk, SourceFacts
from hazwatch.vocabulary.levels import Level

SOURCES, ENTERPRISES, PROVINCES, CITIES = 23_000, 7_000, 31, 340
RATE, TICK_S = 500, 0.1
NOW = 1_795_417_200_000


def sources() -> list[SourceFacts]:
    kinds = list(SERVICES.values())
    out = []
    for n in range(SOURCES):
        e = n % ENTERPRISES
        code = f"{e:09d}"
        path = f"/{e % PROVINCES:02d}0000/{e % CITIES:04d}00/{code}/"
        facts = SourceFacts(
            f"{code}{n // ENTERPRISES:03d}", f"源{n}", code, path, path, n % 4 + 1, float(n % 300), (), kinds[n % 3]
        )
        out.append(facts)
    return out


def main(seconds: float) -> None:
    rng = np.random.default_rng(1)
    alarms: dict[str, list[ActiveAlarm]] = {}
    usable = 0.0

    def look(s: SourceFacts, now: int) -> Asked:
        around = Around(alarms.get(s.code, ()), usable=usable)
        return collect(s.service, s.code, s.r, s.level, around, now, DEFAULT)

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/records.sqlite"
        migrate(url)
        desk = RiskDesk(make_sessions(make_engine(url)), look)
        every = sources()
        begun = time.perf_counter()
        desk.know(every)
        desk.rescore(desk.codes, NOW)
        print(f"first grades of {SOURCES:,} sources of which nothing was heard: {time.perf_counter() - begun:.2f} s")
        usable, begun = 1.0, time.perf_counter()
        desk.rescore([s.code for s in every], NOW)
        print(f"all of them again when all were heard, written: {time.perf_counter() - begun:.2f} s")
        codes = [s.code for s in every]
        now, written = NOW, 0
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(round(seconds / TICK_S)):
            now += round(TICK_S * 1000)
            touched = [codes[i] for i in rng.integers(0, SOURCES, round(RATE * TICK_S))]
            for code in touched:
                if code in alarms:
                    del alarms[code]
                else:
                    level = Level(int(rng.choice([-2, -1, 1, 2])))
                    second = now if level.severity > 1 else None
                    alarms[code] = [ActiveAlarm("P", "液位", "G0001", level, "other", now, second, acknowledged=False)]
            written += len(desk.rescore(touched, now))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(
            f"{RATE} transitions/s for {seconds:g} s: {cpu:.2f} CPU s = {100 * cpu / seconds:.1f} % of a core "
            f"({wall:.2f} s wall, {written:,} grades written, {len(desk.restless()):,} sources restless)"
        )
        tick = time.process_time()
        desk.rescore(desk.restless(), now + 30_000)
        print(f"half-minute tick over the restless: {time.process_time() - tick:.2f} CPU s, every 30 s")
        for name, anew in (("full re-score, time has passed", False), ("full re-score, inputs collected anew", True)):
            times = []
            for k in range(3):
                begun = time.perf_counter()
                desk.rescore(codes, now + 31_000 + k, look=anew)
                times.append(time.perf_counter() - begun)
            print(f"{name}: {min(times):.2f} s (worst of three {max(times):.2f} s)")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
