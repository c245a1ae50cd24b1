"""``hazwatch verify`` as its user runs it: words and exit code."""

from __future__ import annotations

import sqlite3

import orjson
from tests.slips.support import OWNER, Office, to_answered, warning
from typer.testing import CliRunner

from hazwatch.cli import app
from hazwatch.records import make_engine, make_sessions, migrate
from hazwatch.settings import Settings


def test_an_edit_is_named_and_the_exit_code_says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HAZWATCH_HOME", str(tmp_path))
    url = Settings(home=tmp_path).records
    migrate(url)
    engine = make_engine(url)
    office = Office(make_sessions(engine))
    to_answered(office, office.raise_(warning()))
    engine.dispose()
    told = CliRunner().invoke(app, ["verify"])
    assert told.exit_code == 0, told.output
    assert "1 张、5 步" in told.output

    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        database.execute("update slip_step set detail = replace(detail, '72', '99') where action = 'feedback'")
    told = CliRunner().invoke(app, ["verify"])
    assert told.exit_code == 1
    assert "BG20261123000001:第 5 步“反馈”" in told.output
    assert OWNER.username in told.output
    found = orjson.loads(CliRunner().invoke(app, ["verify", "--json"]).stdout)
    assert (found["ok"], found["audit"]["broken_at"], found["slips"]["findings"][0]["number"]) == (False, None, 5)
