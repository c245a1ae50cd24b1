"""Beginning with a new log after the old one was lost: what is said of alarms stays, what was read is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.app.engines import enterprises, seeded
from tests.stream.support import facts, limits

from hazwatch.alarms.model import Transition
from hazwatch.alarms.service import AlarmDesk
from hazwatch.app.run import AlreadyRunningError, lock_home
from hazwatch.app.shared_log import forget_log, share_lines
from hazwatch.history.offsets import OffsetFile, OffsetRow, Place
from hazwatch.records.fence import FencedError, raise_fence
from hazwatch.settings import Settings
from hazwatch.stream import state
from hazwatch.vocabulary.levels import Level


def test_a_new_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, simulator=False)
    sessions = seeded(settings, enterprises(1))
    desk = AlarmDesk(sessions, facts)
    desk.apply([Transition(0, 1_000, 1_000, Level.NORMAL, Level.H, 8.5, 8.0, 1)], (900, 0))
    for offsets in (OffsetFile(tmp_path / "history.offset"), OffsetRow(sessions, "history.2")):
        offsets.intend(Place(900, 0))
        offsets.finish()
    kept = state.StreamState.fresh()
    kept.limits, kept.place = limits(1), Place(900, 0)
    kept.grow(1)
    state.save(kept, tmp_path / "snapshots")
    raise_fence(sessions, "share.2", 5_000)

    forget_log(settings)

    again = AlarmDesk(sessions, facts)
    assert (again.offset, len(list(again.open))) == ((0, 0), 1)
    assert OffsetFile(tmp_path / "history.offset").done == OffsetRow(sessions, "history.2").done == Place()
    assert state.load(tmp_path / "snapshots").place == Place()
    raise_fence(sessions, "share.2", 1)
    with pytest.raises(FencedError):
        raise_fence(sessions, "share.2", 0)


def test_not_under_a_running_node(tmp_path: Path) -> None:
    handle = lock_home(tmp_path)
    assert handle
    with pytest.raises(AlreadyRunningError):
        forget_log(Settings(home=tmp_path))


def test_without_shares_one_engine_has_all(tmp_path: Path) -> None:
    assert "一个引擎" in share_lines(Settings(home=tmp_path))[0]


def test_shares_need_what_machines_can_share(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="history_url"):
        Settings(home=tmp_path, shares=2, log_url="nats://a:1", records_url="postgresql://a/b")


@pytest.mark.parametrize("wrong", ["engine,acces", "web;engine"])
def test_an_unknown_process_is_named(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="processes"):
        Settings(home=tmp_path, processes=wrong)
