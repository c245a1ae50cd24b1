"""A warning, its slip, and people of three tiers, in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO

from PIL import Image
from tests.identity.support import FakeClock

from hazwatch.identity.model import Principal, Role
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.slips.model import Action, Slip
from hazwatch.slips.service import SlipDesk
from hazwatch.slips.store import slip_of, steps
from hazwatch.slips.tables import SlipRow
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import CHINA, to_ms
from hazwatch.vocabulary.warnings import Tier, WarningFacts, WarningKind

MINUTE = 60_000
PARK = "/410000/410900/P4109001/"
WORKS = f"{PARK}410902001/"
IN_COUNTY = "/410000/410900/410902/410902002/"
#: Tiers that act on a colour (docs: risk.md §7).
ACT = {
    Colour.RED: {Tier.ENTERPRISE, Tier.PARK, Tier.COUNTY, Tier.CITY, Tier.PROVINCE},
    Colour.ORANGE: {Tier.ENTERPRISE, Tier.PARK, Tier.COUNTY, Tier.CITY},
    Colour.YELLOW: {Tier.ENTERPRISE, Tier.PARK, Tier.COUNTY}, Colour.BLUE: {Tier.ENTERPRISE},
}  # fmt: skip


def shanghai(text: str) -> int:
    """Epoch ms of ``2026-11-23 15:00`` in China."""
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=CHINA))


def person(path: str, name: str = "", role: Role = Role.OPERATOR) -> Principal:
    """Somebody whose scope is a node."""
    code = path.rstrip("/").rpartition("/")[2]
    return Principal(name or f"op{code.lower()}", f"{code}值守", role, path, code)


OWNER, KEEPER = person(WORKS, "worker"), person(PARK, "keeper")
CITY, PROVINCE = person("/410000/410900/", "city"), person("/410000/", "province")
ANSWER = {
    "cause_class": "process", "measures": "降低进料,开启喷淋", "result": "液位回到 72 %", "prevention": "复核联锁",
    "signer": "张三",
}  # fmt: skip


def warning(number: int = 1, colour: Colour = Colour.YELLOW, path: str = WORKS, at: int = 0) -> WarningFacts:
    """A warning of a tank farm."""
    return WarningFacts(
        f"YJ20261123{number:06d}", WarningKind.SOURCE, "410902001001", "甲罐区", path, "A", colour, at, 7,
        "液位高高报警且上升",
        '[{"id":"A","name":"报警","x":0.8,"weight":0.3,"contribution":24.0,"reason":"1 条高高报"}]'.encode(),
        b'{"points":[{"code":"410902001001G0001YW001","value":9.3,"unit":"m","limit":9.0}]}',
        frozenset(ACT[colour]), frozenset(),
    )  # fmt: skip


@dataclass
class Office:
    """A desk with a clock that the test turns, and what it told upwards."""

    sessions: Sessions
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[tuple[str, Tier, str]] = field(default_factory=list)
    special: dict[str, bool] = field(default_factory=dict)

    @property
    def desk(self) -> SlipDesk:
        return SlipDesk(
            self.sessions, self.clock, lambda _, warning_id, tier, why: self.told.append((warning_id, tier, why)),
            lambda _: self.special,
        )  # fmt: skip

    def raise_(self, facts: WarningFacts) -> str:
        with unit_of_work(self.sessions) as session:
            self.desk.opened(session, facts)
        return f"BG{facts.id[2:]}"

    def recolour(self, facts: WarningFacts, colour: Colour) -> WarningFacts:
        now = replace(facts, colour=colour, tiers=frozenset(ACT[colour]))
        with unit_of_work(self.sessions) as session:
            self.desk.changed(session, now, facts.colour)
        return now

    def slip(self, slip_id: str) -> Slip:
        with reading(self.sessions) as session:
            return slip_of(session.get_one(SlipRow, slip_id))

    def life(self, slip_id: str) -> list[str]:
        with reading(self.sessions) as session:
            return [row.action for row in steps(session, slip_id)]

    def does(self, who: Principal, slip_id: str, *actions: Action, **given: str) -> None:
        for action in actions:
            fields = {**(ANSWER if action is Action.FEEDBACK else {}), **given}
            self.desk.do(who, slip_id, action, self.slip(slip_id).steps, fields)

    def at(self, minutes: float) -> None:
        """Let time pass, with the clockwork looking."""
        self.clock.now += round(minutes * MINUTE)
        self.desk.tick(self.clock.now)


def to_answered(office: Office, slip_id: str) -> None:
    """The owner does everything."""
    office.does(OWNER, slip_id, Action.DELIVER, Action.CONFIRM, Action.START, Action.FEEDBACK)


def photo(form: str = "JPEG", size: tuple[int, int] = (320, 240), **more: object) -> bytes:
    """A picture."""
    out = BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(out, form, **more)
    return out.getvalue()
