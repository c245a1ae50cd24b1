"""Writers of one process take turns, alarms first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from hazwatch.records import turns
from hazwatch.records.turns import Turns


def writer(queue: Turns, name: str, order: list[str], *, urgent: bool, hold_s: float = 0.0) -> threading.Thread:
    def write() -> None:
        with queue.turn(urgent=urgent, timeout_s=10):
            order.append(name)
            time.sleep(hold_s)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_an_alarm_goes_ahead_of_grades_that_wait() -> None:
    queue, order = Turns(), []
    with queue.turn(urgent=False, timeout_s=10):
        waiting = [writer(queue, f"grades {n}", order, urgent=False) for n in range(3)]
        time.sleep(0.05)
        waiting.append(writer(queue, "alarm", order, urgent=True))
        until(lambda: queue._urgent == 1)
    for thread in waiting:
        thread.join()
    assert order[0] == "alarm"
    assert len(order) == 4


def test_a_flood_of_alarms_does_not_stop_the_rest(monkeypatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.1)
    queue, order, over = Turns(), [], threading.Event()

    def flood() -> None:
        while not over.is_set():
            with queue.turn(urgent=True, timeout_s=10):
                order.append("alarm")
                time.sleep(0.002)

    alarms = [threading.Thread(target=flood) for _ in range(2)]
    for thread in alarms:
        thread.start()
    until(lambda: len(order) > 3)
    writer(queue, "grades", order, urgent=False).join()
    over.set()
    for thread in alarms:
        thread.join()
    assert "grades" in order


def test_who_never_gets_the_turn_goes_on_and_takes_nobodys() -> None:
    queue = Turns()
    with queue.turn(urgent=False, timeout_s=10):
        with queue.turn(urgent=True, timeout_s=0.02):
            pass
        assert queue._busy
    assert not queue._busy


def test_a_writer_that_fails_gives_the_turn_back() -> None:
    queue = Turns()
    with pytest.raises(OSError, match="disk"), queue.turn(urgent=False, timeout_s=1):
        raise OSError("disk")
    with queue.turn(urgent=False, timeout_s=0):
        pass
