"""The books of tanks: material balances of those whose density was declared, looked at once a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from hazwatch.app.sites import Site, Tank
from hazwatch.risk.balance import USUAL_EXPANSION, Balance, Finding, Readings, Verdict, Vessel, strapping
from hazwatch.risk.declared import Declared
from hazwatch.vocabulary.codes import SOURCE_LENGTH

#: Newest usable value of a point, None when there is none.
ValueOf = Callable[[int], float | None]


class Books:
    """Balances by equipment, and what each found last."""

    def __init__(self) -> None:
        self._books: dict[str, Balance] = {}
        self._orders: list[Declared] = []
        self._verdicts: dict[str, Verdict] = {}
        #: Declared density at 20 ℃ and expansion by tank.
        self.densities: dict[str, tuple[float, float]] = {}

    def know(self, records: Iterable[Declared], sites: Mapping[str, Site]) -> None:
        """Records were declared or withdrawn, or the registry changed. Books whose tank is the same go on."""
        every = list(records)
        self._orders = [r for r in every if r.kind == "transfer_order"]
        kept: dict[str, Balance] = {}
        self.densities = {}
        for r in every:
            if r.kind != "tank_balance":
                continue
            code = str(r.body["equipment"])
            self.densities[code] = float(r.body["density"]), float(r.body.get("expansion", USUAL_EXPANSION))
            site = sites.get(code[:SOURCE_LENGTH])
            tank = site.tanks.get(code) if site else None
            if tank is None or not (tank.level and tank.temperature and (tank.inflow or tank.outflow)):
                continue
            vessel = _vessel(tank, r)
            running = self._books.get(code)
            kept[code] = running if running is not None and running.vessel == vessel else Balance(vessel)
        self._books = kept
        self._verdicts = {code: v for code, v in self._verdicts.items() if code in kept}

    def look(self, at: int, sites: Mapping[str, Site], value: ValueOf) -> set[str]:
        """Look at every tank; the sources of those that came to a verdict."""
        moved = set()
        for code, book in self._books.items():
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
        ordered = not self._orders or any(r.body["equipment"] == code and r.begin <= at < r.end for r in self._orders)
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


def _vessel(tank: Tank, r: Declared) -> Vessel:
    heights, volumes = strapping(tank.diameter, tank.height, sphere=tank.sphere, rows=500)
    given = {name: float(r.body[name]) for name in ("expansion", "level_sd", "flow_share") if name in r.body}
    return Vessel(float(r.body["density"]), heights=heights, volumes=volumes, **given)
