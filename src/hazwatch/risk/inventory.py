"""Pure: R of GB 18218 by what is there now.

R is linear in the quantities, so live R is the registered R plus what the live quantities differ by from the design
ones. Missing data never lowers it: a vessel that nobody measures counts at its design quantity, or at what was last
known of it where that is more; a substance that the standard does not name stays as it was identified.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stock:
    """A vessel or store.

    Attributes:
        design: t.
        live: t now; None when it is not measured.
        last: the last that was known of it, t.
        critical, beta: of its substance; critical 0 when the standard does not name it.
    """

    design: float
    live: float | None
    last: float = 0.0
    critical: float = 0.0
    beta: float = 0.0

    @property
    def counted(self) -> float:
        """What counts, t."""
        return max(self.design, self.last) if self.live is None else max(0.0, self.live)


def live_r(r: float, alpha: float | None, stocks: Sequence[Stock], alphas: tuple[float, float]) -> float | None:
    """R by the live inventory; None where nothing is measured or nothing can be graded.

    Args:
        r: as registered; 0 = none is registered, then R follows from the quantities where they reach S = 1.
        alpha: of the source; None when nobody identified it here: then it follows from R where all vessels are known,
            else the α that gives the larger R is taken.
        stocks: its vessels and stores.
        alphas: the least and the largest α there is.
    """
    graded = [s for s in stocks if s.critical > 0]
    seen = any(s.live is not None or s.last > s.design for s in graded)
    if not graded or (r > 0 and not seen):
        return None
    designed = math.fsum(s.beta * s.design / s.critical for s in graded)
    counted = math.fsum(s.beta * s.counted / s.critical for s in graded)
    if alpha is None and r > 0 and designed > 0 and len(graded) == len(stocks):
        alpha = min(max(r / designed, alphas[0]), alphas[1])
    low, high = (alpha, alpha) if alpha is not None else alphas
    if r <= 0:
        major = math.fsum(s.counted / s.critical for s in graded) >= 1
        return high * counted if major else 0.0 if seen else None
    more = counted - designed
    return max(0.0, r + max(low * more, high * more))
