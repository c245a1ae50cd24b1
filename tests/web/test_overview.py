"""The state of everything at once: whole at first, then only what changed, and never what lies outside the scope."""

from __future__ import annotations

import numpy as np
import pytest
from tests.web.support import JIA, JIA_POINT, YI_POINT

from hazwatch.stream import packed
from hazwatch.web.overview import ROW, SOURCE_ROW, Overview


@pytest.fixture
def overview(site) -> Overview:
    return Overview(site.mirror, site.places)


def value(site, code: str, number: float, level: int = 0) -> None:
    row = np.zeros(1, packed.VALUE)
    row["point"], row["value"], row["level"] = site.index(code), number, level
    row["ts"] = row["received"] = site.clock.now
    site.mirror.take_values(row)
    site.clock.now += 300


def test_first_the_whole_then_what_changed(site, overview) -> None:
    value(site, JIA_POINT, 4.0)
    first = overview.part("/", "")
    assert first.whole
    assert len(first.points) == site.places.size
    assert len(first.sources) == len(site.places.sources)
    site.clock.now += 300
    assert len(overview.part("/", first.version).points) == 0, "nothing happened"
    value(site, JIA_POINT, 4.0)
    assert len(overview.part("/", first.version).points) == 0, "the same value is no change"
    value(site, JIA_POINT, 9.5, level=2)
    part = overview.part("/", first.version)
    assert not part.whole
    assert [(r["point"], r["value"], r["level"], r["state"]) for r in part.points] == [
        (site.index(JIA_POINT), 9.5, 2, 0)
    ]


def test_a_value_grows_old_without_anybody_saying_so(site, overview) -> None:
    value(site, JIA_POINT, 4.0)
    first = overview.part("/", "")
    site.clock.now += 3_600_000
    part = overview.part("/", first.version)
    assert {int(r["state"]) for r in part.points if r["point"] == site.index(JIA_POINT)} == {2}


def test_a_version_of_another_life_means_everything(overview) -> None:
    overview.part("/", "")
    assert overview.part("/", "deadbeef-7").whole
    assert overview.part("/", "rubbish").whole


def test_a_scope_sees_its_own_only(site, overview) -> None:
    scope = site.places.path(JIA)
    part, listing = overview.part(scope, ""), overview.listing(scope)
    assert site.index(YI_POINT) not in part.points["point"]
    assert site.index(JIA_POINT) in part.points["point"]
    assert all(code.startswith(JIA) for code in listing["code"])
    assert sorted(listing["points"]) == sorted(part.points["point"].tolist())


def test_over_http(site) -> None:
    """Two counts, then rows of 12 bytes; the version of the answer leads to the next."""
    value(site, JIA_POINT, 4.0)
    client = site.client()
    assert client.get("/api/v1/overview/sources").json()["code"]
    answer = client.get("/api/v1/overview/state")
    sources, points = np.frombuffer(answer.content[:8], "<u4").tolist()
    assert len(answer.content) == 8 + 12 * (sources + points)
    assert (ROW.itemsize, SOURCE_ROW.itemsize, answer.headers["X-Overview-Whole"]) == (12, 12, "1")
    again = client.get("/api/v1/overview/state", params={"since": answer.headers["X-Overview-Version"]})
    assert np.frombuffer(again.content[:8], "<u4").tolist() == [0, 0]
