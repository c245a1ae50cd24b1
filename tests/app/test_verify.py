"""``hazwatch alarms verify``: a file that was exported is known by its checksum, a changed one is found out."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hazwatch.alarms import export
from hazwatch.alarms.listing import AlarmFilter
from hazwatch.app.prepare import prepare
from hazwatch.cli import app
from hazwatch.identity.model import SYSTEM
from hazwatch.records import unit_of_work
from hazwatch.settings import Settings


def test_an_exported_file_is_recognised_until_a_byte_of_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", simulator=False)
    sessions = prepare(settings, lambda _: None)
    file = tmp_path / "alarms.csv"
    with unit_of_work(sessions) as session:
        made = export.make(sessions, SYSTEM, AlarmFilter(), "csv")
        export.keep(session, SYSTEM, made, "csv", AlarmFilter(), 1_795_417_200_000)
        file.write_bytes(b"".join(made.parts()))
    monkeypatch.setenv("HAZWATCH_HOME", str(settings.home))
    monkeypatch.chdir(tmp_path)
    good = CliRunner().invoke(app, ["alarms", "verify", str(file)])
    assert (good.exit_code, "一致" in good.output) == (0, True), good.output
    file.write_bytes(file.read_bytes() + b"\n")
    bad = CliRunner().invoke(app, ["alarms", "verify", str(file)])
    assert (bad.exit_code, "被改动" in bad.output) == (1, True), bad.output
