"""The books of tanks: material balances, looked at once a second where the density was declared.

Where shape, level, temperature and flows are there and the knowledge base knows how the medium expands, a balance runs
without a declaration: looked at every 10 s, and slower to tell by what the expansion may be wrong by.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from hazwatch.app.sites import Site, Tank, ValueOf
from hazwatch.risk.balance import USUAL_EXPANSION, Balance, Finding, Readings, Verdict, Vessel, strapping
from hazwatch.risk.declared import Declared
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH, SOURCE_LENGTH
from hazwatch.vocabulary.moments import SECOND

#: Balances that nobody declared are looked at in turns; a gauge of theirs is trusted to so much, m; the expansion of
#: the knowledge base is within this share.
_DERIVED_EVERY_S, _DERIVED_LEVEL_SD, _EXPANSION_WRONG = 10, 0.003, 0.25


class Books:
    """Balances by equipment, and what each found last."""

    def __init__(self) -> None:
        self._books: dict[str, Balance] = {}
        self._orders: dict[str, list[Declared]] = {}
        #: Balances that nobody declared, with their turn.
        self._derived: dict[str, int] = {}
        self._verdicts: dict[str, Verdict] = {}
        #: What the registry and the knowledge base say of tanks, and of which sites.
        self._known: dict[str, Vessel] = {}
        self._sites: Mapping[str, Site] | None = None
        #: Declared density at 20 ℃ and expansion by tank.
        self.densities: dict[str, tuple[float, float]] = {}

    def know(self, records: Iterable[Declared], sites: Mapping[str, Site]) -> None:
        """Records were declared or withdrawn, or the registry changed. Books whose tank is the same go on."""
        every = list(records)
        self._orders = {}
        for r in every:
            if r.kind == "transfer_order":
                self._orders.setdefault(str(r.body["equipment"])[:ENTERPRISE_LENGTH], []).append(r)
        self.densities = {
            str(r.body["equipment"]): (float(r.body["density"]), float(r.body.get("expansion", USUAL_EXPANSION)))
            for r in every if r.kind == "tank_balance"
        }  # fmt: skip
        if sites is not self._sites:
            # Records change while the alarm desk waits; what a nation's tanks are like changes with the registry only.
            self._sites, self._known = sites, _of_registry(sites)
        kept = {code: self._going(code, v) for code, v in self._known.items() if code not in self.densities}
        self._derived = {code: n for n, code in enumerate(kept)}
        for r in every:
            code = str(r.body["equipment"]) if r.kind == "tank_balance" else ""
            own = sites.get(code[:SOURCE_LENGTH])
            declared = own.tanks.get(code) if own else None
            if declared is not None and _complete(declared):
                kept[code] = self._going(code, _vessel(declared, r))
        self._books = kept
        self._verdicts = {code: v for code, v in self._verdicts.items() if code in kept}

    def _going(self, code: str, vessel: Vessel) -> Balance:
        """The balance of a tank: the one that runs, where the tank is the same."""
        running = self._books.get(code)
        return running if running is not None and running.vessel == vessel else Balance(vessel)

    def look(self, at: int, sites: Mapping[str, Site], value: ValueOf) -> set[str]:
        """Look at every tank; the sources of those that came to a verdict."""
        moved = set()
        second = at // SECOND
        for code, book in self._books.items():
            if (second + self._derived.get(code, -second)) % _DERIVED_EVERY_S:
                continue
            site = sites.get(code[:SOURCE_LENGTH])
            tank = site.tanks.get(code) if site else None
            readings = self._readings(code, tank, site, at, value) if tank and site else None
            verdict = book.look(at, readings) if readings else None
            if verdict is not None:
                self._verdicts[code] = verdict
                moved.add(code[:SOURCE_LENGTH])
        return moved

    def _readings(self, code: str, tank: Tank, site: Site, at: int, value: ValueOf) -> Readings | None:
        levels = [v * m for p, m in zip(tank.level, tank.metres, strict=True) if (v := value(p)) is not None]
        warm = value(tank.temperature[0])
        flows = [[value(p) for p in points] for points in (tank.inflow, tank.outflow)]
        if not levels or warm is None or any(v is None for side in flows for v in side):
            return None
        came, went = (sum(v for v in side if v is not None) for side in flows)
        orders = self._orders.get(code[:ENTERPRISE_LENGTH], ())
        ordered = not orders or any(r.body["equipment"] == code and r.begin <= at < r.end for r in orders)
        shut = all((v := value(p)) is not None and v <= 1 for p in site.inlets.get(code, []))
        return Readings(sum(levels) / len(levels), warm, came, went, ordered, not shut)

    def live(self, source: str) -> dict[str, tuple[float, str]]:
        """Inputs of a source from its tanks: the worst balance, and whether something is transferred without order."""
        out: dict[str, tuple[float, str]] = {}
        for code, v in sorted(self._verdicts.items()):
            if not code.startswith(source) or v.finding is Finding.CLOSED:
                continue
            said = f"{code[SOURCE_LENGTH:]} {v.finding.zh}:累计差额约为流量的 {100 * v.share:.1f} %"
            if v.finding is Finding.TRANSFER:
                out["no_order"] = (1.0, said)
            elif v.ratio > out.get("balance", (0.0, ""))[0]:
                out["balance"] = (max(1.0, round(v.ratio, 2)), said)
        return out


def _of_registry(sites: Mapping[str, Site]) -> dict[str, Vessel]:
    """Tanks whose balance runs without a declaration."""
    found = {}
    for site in sites.values():
        for code, tank in site.tanks.items():
            holder = site.holders.get(code)
            if holder and holder.expands and holder.liquid and _complete(tank):
                found[code] = derived(tank, holder.liquid)
    return found


def _complete(tank: Tank) -> bool:
    """Whether what a balance reads is there."""
    return bool(tank.level and tank.temperature and (tank.inflow or tank.outflow))


def derived(tank: Tank, liquid: tuple[float, float]) -> Vessel:
    """A tank by its registered shape and the knowledge base: density at 20 ℃ and expansion per K."""
    density, expansion = liquid
    area = math.pi * tank.diameter**2 / 4
    heights, volumes = strapping(tank.diameter, tank.height, sphere=True, rows=500) if tank.sphere else ((), ())
    return Vessel(
        density, expansion, heights, volumes, area, level_sd=_DERIVED_LEVEL_SD, expansion_share=_EXPANSION_WRONG
    )


def _vessel(tank: Tank, r: Declared) -> Vessel:
    heights, volumes = strapping(tank.diameter, tank.height, sphere=tank.sphere, rows=500)
    given = {name: float(r.body[name]) for name in ("expansion", "level_sd", "flow_share") if name in r.body}
    return Vessel(float(r.body["density"]), heights=heights, volumes=volumes, **given)
