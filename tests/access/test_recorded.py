from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hazwatch.access.recorded import RecordedAdapter
from hazwatch.access.recordings import TEP_COLUMNS, load
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.quality import Quality

TEP = Path(__file__).parents[2].parent / "shared" / "data" / "tep"
T0 = 1_795_000_000_000


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_long_csv_with_bad_rows(tmp_path: Any, link: Any) -> None:
    path = write(
        tmp_path / "a.csv",
        "point,ts,value,quality\n"
        f"LT,{T0},1.5,0\n"
        "LT,2026-11-23 15:00:00,2.5,\n"
        f"TT,{T0},3,0\n"
        "LT,gestern,1,0\n"
        f"LT,{T0},abc,0\n"
        f"LT,{T0}\n"
        f"LT,{T0 - 1000},NaN,0\n"
        f"LT,{T0},1,99\n",
    )
    recording = load(path, link(["LT"], "recorded"), 0, 1)
    assert recording.batch.ts.tolist() == sorted(recording.batch.ts.tolist())
    assert math.isnan(recording.batch.value[0])
    assert recording.batch.quality.tolist() == [Quality.NOT_A_NUMBER, 0, 0]
    assert [(str(reason), count) for reason, _, count in recording.faults] == [
        ("unknown_point", 1),
        ("bad_time", 1),
        ("wrong_type", 2),
        ("truncated", 1),
    ]
    assert "第 6、9 行" in recording.faults[2][1]


def test_wide_csv(tmp_path: Any, link: Any) -> None:
    path = write(tmp_path / "w.csv", "﻿时间,LT,TT,fremd\n2026-11-23T07:00:00Z,1,2,3\n2026-11-23T07:00:01Z,,x,3\n")
    recording = load(path, link(["LT", "TT"], "recorded"), 0, 1)
    assert recording.batch.point.tolist() == [0, 1, 0]
    assert recording.batch.quality.tolist() == [0, 0, Quality.NOT_A_NUMBER]
    assert [str(r) for r, _, _ in recording.faults] == ["unknown_point", "wrong_type"]


def test_parquet(tmp_path: Any, link: Any) -> None:
    table = pa.table(
        {"point": ["LT", "LT"], "ts": pa.array([T0, T0 + 1], pa.timestamp("ms", "UTC")), "value": [1.0, None]}
    )
    pq.write_table(table, tmp_path / "p.parquet")
    recording = load(tmp_path / "p.parquet", link(["LT"], "recorded"), 0, 1)
    assert recording.batch.ts.tolist() == [T0, T0 + 1]
    assert recording.batch.quality.tolist() == [0, Quality.NOT_A_NUMBER]


@pytest.mark.parametrize("transposed", [False, True])
def test_tennessee_eastman_text(tmp_path: Any, link: Any, transposed: bool) -> None:
    matrix = np.arange(100 * 52, dtype=float).reshape(100, 52)
    np.savetxt(tmp_path / "d.dat", matrix.T if transposed else matrix, fmt="%.7e")
    recording = load(tmp_path / "d.dat", link(TEP_COLUMNS, "recorded"), T0, 180_000)
    batch = recording.batch
    assert len(batch) == 5200
    assert batch.value[batch.point == 3].tolist() == matrix[:, 3].tolist()
    assert batch.ts[batch.point == 3][1] == T0 + 180_000


@pytest.mark.skipif(not TEP.exists(), reason="shared Tennessee Eastman data are not on this machine")
@pytest.mark.parametrize(("name", "rows"), [("d00.dat", 500), ("d06_te.dat", 960)])
def test_the_published_runs(link: Any, name: str, rows: int) -> None:
    batch = load(TEP / name, link(TEP_COLUMNS, "recorded"), T0, 180_000).batch
    assert len(batch) == rows * 52
    reactor_pressure = batch.value[batch.point == 6]  # XMEAS(7), kPa gauge, 2705 in the base case
    assert 2600 < reactor_pressure[0] < 2800


def test_other_files_are_no_recordings(tmp_path: Any, link: Any) -> None:
    for name, text in (("a.csv", "a,b\n1,2\n"), ("b.dat", "1 2 3\n"), ("c.dat", ""), ("d.csv", "")):
        with pytest.raises(ValueError, match=r"记录|列"):
            load(write(tmp_path / name, text), link(["LT"], "recorded"), 0, 1)


async def test_plays_shifted_to_now_and_faster(
    tmp_path: Any, link: Any, intake: Any, board: Any, clock: Any, running: Any, eventually: Any
) -> None:
    rows = "".join(f"LT,{T0 + i * 1000},{i}\n" for i in range(60))
    path = write(tmp_path / "a.csv", "point,ts,value\n" + rows)
    config = link(["LT"], "recorded", address=str(path), options={"speed": "100"})
    began = clock()
    async with running(RecordedAdapter(config, intake, board, clock)):
        await eventually(lambda: len(intake.samples()) == 60)
    took = clock() - began
    assert 500 < took < 2000  # 59 s at 100×
    ts = intake.samples(Lane.LIVE).ts
    assert began - 50 <= ts[0] <= ts[-1] <= clock() + 50
    assert 1 < len(intake.frames) < 60


async def test_plays_history_with_its_own_times_in_the_background(
    tmp_path: Any, link: Any, intake: Any, board: Any, clock: Any, running: Any, eventually: Any
) -> None:
    path = write(tmp_path / "a.csv", f"point,ts,value\nLT,{T0},1\nLT,bad,1\nLT,{T0 + 3_600_000},2\n")
    config = link(["LT"], "recorded", address=str(path), options={"speed": "0", "start": "original"})
    intake.closed = True
    async with running(RecordedAdapter(config, intake, board, clock)):
        await eventually(lambda: intake.submitted)
        intake.closed = False  # the log was away: nothing of the file is lost
        await eventually(lambda: len(intake.samples(Lane.BACKGROUND)) == 2)
    assert intake.samples().ts.tolist() == [T0, T0 + 3_600_000]
    assert intake.reasons() == ["bad_time"]
