"""Writes the synthetic nation into the registry of a node of its own, in bulk.

The checks of an import would take minutes to say that synthetic rows are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import insert
from sqlalchemy.orm import Session

from hazwatch.app.node import clock
from hazwatch.app.prepare import prepare
from hazwatch.bench.fleet import GROUP, PER_SOURCE, Member, point_rows
from hazwatch.identity.model import SYSTEM, NodeKind
from hazwatch.identity.secrets import master_key
from hazwatch.identity.tree import NodeRow, place
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.registry.service import version
from hazwatch.registry.tables import Enterprise, Equipment, Gateway, Point, RegistryVersion, Source
from hazwatch.registry.write import new_secret, take
from hazwatch.settings import Settings

_AT_ONCE = 20_000


def seed(settings: Settings, members: list[Member], say: Callable[[str], None]) -> None:
    """Prepare the home folder of a node and register the nation, unless something is registered there already."""
    sessions = prepare(settings, lambda _: None)
    with reading(sessions) as session:
        if version(session):
            return
    say(f"登记 {len(members)} 个网关、{sum(m.points for m in members)} 个指标……")
    with unit_of_work(sessions) as session:
        rows = [
            NodeRow(m.enterprise, _name(m), NodeKind.ENTERPRISE, m.enterprise[:4] + "00", *_place(m)) for m in members
        ]
        paths = place(session, rows)
        for table, found in (
            (Enterprise, (_enterprise(m, paths) for m in members)),
            (Source, (row for m in members for row in _sources(m, paths))),
            (Equipment, (row for m in members for row in _equipment(m, paths))),
            (Gateway, (_gateway(m, paths, master_key(settings.home)) for m in members)),
            (Point, (row for m in members for row in point_rows(m, paths[m.enterprise]))),
        ):
            _insert(session, table, found)
        take(session, "gateway", len(members))
        take(session, "point", sum(m.points for m in members))
        take(session, "limit_version")
        (number,) = take(session, "registry_version")
        session.add(
            RegistryVersion(
                version=number, at=clock(), who=SYSTEM.username, file_name="bench", sha256="", counts="{}", path="/"
            )
        )


def _insert(session: Session, table: type[Any], rows: Iterable[dict[str, Any]]) -> None:
    left = iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        session.execute(insert(table.__table__), part)


def _name(m: Member) -> str:
    return f"压测企业{m.number}(模拟)"


def _place(m: Member) -> tuple[float, float]:
    """Spread over Henan."""
    return 111.0 + (m.number * 7919 % 1000) / 1000 * 4.5, 32.5 + (m.number * 104729 % 1000) / 1000 * 3.0


def _enterprise(m: Member, paths: dict[str, str]) -> dict[str, Any]:
    lon, lat = _place(m)
    return {
        "code": m.enterprise, "name": _name(m), "region": m.enterprise[:4] + "00", "park": None, "credit_code": None,
        "address": None, "lon": lon, "lat": lat, "simulated": True, "path": paths[m.enterprise],
    }  # fmt: skip


def _codes(m: Member) -> Iterator[str]:
    return (f"{m.enterprise}{n + 1:03d}" for n in range(-(-m.points // PER_SOURCE)))


def _sources(m: Member, paths: dict[str, str]) -> Iterator[dict[str, Any]]:
    lon, lat = _place(m)
    for n, code in enumerate(_codes(m)):
        yield {
            "code": code, "name": f"压测罐区{n + 1}(模拟)", "enterprise": m.enterprise, "kind": "储罐区",
            "level": n % 4 + 1, "r": (200.0, 75.0, 30.0, 5.0)[n % 4], "lon": lon + n * 0.0004, "lat": lat,
            "simulated": True, "path": paths[m.enterprise],
        }  # fmt: skip


def _equipment(m: Member, paths: dict[str, str]) -> Iterator[dict[str, Any]]:
    for n, code in enumerate(_codes(m)):
        yield {
            "code": f"{code}G0001", "name": f"压测储罐{n + 1}", "source": code, "kind": "储罐", "medium": "甲醇",
            "cas": "67-56-1", "form": None, "capacity_m3": 1000.0, "diameter_m": 12.0, "height_m": 10.0,
            "design_t": 600.0, "path": paths[m.enterprise],
        }  # fmt: skip


def _gateway(m: Member, paths: dict[str, str], key: bytes) -> dict[str, Any]:
    options = orjson.dumps({"group": GROUP, "node": m.code} if m.protocol == "sparkplug" else {}).decode()
    return {
        "number": m.number, "code": m.code, "name": f"压测网关{m.number}", "protocol": m.protocol,
        "enterprise": m.enterprise, "address": "", "options": options,
        "secret": new_secret(m.protocol, m.code, key), "secret_shown_at": None, "stale_after_s": 300.0,
        "simulated": True, "path": paths[m.enterprise],
    }  # fmt: skip
