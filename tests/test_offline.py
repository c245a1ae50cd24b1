"""``hazwatch judge`` on files, through the command line: forms of input, refusals, and a history worked by hand."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hazwatch.cli import app

LIMITS = "point,ll,l,h,hh,deadband,on_delay_s,off_delay_s\nT1,1,2,8,9,0.5,2,3\nG1,,,25,50,1,0,0\n"
START = 1_795_417_200_000  # 2026-11-23T07:00:00Z


class Work:
    """A folder with files, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "alarms.csv"

    def judge(self, samples: str | bytes, limits: str | bytes = LIMITS, **options: object):
        for name, content in (("samples.csv", samples), ("limits.csv", limits)):
            data = content.encode() if isinstance(content, str) else content
            (self.folder / name).write_bytes(data)
        words = [w for k, v in options.items() for w in (f"--{k}", str(v))]
        files = [str(self.folder / "samples.csv"), "--limits", str(self.folder / "limits.csv"), "--out", str(self.out)]
        return CliRunner().invoke(app, ["judge", *files, *words])

    def rows(self, samples: str | bytes, limits: str | bytes = LIMITS, **options: object) -> list[list[str]]:
        """The alarm history without its header."""
        done = self.judge(samples, limits, **options)
        assert done.exit_code == 0, done.output
        with self.out.open(newline="") as file:
            header, *rows = csv.reader(file)
        assert header == ["point", "event_ts", "from", "to", "level", "value", "limit", "found_late"]
        return rows

    def rejected(self) -> list[tuple[str, str]]:
        with (self.folder / "alarms.rejected.csv").open(newline="") as file:
            return [(row["line"], row["reason"]) for row in csv.DictReader(file)]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def samples(*lines: tuple) -> str:
    """(point, seconds, value[, quality]) with times in epoch ms."""
    rows = [f"{s[0]},{START + int(s[1] * 1000)},{s[2]},{s[3] if len(s) > 3 else 0}" for s in lines]
    return "point,ts,value,quality\n" + "".join(row + "\n" for row in rows)


def test_worked_by_hand(work) -> None:
    """T1: 高 ≥ 8, 高高 ≥ 9, deadband 0.5, on after 2 s, off after 3 s.

    At 1 s 8.0 is at the limit: it counts, 高 is due at 3 s. At 4 s 9.2: 高高 due at 6 s. At 7 s 7.6: above 8 − 0.5, and
    below 9 − 0.5, so only 高高 leaves, due at 10 s. At 12 s 7.4: 高 leaves, due at 15 s. At 20 s 8.5 for one second
    only: nothing. G1 has no delays: it is at 高高 the moment it says so.
    """
    rows = work.rows(
        samples(
            ("T1", 0, 5), ("T1", 1, 8.0), ("T1", 4, 9.2), ("G1", 5, 50), ("T1", 7, 7.6), ("G1", 8, 49.5),
            ("G1", 9, 48.9), ("G1", 10, 10), ("T1", 12, 7.4), ("T1", 20, 8.5), ("T1", 21, 7.9), ("T1", 30, 5),
        )
    )  # fmt: skip
    at = {s: str(START + s * 1000) for s in (3, 5, 6, 9, 10, 15)}
    assert rows == [
        ["T1", at[3], "normal", "H", "H", "8.0", "8.0", "0"],
        ["G1", at[5], "normal", "HH", "HH", "50.0", "50.0", "0"],
        ["T1", at[6], "H", "HH", "HH", "9.2", "9.0", "0"],
        ["G1", at[9], "HH", "H", "HH", "48.9", "50.0", "0"],
        ["G1", at[10], "H", "normal", "H", "10.0", "25.0", "0"],
        ["T1", at[10], "HH", "H", "HH", "7.6", "9.0", "0"],
        ["T1", at[15], "H", "normal", "H", "7.4", "8.0", "0"],
    ]


def some_samples(seed: int) -> list[tuple]:
    rng = random.Random(seed)
    return [
        (
            rng.choice(["T1", "G1", "X9"]),
            k * 0.5,
            rng.choice([0.5, 1.8, 5, 8, 8.4, 9.3, 30, 60]),
            rng.choice([0, 0, 0, 3, 7]),
        )
        for k in range(200)
    ]


