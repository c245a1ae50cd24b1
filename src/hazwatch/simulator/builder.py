"""Collects rows: codes and serial numbers are made here, so that the description reads like a list of instruments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hazwatch.simulator.rows import (
    EnterpriseRow,
    EquipmentRow,
    GatewayRow,
    ParkDescription,
    ParkRow,
    PointRow,
    SourceRow,
    Substance,
    level_of,
    risk_index,
)
from hazwatch.vocabulary.quantities import QUANTITIES

#: Limits of a point: ll, l, h, hh.
Limits = tuple[float | None, float | None, float | None, float | None]
NONE: Limits = (None, None, None, None)


def high(h: float | None, hh: float | None = None) -> Limits:
    """Upper limits only."""
    return (None, None, h, hh)


class Builder:
    """Collects the rows of one park."""

    def __init__(self, park: ParkRow) -> None:
        self._park = park
        self._enterprises: list[EnterpriseRow] = []
        self._sources: list[SourceRow] = []
        self._equipment: list[EquipmentRow] = []
        self._gateways: list[GatewayRow] = []
        self._points: list[PointRow] = []
        self._serials: Counter[str] = Counter()
        self._address: Callable[[str, str], tuple[str, float, float]] = lambda tag, _q: (tag, 1.0, 0.0)
        self._equipment_name = ""

    def _next(self, prefix: str, width: int) -> str:
        self._serials[prefix] += 1
        return f"{prefix}{self._serials[prefix]:0{width}d}"

    def enterprise(self, name: str, address: str, lon: float, lat: float) -> str:
        """A new enterprise; its code (410900 + 901 …)."""
        code = f"{self._park.region}{901 + len(self._enterprises)}"
        self._enterprises.append(EnterpriseRow(code, name, self._park.region, self._park.code, address, lon, lat))
        return code

    def gateway(
        self,
        name: str,
        protocol: str,
        address: str | None,
        options: dict[str, str],
        addressing: Callable[[str, str], tuple[str, float, float]],
    ) -> str:
        """A gateway of the newest enterprise; the following points are behind it.

        Args:
            name: on screen.
            protocol: of the adapter.
            address: to dial, None for gateways that call us.
            options: of the adapter.
            addressing: (tag, point code) → (address, scale, offset).
        """
        code = self._next(self._enterprises[-1].code, 2)
        self._gateways.append(GatewayRow(code, name, protocol, address, options))
        self._address = addressing
        return code

    def source(self, name: str, kind: str, alpha: float, *substances: Substance) -> str:
        """A hazard source of the newest enterprise, graded by GB 18218."""
        owner = self._enterprises[-1]
        code = self._next(owner.code + "S", 3).replace("S", "")
        r = risk_index(alpha, substances)
        shift = 0.0006 * len(self._sources)
        lon, lat = round(owner.lon + shift, 5), round(owner.lat + shift / 2, 5)
        self._sources.append(SourceRow(code, name, kind, level_of(r), r, lon, lat, alpha=alpha, substances=substances))
        return code

    def equipment(self, kind: str, name: str, **fields: str | float | None) -> str:
        """Equipment of the newest source; ``kind`` is G0, Q0, S0 or C0."""
        code = self._next(self._sources[-1].code + kind, 3)
        self._equipment.append(EquipmentRow(code, name, **fields))  # type: ignore[arg-type]  # fields are the row's own
        self._equipment_name = name
        return code

    def point(
        self,
        quantity: str,
        tag: str,
        name: str,
        unit: str,
        span: tuple[float, float],
        limits: Limits = NONE,
        *,
        deadband: float | None = None,
        on_delay_s: float | None = None,
    ) -> None:
        """A point of the newest equipment behind the newest gateway.

        Delays and deadband that are not given take the defaults of the quantity, but never more than 5 s: this is a
        place to see alarms, and its physics are smooth enough.
        """
        defaults = QUANTITIES[quantity]
        code = self._next(self._equipment[-1].code + quantity, 3)
        address, scale, offset = self._address(tag, code)
        self._points.append(
            PointRow(
                code=code,
                name=f"{self._equipment_name}{name}",
                gateway=self._gateways[-1].code,
                tag=tag,
                unit=unit,
                range_low=span[0],
                range_high=span[1],
                ll=limits[0],
                l=limits[1],
                h=limits[2],
                hh=limits[3],
                deadband=deadband if deadband is not None else round(defaults.deadband_share * (span[1] - span[0]), 6),
                on_delay_s=on_delay_s if on_delay_s is not None else min(5.0, defaults.on_delay_s),
                off_delay_s=10.0,
                address=address,
                scale=scale,
                offset=offset,
            )
        )

    def build(self) -> ParkDescription:
        """Everything collected."""
        return ParkDescription(
            (self._park,),
            tuple(self._enterprises),
            tuple(self._sources),
            tuple(self._equipment),
            tuple(self._gateways),
            tuple(self._points),
        )
