"""The whole application on a real records database, with a log and an engine that are played."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.alarms.support import moved
from tests.identity.support import CHEAP, FakeClock
from tests.registry.support import SMALL, office

from hazwatch.access import dead_letters
from hazwatch.alarms.facts import PointFacts
from hazwatch.alarms.service import AlarmDesk
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.tokens import create_token
from hazwatch.log.client import RpcError
from hazwatch.records import Sessions, reading
from hazwatch.registry import facts as registry_facts
from hazwatch.registry import service as registry
from hazwatch.settings import Settings
from hazwatch.stream import packed
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.web.application import Parts, create_app
from hazwatch.web.engines import Engines
from hazwatch.web.hub import Hub
from hazwatch.web.mirror import Mirror
from hazwatch.web.places import Places

NOON = 1_795_417_200_000
JIA, YI = "410902001", "410502001"
JIA_POINT, YI_POINT = "410902001001G0001YW001", "410502001001S0001WD001"
DOCS = Path(__file__).parents[2] / "docs"


class FakeLog:
    """Answers as engine and simulator would; keeps what is told to whom."""

    def __init__(self) -> None:
        self.connected = True
        self.away: set[str] = set()
        self.answers: dict[str, Callable[[bytes], bytes]] = {}
        self.listeners: dict[str, Callable[[bytes], Awaitable[None]]] = {}
        self.asked: list[tuple[str, Any]] = []

    async def ask(self, subject: str, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
        del timeout_s
        if subject in self.away or subject not in self.answers:
            raise RpcError("away", "没有应答")
        self.asked.append((subject, orjson.loads(data) if data else None))
        return self.answers[subject](data)

    async def listen(self, subject: str, callback: Callable[[bytes], Awaitable[None]]) -> None:
        self.listeners[subject] = callback

    async def tell(self, subject: str, data: bytes) -> None:
        await self.listeners[subject](data)


@dataclass
class Site:
    """The application and what stands behind it."""

    app: FastAPI
    log: FakeLog
    hub: Hub
    mirror: Mirror
    places: Places
    desk: Desk
    alarms: AlarmDesk
    sessions: Sessions
    clock: FakeClock
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def client(
        self, role: Role | None = Role.ADMIN, scope: str = "410000", address: str = "198.51.100.7", name: str = ""
    ) -> TestClient:
        """A program with a token of that role and scope; without a role, nobody. Another name is another person."""
        headers = {}
        if role is not None:
            name = name or f"{role.word}-{scope}"
            if (name, scope) not in self.tokens:
                made = create_token(self.desk, SYSTEM, name=name, role=role, scope_code=scope)
                self.tokens[name, scope] = made
            headers["Authorization"] = f"Bearer {self.tokens[name, scope]}"
        return TestClient(
            self.app,
            base_url="http://node.test",
            headers=headers,
            client=(address, 50_000),
            raise_server_exceptions=False,
        )

    def index(self, code: str) -> int:
        with reading(self.sessions) as session:
            return next(p.index for p in registry_facts.Points.read(session) if p.code == code)

    def value(self, code: str, value: float, *, age_s: float = 1.0, quality: int = 0, level: int = 0) -> np.ndarray:
        """One value as the engine tells it."""
        row = np.zeros(1, packed.VALUE)
        moment = self.clock.now - int(age_s * 1000)
        row[0] = (self.index(code), moment, value, quality, level, moment)
        return row


def build(records: Sessions, home: Path) -> Site:
    """Two enterprises in two cities, an alarm at each, a link and a refused message of each."""
    place = office(records)
    registry.seed(place.desk, SYSTEM, SMALL, "test")
    clock, log = FakeClock(), FakeLog()
    places = Places(records)
    engines = Engines(log, 1, lambda _: {})
    mirror = Mirror(clock, places, engines)
    places._load()
    hub = Hub(log, mirror, places, clock)
    desk = Desk(records, clock, home, passwords=CHEAP)
    settings = Settings(home=home, simulator=False)
    app = create_app(Parts(settings, records, clock, log, engines, desk, place.desk, mirror, places, hub))
    with reading(records) as session:
        points = {p.index: p for p in registry_facts.Points.read(session)}

    def facts(index: int) -> PointFacts:
        p = points[index]
        return PointFacts(
            p.index, p.code, p.name, p.quantity, p.unit, p.source, p.source_name, p.enterprise, p.enterprise_name,
            p.path, p.simulated,
        )  # fmt: skip

    alarms = AlarmDesk(records, facts)
    site = Site(app, log, hub, mirror, places, desk, alarms, records, clock)
    site.alarms.apply(
        [moved("normal", "H", 1, point=site.index(JIA_POINT)), moved("normal", "H", 2, point=site.index(YI_POINT))],
        (1, 0),
    )
    owners = {"41090200101": places.path(JIA), "41050200101": places.path(YI)}
    letters = [DeadLetter(link, Refusal.MALFORMED, f"坏报文 {link}", NOON) for link in owners]
    letters.append(DeadLetter("", Refusal.BAD_KEY, "谁也不是", NOON))
    dead_letters.keep(records, letters, lambda code: owners.get(code, "/"))
    mirror.links = {
        code: {
            "code": code, "name": f"网关 {code}", "protocol": "opcua", "enterprise": code[:9], "state": "online",
            "delay_ms": 5, "last_data_at": NOON, "samples": 7, "rate": 1.0, "gaps": 0, "duplicates": 0, "rejected": 0,
            "last_error": None, "simulated": False, "address": "",
        }
        for code in owners
    }  # fmt: skip
    mirror.links_at = mirror.beat_at[0] = clock.now
    mirror.beats[0] = {"ready": True}
    for code, colour in ((f"{JIA}001", "orange"), (f"{YI}001", "blue"), (JIA, "orange"), (YI, "blue")):
        grade = {
            "code": code, "colour": colour, "score": 61.0, "confidence": 1.0, "at": "2026-11-23T07:00:00.000Z",
            "reason": "试验", "terms": [],
        }  # fmt: skip
        mirror.take_grade({"path": places.path(code[:9]), "grade": grade})
    mirror.take_values(site.value(JIA_POINT, 5.5))
    return site


_ROUTE = re.compile(r"`(GET|POST|PATCH|DELETE|PUT) ([^`?]+)[^`]*`")


def documented() -> dict[tuple[str, str], str]:
    """(method, path) → role, from the tables of docs/api.md. Names of parameters do not matter."""
    found = {}
    for line in (DOCS / "api.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.replace("\\|", "¦").split("|")]
        if len(cells) > 3 and cells[0] == "":
            for method, path in _ROUTE.findall(cells[1]):
                found[method, bare(path)] = cells[2]
    for method, path in _ROUTE.findall((DOCS / "api.md").read_text(encoding="utf-8")):
        if bare(path) == "/api/v1/live":
            found[method, bare(path)] = "viewer"
    return found


def bare(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path.strip())


def served(app: FastAPI) -> list[tuple[str, str]]:
    """Every (method, path) of the OpenAPI document."""
    return [(method.upper(), path) for path, item in app.openapi()["paths"].items() for method in item]


def filled(path: str, enterprise: str = JIA, alarm: str = "no-such") -> str:
    """A path whose parameters name things of an enterprise."""
    values = {
        "alarm_id": alarm, "username": "nobody", "layer": "city", "scenario": "leak",
        "rule": "no-such", "whatif": "no-such", "version": "1", "cas": "0-00-0", "topic": "guidance", "number": "1",
        "channel": "no-such", "route": "no-such", "duty": "no-such", "alarm": alarm,
        "grade": "1", "record": "1", "configuration": "1", "warning": "no-such", "slip": "no-such", "model": "1",
        "code": {JIA: JIA_POINT, YI: YI_POINT}[enterprise] if "/points/" in path else f"{enterprise}001",
    }  # fmt: skip
    if "/files/" in path:
        values["code"] = enterprise
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: values[m.group(1)], path)
