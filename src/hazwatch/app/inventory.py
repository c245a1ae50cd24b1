"""What vessels and stores hold now, and R of GB 18218 by it."""

from __future__ import annotations

from collections.abc import Mapping

from hazwatch.app.sites import Holder, Site, Tank, ValueOf
from hazwatch.registry.gb18218.tonnes import alphas
from hazwatch.risk.balance import REFERENCE_C, held_volume
from hazwatch.risk.inventory import Stock, live_r

_OVER = 1.005


class Inventory:
    """Live quantities by equipment. What was last known of one outlives its gauge."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._alphas = alphas()

    def r_live(
        self, site: Site, r: float, value: ValueOf, declared: Mapping[str, tuple[float, float]]
    ) -> tuple[float, str] | None:
        """Live R of a source and how it came about; None where nothing of it is measured.

        Args:
            site: the source. r: as registered.
            value: of points.
            declared: density at 20 ℃ and expansion by tank, which go before the knowledge base.
        """
        if not site.holders:
            return None
        stocks: list[Stock] = []
        above = ""
        most = _OVER
        for code, holder in site.holders.items():
            live = self._tonnes(holder, site.tanks.get(code), value, declared.get(code) or holder.liquid)
            if live is not None:
                self._last[code] = live
                if live > most * holder.design:
                    most, above = live / holder.design, f",{holder.name}为设计量的 {live / holder.design:.2f} 倍"
            graded = holder.graded
            stocks.append(
                Stock(holder.design, live, self._last.get(code, 0.0), graded.critical, graded.beta)
                if graded else Stock(holder.design, live, self._last.get(code, 0.0))
            )  # fmt: skip
        found = live_r(r, site.alpha, stocks, self._alphas)
        if found is None:
            return None
        unmeasured = sum(s.live is None for s in stocks)
        rest = f",{unmeasured} 台无实时储量,按设计量计" if unmeasured else ""
        return found, f"按实时储量 R={found:.4g}(设计 {r:.4g}{above}{rest})"

    @staticmethod
    def _tonnes(
        holder: Holder, tank: Tank | None, value: ValueOf, liquid: tuple[float, float] | None
    ) -> float | None:  # fmt: skip
        """What a vessel holds: measured weight, or level × shape × density; where both are known, the larger."""
        weights = [v for p in holder.weight if (v := value(p)) is not None]
        found = [sum(weights)] if weights and len(weights) == len(holder.weight) else []
        if tank is not None and liquid is not None and tank.height > 0:
            levels = [v * m for p, m in zip(tank.level, tank.metres, strict=True) if (v := value(p)) is not None]
            warm = next((v for p in tank.temperature if (v := value(p)) is not None), None)
            if levels and warm is not None:
                density, expansion = liquid
                volume = held_volume(tank.diameter, tank.height, max(levels), sphere=tank.sphere)
                found.append(volume * density * (1 - expansion * (warm - REFERENCE_C)) / 1000)
        return max(found, default=None)
