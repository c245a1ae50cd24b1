"""Writers of slips at the same moment, each on a connection of its own: nobody waits for ever, nothing is half done."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.slips.support import CITY, KEEPER, OWNER, Office, warning

from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.slips.model import Action, State
from hazwatch.slips.verify import verify_slips
from hazwatch.vocabulary.colours import Colour

#: How often two people do it at the same moment.
TIMES = 12


@pytest.fixture
def office(records: Sessions) -> Office:
    return Office(records)


def at_once(*deeds) -> list[int]:
    """Begin deeds together; of each the status: 200, or that of its refusal. Anything else is raised."""
    gate = threading.Barrier(len(deeds))

    def run(deed) -> int:
        gate.wait(10)
        try:
            deed()
        except ApiError as error:
            return error.status
        return 200

    with ThreadPoolExecutor(len(deeds)) as pool:
        return [done.result(30) for done in [pool.submit(run, deed) for deed in deeds]]


def merges(office: Office, who: Principal, slip: str, into: str):
    version = office.slip(slip).steps
    return lambda: office.desk.do(who, slip, Action.MERGE, version, {"into": into, "reason": "同因"})


def whole(office: Office) -> bool:
    with reading(office.sessions) as session:
        return verify_slips(session).ok


def test_two_slips_merged_into_each_other_at_the_same_moment(office: Office) -> None:
    for number in range(TIMES):
        one, two = (office.raise_(warning(2 * number + n)) for n in (1, 2))
        statuses = at_once(merges(office, KEEPER, one, two), merges(office, KEEPER, two, one))
        assert min(statuses) == 200, statuses
        assert max(statuses) in {409, 422}, statuses
        states = {office.slip(s).state for s in (one, two)}
        assert State.MERGED in states
        assert len(states) == 2, "one goes on"
    assert whole(office)


def test_people_and_a_batch_of_warnings_take_the_same_slips_in_other_orders(office: Office) -> None:
    facts = [warning(number) for number in range(1, 5)]
    slips = [office.raise_(one) for one in facts]
    for turn in range(TIMES):
        colour = (Colour.ORANGE, Colour.YELLOW)[turn % 2]

        def batch(colour: Colour = colour) -> None:
            with unit_of_work(office.sessions) as session:
                for one in facts:
                    office.desk.changed(session, warning(int(one.id[-6:]), colour), one.colour)

        def person(slip: str, who: Principal):
            version = office.slip(slip).steps
            return lambda: office.desk.do(who, slip, Action.SUPERVISE, version, {"text": "请抓紧"})

        statuses = at_once(batch, person(slips[3], CITY), person(slips[0], KEEPER))
        assert set(statuses) <= {200, 409}, statuses
    assert whole(office)
    office.does(OWNER, slips[0], Action.DELIVER)