def test_the_bytes_do_not_depend_on_the_batch(work) -> None:
    text = samples(*some_samples(1))
    outputs = set()
    for batch in (1, 2, 7, 100, 10_000):
        work.rows(text, batch=batch)
        outputs.add(work.out.read_bytes())
    assert len(outputs) == 1
    assert outputs.pop().count(b"\n") > 20


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("batch", [1, 13, 10_000])
def test_shuffled_input_differs_in_found_late_only(work, seed, batch) -> None:
    lines = some_samples(seed)
    in_order = work.rows(samples(*lines))
    random.Random(seed).shuffle(lines)
    shuffled = work.rows(samples(*lines), batch=batch)
    assert [r[:-1] for r in shuffled] == [r[:-1] for r in in_order]
    assert all(r[-1] == "0" for r in in_order)
    assert any(r[-1] == "1" for r in shuffled)


FORMS = {
    "epoch ms": [str(START + 1000), str(START + 2000)],
    "Z": ["2026-11-23T07:00:01Z", "2026-11-23T07:00:02.000Z"],
    "offset": ["2026-11-23T15:00:01+08:00", "2026-11-23T15:00:02.000+0800"],
    "naive": ["2026-11-23T07:00:01", "2026-11-23 07:00:02"],  # no zone: UTC
    "micro": ["2026-11-23T07:00:01.000000Z", "2026-11-23T07:00:02.000999Z"],
    "mixed": [str(START + 1000), "2026-11-23T15:00:02+08:00"],
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_time(work, form) -> None:
    first, second = FORMS[form]
    rows = work.rows(f"point,ts,value,quality\nG1,{first},30,0\nG1,{second},5,0\n")
    iso = form != "epoch ms"
    wanted = ["2026-11-23T07:00:01.000Z", "2026-11-23T07:00:02.000Z"] if iso else [str(START + 1000), str(START + 2000)]
    assert [r[1] for r in rows] == wanted, "times are given back in the form of the input"
    assert not (work.folder / "alarms.rejected.csv").exists()


def test_limits_that_are_empty_are_none(work) -> None:
    limits = "point,ll,l,h,hh,deadband,on_delay_s,off_delay_s\nT1,,,8,,,,\n"
    rows = work.rows(samples(("T1", 1, -99), ("T1", 2, 8), ("T1", 3, 99), ("T1", 4, 7.9)), limits)
    assert [(r[2], r[3], r[6]) for r in rows] == [("normal", "H", "8.0"), ("H", "normal", "8.0")]


def test_columns_may_be_missing_or_in_another_order(work) -> None:
    rows = work.rows(f"value,TS,Point\n30,{START},G1\n", "h,point\n25,G1\n")
    assert rows == [["G1", str(START), "normal", "H", "H", "30.0", "25.0", "0"]]


def test_a_byte_order_mark_and_windows_line_ends(work) -> None:
    def windows(text: str) -> bytes:
        return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()

    assert len(work.rows(windows(samples(("G1", 1, 30))), windows(LIMITS))) == 1


def test_rows_that_cannot_be_used_are_kept_with_their_line(work) -> None:
    text = (
        "point,ts,value,quality\n"
        f"G1,{START},5,0\n"
        "G1,yesterday,5,0\n"  # 3
        f"G1,{START + 1000},five,0\n"  # 4
        f"G1,{START + 2000},5,9\n"  # 5
        f",{START + 3000},5,0\n"  # 6
        f"G1,{START + 4000},30,0\n"
        "G1,2026-13-45T00:00:00Z,5,0\n"  # 8
    )
    done = work.judge(text)
    assert done.exit_code == 0
    assert work.rejected() == [
        ("3", "bad_time"), ("8", "bad_time"), ("4", "wrong_type"), ("5", "malformed"), ("6", "unknown_point"),
    ]  # fmt: skip
    assert "5 行被拒收" in done.output
    assert len(work.rows(text)) == 1, "the good rows are judged"


@pytest.mark.parametrize("other", [str(START), "2026-11-23T07:00:00Z"])
def test_a_time_that_no_calendar_knows_is_refused(work, other) -> None:
    """One digit too many must neither end in a traceback nor move the clock of everything else."""
    rows = work.rows(
        f"point,ts,value,quality\nG1,{other},30,0\nG1,99999999999999999,60,0\nG1,-99999999999999999,60,0\n"
    )
    assert [r[3] for r in rows] == ["H"]
    assert work.rejected() == [("3", "bad_time"), ("4", "bad_time")]


def test_a_clean_run_leaves_no_old_list_of_refusals(work) -> None:
    work.rows("point,ts,value,quality\nG1,yesterday,5,0\n")
    assert work.rejected()
    work.rows(samples(("G1", 1, 5)))
    assert not (work.folder / "alarms.rejected.csv").exists()


@pytest.mark.parametrize("value", ["", "NaN", "nan", "inf", "-inf"])
def test_what_is_no_number_holds_the_state(work, value) -> None:
    rows = work.rows(samples(("G1", 1, 30), ("G1", 2, value), ("G1", 3, 30), ("G1", 4, 5)))
    assert [(r[1], r[3]) for r in rows] == [(str(START + 1000), "H"), (str(START + 4000), "normal")]


def test_bad_quality_holds_the_state(work) -> None:
    rows = work.rows(samples(("G1", 1, 30), ("G1", 2, 5, 3), ("G1", 3, 5, 7), ("G1", 4, 60, 1)))
    assert [(r[1], r[3]) for r in rows] == [(str(START + 1000), "H"), (str(START + 4000), "HH")]


def test_points_without_limits_never_alarm_and_are_counted(work) -> None:
    done = work.judge(samples(("A1", 1, 1e9), ("A2", 1, -1e9), ("G1", 1, 5)))
    assert done.exit_code == 0
    assert "2 个指标没有限值" in done.output
    assert work.rows(samples(("A1", 1, 1e9))) == []


@pytest.mark.parametrize("text", ["point,ts,value,quality\n", "point,ts,value,quality"])
def test_no_samples_are_an_empty_history(work, text) -> None:
    assert work.rows(text) == []
    assert work.out.read_bytes() == b"point,event_ts,from,to,level,value,limit,found_late\n"


def test_no_limits_at_all(work) -> None:
    assert work.rows(samples(("G1", 1, 30)), "point,ll,l,h,hh,deadband,on_delay_s,off_delay_s\n") == []


@pytest.mark.parametrize(
    ("text", "limits", "said"),
    [
        ("point,value\nG1,5\n", LIMITS, "缺少列 ts"),
        ("name,time\nG1,5\n", LIMITS, "缺少列 point,ts,value"),
        ("", LIMITS, "缺少列 point,ts,value"),
        (samples(("G1", 1, 5)), "h,hh\n1,2\n", "缺少列 point"),
        (samples(("G1", 1, 5)), "point,h\nG1,high\n", "第 2 行 h 列"),
        (samples(("G1", 1, 5)), "point,h\nG1,1\nG1,2\n", "第 3 行"),
        (samples(("G1", 1, 5)), "point,h,deadband\nG1,1,-1\n", "不能为负"),
        (samples(("G1", 1, 5)), "point,h,on_delay_s\nG1,1,-1\n", "不能为负"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_with_exit_code_2(work, text, limits, said) -> None:
    done = work.judge(text, limits)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
    assert not work.out.exists(), "nothing half done"


def test_a_file_that_is_not_there(tmp_path) -> None:
    done = CliRunner().invoke(
        app, ["judge", str(tmp_path / "no.csv"), "--limits", "no2.csv", "--out", str(tmp_path / "o")]
    )
    assert done.exit_code == 2
    assert "no2.csv" in done.output


@pytest.mark.parametrize("batch", [0, -5])
def test_a_batch_of_nothing_is_refused(work, batch) -> None:
    assert work.judge(samples(("G1", 1, 5)), batch=batch).exit_code == 2


def test_a_latecomer_beyond_memory_is_judged_from_the_file(work) -> None:
    """Six thousand newer samples stand before it."""
    lines = [("G1", 10 + k * 0.01, 5) for k in range(6000)]
    rows = work.rows(samples(*lines, ("G1", 1, 60)), batch=500)
    assert [(r[1], r[3], r[7]) for r in rows] == [
        (str(START + 1000), "HH", "1"), (str(START + 10_000), "normal", "1"),
    ]  # fmt: skip
