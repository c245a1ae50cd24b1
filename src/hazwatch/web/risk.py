"""Risk for the pages: where objects are, who answers for the whole node, and how colours are distributed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import orjson
from fastapi import APIRouter
from sqlalchemy import select

from hazwatch.alarms.settings import place
from hazwatch.identity.deps import Gate
from hazwatch.identity.errors import ApiError, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.tree import node_in_scope, nodes
from hazwatch.log.client import RpcError
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import queries
from hazwatch.registry.tables import Enterprise, Source
from hazwatch.risk import api, units_api
from hazwatch.risk.book import Desk, effective
from hazwatch.risk.configuration import Configuration
from hazwatch.risk.model import Member, park_score
from hazwatch.stream import wire
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import Clock
from hazwatch.web.engines import Engines
from hazwatch.web.mirror import Mirror

_WORDS = {c.word: c for c in Colour}
#: Score bands of the distribution.
_BAND = 10


def router(
    sessions: Sessions, gate: Gate, clock: Clock, mirror: Mirror, changed: Callable[[], None], engines: Engines
) -> APIRouter:
    """The routes of the risk room."""
    desk = Desk(
        sessions,
        clock,
        lambda who, code: _path(sessions, who, code),
        lambda who: answers_for_all(sessions, who),
        changed,
    )

    async def forecast(code: str) -> dict[str, Any]:
        try:
            told = await engines.ask_owner(code[:ENTERPRISE_LENGTH], wire.RPC_FORECAST, code.encode())
        except RpcError as error:
            raise ApiError(503, "engine_away", "引擎暂时没有应答,没有预测", "请稍后再试") from error
        return dict(orjson.loads(told))

    routes = api.router(desk, gate, lambda who, code: _places(sessions, mirror, who, code), forecast)
    routes.include_router(units_api.router(desk, gate, lambda codes: _names(sessions, codes)))
    return routes


def _names(sessions: Sessions, codes: Collection[str]) -> dict[str, str]:
    with reading(sessions) as session:
        # scope: node-internal because whoever asks has found these sources in its scope
        return dict(session.execute(select(Source.code, Source.name).where(Source.code.in_(codes))).tuples().all())


def _path(sessions: Sessions, who: Principal, code: str) -> str:
    with reading(sessions) as session:
        path, _ = place(session, who, code)
        if len(code) == 12 and not any(s.code == code for s in queries.sources(session, who)):  # noqa: PLR2004  # a source
            raise not_found("重大危险源", code)
        return path


def answers_for_all(sessions: Sessions, who: Principal) -> bool:
    """Whether somebody's scope holds every enterprise of the node."""
    with reading(sessions) as session:
        # scope: node-internal because it is asked whether anything lies outside the scope; nothing is given back
        return all(path.startswith(who.scope) for path in session.scalars(select(Enterprise.path).distinct()))


def _places(sessions: Sessions, mirror: Mirror, who: Principal, code: str) -> dict[str, Any]:
    """A park or region of the scope: its grade, the distribution of its enterprises, and what lies below it."""
    with reading(sessions) as session:
        tree = nodes(session, who)
        k, _ = effective(session)
        top = node_in_scope(session, who, code) if code else (tree[0] if tree else None)
        if top is None:
            raise not_found("园区或区域", code)
        rows = queries.enterprises(session, who)
    own = [e for e in rows if e.path.startswith(top.path)]
    below = [n for n in tree if n.parent == top.code]
    children = []
    for node in below:
        inside = [e for e in own if e.path.startswith(node.path)]
        if inside and node.kind != "enterprise":
            children.append(
                {"code": node.code, "name": node.name, "kind": node.kind, **_graded(mirror, node.code, inside, k)}
            )
    members = [_enterprise(mirror, e) for e in own]
    members.sort(key=lambda m: (-_WORDS[m["colour"]], -m["score"], m["code"]))
    children.sort(key=lambda c: (-_WORDS[c["colour"]], -c["score"], c["code"]))
    bands = [0] * (100 // _BAND)
    for m in members:
        if m["known"]:
            bands[min(len(bands) - 1, int(m["score"] // _BAND))] += 1
    return {
        "code": top.code, "name": top.name, "kind": top.kind, **_graded(mirror, top.code, own, k), "bands": bands,
        "children": children, "enterprises": members,
        "trail": [{"code": n.code, "name": n.name} for n in tree if top.path.startswith(n.path)],
    }  # fmt: skip


def _enterprise(mirror: Mirror, e: queries.EnterpriseView) -> dict[str, Any]:
    g = mirror.grade(e.code) or {}
    return {
        "code": e.code, "name": e.name, "region": e.region, "park": e.park, "sources": e.sources,
        "known": bool(g), "colour": g.get("colour", "none"), "score": g.get("score", 0.0),
        "confidence": g.get("confidence"), "reason": g.get("reason", ""), "at": g.get("at"), "simulated": e.simulated,
    }  # fmt: skip


def _graded(mirror: Mirror, code: str, own: list[queries.EnterpriseView], k: Configuration) -> dict[str, Any]:
    """The grade of a place, by the model of places from the grades of its enterprises and the configuration ``k``."""
    given = [mirror.grade(e.code) for e in own]
    members = [Member(g["score"], _WORDS[g["colour"]], g["score"]) for g in given if g]
    told = mirror.grade(code)
    park = park_score(members, 0.0, k)
    return {
        "score": told["score"] if told else round(park.score, 1),
        "colour": told["colour"] if told else park.colour.word,
        "counts": park.counts, "total": len(own), "ungraded": len(own) - len(members),
    }  # fmt: skip
