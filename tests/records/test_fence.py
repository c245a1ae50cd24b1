"""Fences: who was replaced writes nothing more, also when it does not know yet."""

from __future__ import annotations

import threading

import pytest

from hazwatch.records import Sessions, make_sessions, reading, unit_of_work
from hazwatch.records.fence import FencedError, guard, raise_fence
from hazwatch.registry.tables import Counter


def owner(records: Sessions, token: int, name: str = "share.1") -> Sessions:
    raise_fence(records, name, token)
    return make_sessions(records.kw["bind"], guard=guard(name, token))


def write(sessions: Sessions, name: str) -> None:
    with unit_of_work(sessions) as session:
        session.add(Counter(name=name, next=1))


def written(records: Sessions) -> set[str]:
    with reading(records) as session:
        return {row.name for row in session.query(Counter) if row.name.startswith("by")}


def test_the_former_owner_is_refused(records: Sessions) -> None:
    first = owner(records, 3)
    write(first, "by first")
    second = owner(records, 7)
    with pytest.raises(FencedError, match="3"):
        write(first, "by first again")
    write(second, "by second")
    assert written(records) == {"by first", "by second"}


def test_a_token_that_comes_late_takes_nothing_over(records: Sessions) -> None:
    owner(records, 7)
    with pytest.raises(FencedError):
        raise_fence(records, "share.1", 3)


def test_other_shares_are_not_touched(records: Sessions) -> None:
    one = owner(records, 3)
    owner(records, 9, "share.2")
    write(one, "by one")
    assert written(records) == {"by one"}


def test_taking_over_waits_for_a_unit_that_has_begun(records: Sessions) -> None:
    """Either the whole unit of the former owner stands, or nothing of it; and it stands before the new owner reads."""
    first = owner(records, 3)
    done = threading.Event()

    def take_over() -> None:
        raise_fence(records, "share.1", 4)
        done.set()

    with unit_of_work(first) as session:
        session.add(Counter(name="by first", next=1))
        session.flush()
        thread = threading.Thread(target=take_over)
        thread.start()
        assert not done.wait(0.3), "it waits"
    thread.join(10)
    assert done.is_set()
    assert written(records) == {"by first"}
