"""Use cases of weather warnings: taken in once, replaced, lifted, listed. What they do to risk is another room's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from hazwatch.identity.model import Principal
from hazwatch.identity.scope import within
from hazwatch.identity.tables import Node
from hazwatch.identity.tree import node_in_scope
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.faults import Refusal
from hazwatch.vocabulary.moments import iso
from hazwatch.warnings.tables import WeatherSignal
from hazwatch.warnings.weather import KINDS, SHOWN_ONLY, Bad, Signal

#: Declares a signal for an area to the risk room; ids of the records.
Declare = Callable[[Principal, str, Signal], Sequence[int]]
#: Takes such records back.
Withdraw = Callable[[Principal, Sequence[int], str], None]


@dataclass(slots=True)
class Taken:
    """What became of signals: areas that have them anew, that had them already, that are free of them; refused ones."""

    new: int = 0
    known: int = 0
    over: int = 0
    bad: list[Bad] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases need."""

    sessions: Sessions
    declare: Declare
    withdraw: Withdraw


def take_in(desk: Desk, who: Principal, signals: Sequence[Signal], origin: str, now: int) -> Taken:
    """Take signals in. The same one again changes nothing; another one of its number replaces it.

    Args:
        desk: see there.
        who: whose scope has to hold the areas.
        signals: what was read.
        origin: where from.
        now: epoch ms.
    """
    taken = Taken()
    for signal in signals:
        for area in signal.areas:
            with reading(desk.sessions) as session:
                node = node_in_scope(session, who, area)
                path = node.path if node is not None else None
            if path is None:
                taken.bad.append(Bad(Refusal.WRONG_TYPE, f"{signal.ref}:没有区域 {area}", signal.title))
                continue
            _one(desk, who, signal, area, path, origin, now, taken)
    return taken


def _one(desk: Desk, who: Principal, signal: Signal, area: str, path: str, origin: str, now: int, taken: Taken) -> None:
    with reading(desk.sessions) as session:
        # scope: node-internal because the area was found within the asker's scope
        standing = session.scalars(
            select(WeatherSignal).where(
                WeatherSignal.ref.in_([signal.ref, *signal.replaces]), WeatherSignal.area == area,
                WeatherSignal.over_at.is_(None),
            )
        ).all()  # fmt: skip
    if not signal.over and any(_same(row, signal) for row in standing):
        taken.known += 1
        return
    if not signal.over:
        # Declared before it is written: a crash between the two leaves a record too much, never one too few.
        declared = [] if signal.kind in SHOWN_ONLY else desk.declare(who, area, signal)
        with unit_of_work(desk.sessions) as session:
            session.add(
                WeatherSignal(
                    ref=signal.ref, origin=origin[:100], area=area, kind=signal.kind, colour=int(signal.colour),
                    title=signal.title, text=signal.text, begin=signal.begin, end=signal.end, received_at=now,
                    declared=orjson.dumps(list(declared)).decode(), over_at=None, over_why=None, path=path,
                )
            )  # fmt: skip
        taken.new += 1
    why = "预警解除" if signal.over else "由新的信号取代"
    for row in standing:
        desk.withdraw(who, orjson.loads(row.declared), why)
        taken.over += signal.over
    with unit_of_work(desk.sessions) as session:
        # scope: node-internal because the area was found within the asker's scope
        session.execute(
            update(WeatherSignal)
            .where(WeatherSignal.id.in_([row.id for row in standing]))
            .values(over_at=now, over_why=why)
        )


def _same(row: WeatherSignal, signal: Signal) -> bool:
    return (row.ref, row.kind, row.colour, row.begin, row.end, row.title, row.text) == (
        signal.ref, signal.kind, int(signal.colour), signal.begin, signal.end, signal.title, signal.text,
    )  # fmt: skip


def page(session: Session, who: Principal, request: PageRequest, now: int, state: str) -> Page[dict[str, Any]]:
    """Signals for the asker's scope and for what lies around it, the worst first; ``state`` ``now`` or empty."""
    parts = who.scope.strip("/").split("/")
    above = ["/" + "/".join(parts[:n]) + "/" for n in range(1, len(parts))]
    # scope: node-internal because a warning for the province holds for the enterprise that asks, which is below it
    statement = select(WeatherSignal).where(
        or_(within(WeatherSignal.path, who.scope), WeatherSignal.path.in_(above))
    )  # fmt: skip
    if state == "now":
        statement = statement.where(
            WeatherSignal.over_at.is_(None), WeatherSignal.begin <= now, WeatherSignal.end > now
        )
    ordered = statement.order_by(WeatherSignal.colour.desc(), WeatherSignal.id.desc())
    rows = session.scalars(ordered.offset(request.offset).limit(request.page_size)).all()
    areas = select(Node.code, Node.name).where(Node.code.in_({r.area for r in rows}))
    names = dict(session.execute(areas).tuples().all())
    items = [_form(r, now) | {"area_name": names.get(r.area, r.area)} for r in rows]
    return Page(items, count(session, statement), request.page, request.page_size)


def _form(r: WeatherSignal, now: int) -> dict[str, Any]:
    state = "over" if r.over_at or r.end <= now else "coming" if r.begin > now else "now"
    return {
        "id": r.id, "ref": r.ref, "origin": r.origin, "area": r.area, "kind": r.kind, "kind_zh": KINDS[r.kind],
        "colour": Colour(r.colour).word, "title": r.title, "text": r.text, "from": iso(r.begin), "to": iso(r.end),
        "state": state, "received_at": iso(r.received_at), "over_at": iso(r.over_at) if r.over_at else None,
        "over_why": r.over_why, "scored": r.kind not in SHOWN_ONLY,
    }  # fmt: skip
