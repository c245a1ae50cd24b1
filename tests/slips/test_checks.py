"""The check of the chains as people run it: its progress, what it says of each slip, and who may see what."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from tests.alarms.support import scratch
from tests.slips.support import Office, warning
from tests.web.support import JIA, YI, Site, build

from hazwatch.identity.model import Role
from hazwatch.records import unit_of_work
from hazwatch.slips import checks

VERIFY = "/api/v1/slips/verify"


@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    class Now:
        """The thread of a check, done at once."""

        def __init__(self, target, args, **_: object) -> None:
            self.start = lambda: target(*args)

    monkeypatch.setattr(checks.threading, "Thread", Now)
    with scratch() as sessions:
        made = build(sessions, tmp_path)
        office = Office(sessions, made.clock)
        for number, code in ((1, JIA), (2, YI)):
            office.raise_(warning(number, path=made.places.path(code)))
        yield made


def behind_its_back(site: Site, statement: str) -> None:
    with unit_of_work(site.sessions) as session:
        session.execute(text(statement))


def results(client, **asked: str) -> dict[str, str]:
    return {item["id"]: item["result"] for item in client.get(f"{VERIFY}/slips", params=asked).json()["items"]}


def test_an_edited_step_is_named_with_its_slip_and_only_to_its_own(site: Site) -> None:
    engineer = site.client(Role.ENGINEER)
    assert engineer.get(VERIFY).json() == {"current": None, "last": None, "may_run": True}
    assert set(results(engineer).values()) == {"unchecked"}
    assert engineer.post(VERIFY).status_code == 200
    last = engineer.get(VERIFY).json()["last"]
    assert (last["state"], last["findings"], last["done"], last["audit_ok"]) == ("done", 0, last["total"], True)
    assert set(results(engineer).values()) == {"whole"}

    behind_its_back(site, "UPDATE slip_step SET at = at + 60000 WHERE slip = 'BG20261123000001'")
    engineer.post(VERIFY)
    assert results(engineer) == {"BG20261123000001": "wrong", "BG20261123000002": "whole"}
    wrong = engineer.get(f"{VERIFY}/slips", params={"show": "wrong"}).json()
    assert "第 1 步" in wrong["items"][0]["findings"][0]["text"]
    assert results(site.client(Role.ENGINEER, JIA), show="wrong") == {"BG20261123000001": "wrong"}
    assert results(site.client(Role.ENGINEER, YI), show="wrong") == {}
    sheet = load_workbook(BytesIO(engineer.get(f"{VERIFY}/export.xlsx").content)).active
    assert [row[6] for row in sheet.iter_rows(min_row=2, values_only=True)] == ["完整", "不符"]


def test_a_slip_that_was_deleted_is_still_on_the_list(site: Site) -> None:
    behind_its_back(site, "DELETE FROM slip WHERE id = 'BG20261123000002'")
    engineer = site.client(Role.ENGINEER)
    engineer.post(VERIFY)
    assert results(engineer, show="wrong") == {"BG20261123000002": "wrong"}
    assert results(site.client(Role.ENGINEER, YI), show="wrong") == {"BG20261123000002": "wrong"}


def test_who_may_not_run_it_or_see_it(site: Site) -> None:
    assert site.client(Role.OPERATOR).get(VERIFY).status_code == 403
    below = site.client(Role.ENGINEER, JIA)
    assert below.post(VERIFY).status_code == 403
    site.client(Role.ENGINEER).post(VERIFY)
    shown = below.get(VERIFY).json()
    assert (shown["may_run"], shown["last"]["findings"], shown["last"]["audit_length"]) == (False, None, None)


def test_one_at_a_time_until_it_died(site: Site, monkeypatch) -> None:
    monkeypatch.setattr(checks, "run", lambda *_: None)
    engineer = site.client(Role.ENGINEER)
    assert engineer.post(VERIFY).json()["state"] == "running"
    assert engineer.post(VERIFY).status_code == 409
    site.clock.now += checks.SILENT_MS
    assert engineer.get(VERIFY).json()["current"]["state"] == "failed"
    assert engineer.post(VERIFY).status_code == 200
