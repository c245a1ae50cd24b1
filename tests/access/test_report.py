"""Which link reports are told in which second."""

from __future__ import annotations

from tests.links import make_link

from hazwatch.access.port import LinkStatus
from hazwatch.access.report import Reporter, Turns

NOW = 1_795_417_200_000


def test_of_thousands_of_links_a_tenth_is_told_at_a_time_and_a_change_of_state_at_once() -> None:
    links = {f"{n:011d}": make_link([], "national", code=f"{n:011d}") for n in range(1000)}
    reporter, turns = Reporter(), Turns()
    statuses = {code: LinkStatus(code, connected=True, last_data_at=NOW) for code in links}
    told, whole = turns.next(reporter.reports(links, statuses, NOW))
    assert whole
    assert len(told) == 1000
    heard = set()
    for second in range(1, 11):
        if second == 3:
            statuses["00000000007"].connected = False
        told, whole = turns.next(reporter.reports(links, statuses, NOW + second * 1000))
        assert not whole
        assert 100 <= len(told) <= 101
        heard |= {report.code for report in told}
        assert second != 3 or "00000000007" in {report.code for report in told}
    assert len(heard) == 1000
