"""Warnings and slips as the node wires them: one transaction, and clocks that tell the next tier."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.identity.support import FakeClock
from tests.postgres import records
from tests.warnings.support import TANKS
from tests.warnings.test_service import Park

from hazwatch.alarms.store import everything
from hazwatch.app.sliproom import hooks, note_receipts, other_needs, slip_desk
from hazwatch.app.warningroom import Grades
from hazwatch.identity.model import Principal, Role
from hazwatch.records import reading, unit_of_work
from hazwatch.settings import Settings
from hazwatch.slips.tables import SlipRow
from hazwatch.slips.verify import verify_slips
from hazwatch.vocabulary.warnings import Tier
from hazwatch.warnings.receipts import delivered
from hazwatch.warnings.service import WarningDesk
from hazwatch.warnings.tables import WarningReceipt, WarningRow

__all__ = ["records"]
MINUTE = 60_000


def test_every_warning_has_its_slip_and_a_late_one_reaches_the_next_tier(records, tmp_path) -> None:
    park, clock = Park(records), FakeClock()
    desk = slip_desk(Settings(home=tmp_path), records, clock)
    park.desk = WarningDesk(records, Grades(records, everything).source(), hooks(desk))
    park.desk.take_in(clock.now)
    park.graded((TANKS, "yellow", 0))
    while park.desk.take_in(clock.now):
        pass
    with reading(records) as session:
        warnings = session.scalars(select(WarningRow)).all()
        slips = session.scalars(select(SlipRow)).all()
    assert {w.id for w in warnings} == {s.warning for s in slips}
    assert len(slips) > 0
    assert desk.tick(clock.now + 60 * MINUTE - 1) == 0
    assert desk.tick(clock.now + 60 * MINUTE) == len(slips)
    with reading(records) as session:
        told = session.scalars(select(WarningReceipt).where(WarningReceipt.tier == int(Tier.CITY))).all()
        assert {(r.warning, r.act) for r in told} == {(w.id, True) for w in warnings}
        city = Principal("duty", "值守", Role.OPERATOR, "/410000/410900/", "410900")
        items, counts = other_needs(session, city, clock.now)
        assert counts["warnings"] == len(items) == len(warnings)
        assert verify_slips(session).ok


def test_a_receipt_of_the_owner_delivers_the_slip(records, tmp_path) -> None:
    park, clock = Park(records), FakeClock()
    desk = slip_desk(Settings(home=tmp_path), records, clock)
    park.desk = WarningDesk(records, Grades(records, everything).source(), hooks(desk))
    park.desk.take_in(clock.now)
    park.graded((TANKS, "yellow", 0))
    while park.desk.take_in(clock.now):
        pass
    assert note_receipts(desk) == 0
    with unit_of_work(records) as session:
        own = session.scalars(select(SlipRow).where(SlipRow.object == TANKS)).one()
        delivered(session, [own.warning], own.path, "短信", clock.now)
    assert (note_receipts(desk), note_receipts(desk)) == (1, 0)
    with reading(records) as session:
        assert session.get_one(SlipRow, own.id).state == "delivered"
        assert verify_slips(session).ok


@pytest.mark.parametrize("code", ["410902001"])
def test_a_slip_that_cannot_be_written_leaves_no_warning(records, tmp_path, monkeypatch, code) -> None:
    park = Park(records)
    desk = slip_desk(Settings(home=tmp_path), records, FakeClock())
    monkeypatch.setattr("hazwatch.slips.service.chained", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    park.desk = WarningDesk(records, Grades(records, everything).source(), hooks(desk))
    park.desk.take_in(0)
    park.graded((f"{code}001", "yellow", 0))
    with pytest.raises(OSError, match="disk"):
        park.desk.take_in(0)
    with reading(records) as session:
        assert session.scalars(select(WarningRow)).all() == []
        assert session.scalars(select(SlipRow)).all() == []
