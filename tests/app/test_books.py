"""Balances of a node's tanks: only of those whose density was declared, and the verdict reaches the right term."""

from __future__ import annotations

import numpy as np

from hazwatch.app.books import Books
from hazwatch.app.sites import Holder, Site, Tank, neighbours
from hazwatch.risk.balance import Vessel
from hazwatch.risk.declared import Declared, check
from hazwatch.risk.features import SERVICES

SOURCE, TANK = "410900901001", "410900901001G0001"
DECLARED = Declared(
    1, SOURCE, "tank_balance", check("tank_balance", {"equipment": TANK, "density": 800}), 0, 10**15, "/p/"
)


def site() -> Site:
    one = Site(SERVICES["tank-farm"])
    one.tanks[TANK] = Tank(16.0, 12.0, sphere=False, level=[0], metres=[1.0], temperature=[1], inflow=[2], outflow=[3])
    return one


def play(books: Books, leak: float, hours: float = 3.0) -> set[str]:
    rng, level, area = np.random.default_rng(1), 8.0, np.pi * 64
    moved = set()
    for k in range(round(hours * 720)):
        level -= (60 + leak) / 720 / area
        values = [level + 0.0015 * rng.standard_normal(), 20.0, 0.0, 60.0]
        moved |= books.look(5000 * k, {SOURCE: site()}, values.__getitem__)
    return moved


def test_nothing_is_balanced_before_the_density_is_declared() -> None:
    books = Books()
    books.know([], {SOURCE: site()})
    assert play(books, 3.0, 1.0) == set()


def test_a_leak_reaches_the_balance_term_and_a_closed_tank_nothing() -> None:
    for leak, found in ((3.0, True), (0.0, False)):
        books = Books()
        books.know([DECLARED], {SOURCE: site()})
        assert play(books, leak) == {SOURCE}
        live = books.live(SOURCE)
        assert ("balance" in live) == found
        if found:
            assert live["balance"][0] >= 1
            assert "疑似泄漏" in live["balance"][1]


def test_a_flow_outside_every_order_is_a_transfer_without_one() -> None:
    books = Books()
    other = Declared(2, SOURCE, "transfer_order", {"equipment": TANK}, 10**14, 10**15, "/p/")
    books.know([DECLARED, other], {SOURCE: site()})
    play(books, 0.0, 1.0)
    assert books.live(SOURCE)["no_order"][0] == 1


def test_books_go_on_when_other_records_change() -> None:
    books = Books()
    books.know([DECLARED], {SOURCE: site()})
    play(books, 3.0)
    books.know([DECLARED, Declared(3, SOURCE, "commitment", {"state": "ok"}, 0, 10**15, "/p/")], {SOURCE: site()})
    assert "balance" in books.live(SOURCE)
    books.know([], {SOURCE: site()})
    assert books.live(SOURCE) == {}


def known_liquid() -> Site:
    one = site()
    one.holders[TANK] = Holder("储罐", 1000.0, liquid=(800.0, 0.0012), expands=True)
    return one


def derived(record: list[Declared], leak: float, hours: float = 3.0) -> Books:
    """The same tank, known by the knowledge base."""
    books, one = Books(), known_liquid()
    books.know(record, {SOURCE: one})
    rng, level, area = np.random.default_rng(1), 8.0, np.pi * 64
    for k in range(round(hours * 360)):
        level -= (60 + leak) / 360 / area
        values = [level + 0.0015 * rng.standard_normal(), 20.0, 0.0, 60.0]
        books.look(10_000 * k, {SOURCE: one}, values.__getitem__)
    return books


def test_a_tank_whose_liquid_is_known_is_balanced_without_a_declaration() -> None:
    assert "疑似泄漏" in derived([], 3.0).live(SOURCE)["balance"][1]
    assert derived([], 0.0).live(SOURCE) == {}


def test_what_is_declared_goes_before_what_is_known() -> None:
    assert derived([DECLARED], 3.0)._books[TANK].vessel.level_sd == Vessel(800).level_sd
    assert derived([], 3.0)._books[TANK].vessel.level_sd > Vessel(800).level_sd


def test_a_liquid_whose_expansion_nobody_knows_is_not_balanced_by_itself() -> None:
    one = known_liquid()
    one.holders[TANK].expands = False
    books = Books()
    books.know([], {SOURCE: one})
    assert books._books == {}


def test_orders_of_another_enterprise_say_nothing_about_this_one() -> None:
    books = Books()
    other = Declared(2, "410900902001", "transfer_order", {"equipment": "410900902001G0001"}, 10**14, 10**15, "/p/")
    books.know([DECLARED, other], {SOURCE: site()})
    play(books, 0.0, 1.0)
    assert "no_order" not in books.live(SOURCE)


def test_neighbours_lie_within_the_ring() -> None:
    """0.001° of latitude are 111 m, of longitude 91 m there."""
    sites = {str(n): Site(SERVICES["warehouse"], 115.0, 35.0 + 0.001 * n) for n in range(10)}
    near = neighbours(sites, 250.0)
    assert near["0"] == ["1", "2"]
    assert near["5"] == ["3", "4", "6", "7"]
    east = {str(n): Site(SERVICES["warehouse"], 115.0 + 0.001 * n, 35.0) for n in range(10)}
    assert neighbours(east, 185.0)["0"] == ["1", "2"]
    assert neighbours(sites | {"x": Site(SERVICES["warehouse"])}, 250.0).get("x") is None
