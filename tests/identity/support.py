"""A small tree and a desk with a clock that the test turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hazwatch.identity import errors
from hazwatch.identity.api import router
from hazwatch.identity.deps import Gate
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import ROOT, SYSTEM, NodeKind, Principal, Role
from hazwatch.identity.passwords import Passwords
from hazwatch.identity.tree import NodeRow, place
from hazwatch.records import Sessions, unit_of_work

NOON = 1_795_417_200_000

TREE = [
    NodeRow("410000", "河南省", NodeKind.PROVINCE, None, 113.6, 33.9),
    NodeRow("410900", "濮阳市", NodeKind.CITY, "410000", 115.2, 35.7),
    NodeRow("410902", "华龙区", NodeKind.COUNTY, "410900"),
    NodeRow("410500", "安阳市", NodeKind.CITY, "410000"),
    NodeRow("P4109001", "示范化工园区", NodeKind.PARK, "410900"),
    NodeRow("410902001", "甲企业", NodeKind.ENTERPRISE, "P4109001"),
    NodeRow("410902002", "乙企业", NodeKind.ENTERPRISE, "410902"),
]

PROVINCE = "/410000/"
CITY = "/410000/410900/"
PARK = "/410000/410900/P4109001/"
WORKS = "/410000/410900/P4109001/410902001/"


@dataclass
class FakeClock:
    """Epoch ms that stand still until the test moves them."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now


@dataclass
class Town:
    """A desk on a database with the small tree."""

    desk: Desk
    clock: FakeClock
    paths: dict[str, str] = field(default_factory=dict)

    def admin(self, code: str = "410000", username: str = "boss") -> Principal:
        return Principal(username, "管", Role.ADMIN, self.paths[code], code)

    def client(self, address: str = "testclient") -> TestClient:
        app = FastAPI()
        errors.install(app)
        system = {"simulated": True, "version": "0", "zone": "Asia/Shanghai"}
        app.include_router(router(self.desk, Gate(self.desk), lambda: system))
        return TestClient(app, base_url="http://node.test", client=(address, 50_000))


#: The cheapest Argon2 there is: tests are about rules, not about cost.
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def town(records: Sessions, home: Path) -> Town:
    clock = FakeClock()
    with unit_of_work(records) as session:
        paths = place(session, TREE)
    return Town(Desk(records, clock, home, passwords=CHEAP), clock, paths)


__all__ = ["CITY", "PARK", "PROVINCE", "ROOT", "SYSTEM", "TREE", "WORKS", "FakeClock", "Town", "town"]
