"""The synthetic nation: gateways of 60 to 5,000 points, their enterprises, sources and points. Pure, from a seed.

Sizes follow a Pareto law (many small gateways, few large ones), half of the gateways speak Sparkplug B and half raw
frames. Every 20 points make a hazard source, so 460,000 points have 23,000 sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

SMALLEST, LARGEST = 60, 5_000
_SHAPE: Final = 1.2
PER_SOURCE: Final = 20
#: Cities of Henan, which have a node in the tree.
CITIES: Final = tuple(f"41{n:02d}00" for n in range(1, 18))
GROUP: Final = "bench"
#: Limits of every point, range 0…100: 低 5, 高 80, 高高 90.
LOW, HIGH, HIGH_HIGH, DEADBAND = 5.0, 80.0, 90.0, 1.0
_QUANTITIES: Final = (("YW", "液位", "m"), ("WD", "温度", "℃"), ("YL", "压力", "kPa"), ("LL", "流量", "m³/h"))


@dataclass(frozen=True, slots=True)
class Member:
    """One gateway.

    Attributes:
        number: from 1.
        code: 11 digits.
        enterprise: 9 digits.
        protocol: ``sparkplug`` or ``frames``.
        first, points: its dense point indices are ``first … first + points − 1``.
    """

    number: int
    code: str
    enterprise: str
    protocol: str
    first: int
    points: int


def sizes(points: int, seed: int, *, largest: int = LARGEST) -> list[int]:
    """Sizes of gateways that add up to ``points``."""
    rng = np.random.default_rng(seed)
    out: list[int] = []
    left = points
    share = 1.0 - (SMALLEST / largest) ** _SHAPE if largest > SMALLEST else 0.0
    while left > 0:
        drawn = int(SMALLEST / (1.0 - share * rng.random()) ** (1 / _SHAPE))
        size = min(left, drawn)
        size = left if left - size < SMALLEST and left <= largest else size
        out.append(size)
        left -= size
    return out


def fleet(points: int, seed: int = 1, *, largest: int = LARGEST) -> list[Member]:
    """All gateways of a nation of so many points."""
    members: list[Member] = []
    first = 0
    for n, size in enumerate(sizes(points, seed, largest=largest)):
        enterprise = f"{CITIES[n % len(CITIES)]}{n // len(CITIES) + 1:03d}"
        protocol = "sparkplug" if n % 2 == 0 else "frames"
        members.append(Member(n + 1, f"{enterprise}01", enterprise, protocol, first, size))
        first += size
    return members


def spare(members: list[Member], points: int) -> Member:
    """The gateway that backfills instead of taking part in the load: the last for raw frames with enough points.

    Raises:
        ValueError: no gateway is large enough.
    """
    found = [m for m in members if m.protocol == "frames" and m.points >= points]
    if not found:
        raise ValueError(f"没有 {points} 个指标的裸帧网关,请增加 --points")
    return found[-1]


def point_code(member: Member, n: int) -> str:
    """Code of the n-th point of a gateway, from 0."""
    quantity = _QUANTITIES[n % len(_QUANTITIES)][0]
    return f"{member.enterprise}{n // PER_SOURCE + 1:03d}G0001{quantity}{n % PER_SOURCE + 1:03d}"


def point_rows(member: Member, path: str) -> Iterator[dict[str, Any]]:
    """Rows of the point table."""
    for n in range(member.points):
        _, word, unit = _QUANTITIES[n % len(_QUANTITIES)]
        code = point_code(member, n)
        yield {
            "index": member.first + n, "code": code, "name": f"{word}{n % PER_SOURCE + 1}", "tag": None,
            "quantity": code[17:19], "unit": unit, "range_low": 0.0, "range_high": 100.0, "ll": None, "l": LOW,
            "h": HIGH, "hh": HIGH_HIGH, "deadband": DEADBAND, "on_delay_s": 0.0, "off_delay_s": 0.0,
            "equipment": code[:17], "source": code[:12], "enterprise": member.enterprise, "gateway": member.code,
            "address": code, "scale": 1.0, "offset": 0.0, "simulated": True, "limit_fault": None, "path": path,
        }  # fmt: skip
