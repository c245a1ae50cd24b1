"""Early warnings 风险预警: what they are about, who acts on them, and what one says.

The warning room raises and clears them; the slip room follows their disposal up. Both speak these words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from hazwatch.vocabulary.colours import Colour


class WarningKind(StrEnum):
    """What a warning is about: 重大危险源, 企业, 园区, 重点区域."""

    SOURCE = "source"
    ENTERPRISE = "enterprise"
    PARK = "park"
    REGION = "region"

    @property
    def zh(self) -> str:
        """The Chinese word on screen."""
        return _KIND_ZH[self]


class Tier(IntEnum):
    """The tiers that a warning goes to, lowest first; the next one up is the one that a clock escalates to."""

    ENTERPRISE = 0
    PARK = 1
    COUNTY = 2
    CITY = 3
    PROVINCE = 4
    MINISTRY = 5

    @property
    def word(self) -> str:
        """The name in the API: ``enterprise park county city province ministry``."""
        return self.name.lower()

    @property
    def zh(self) -> str:
        """The Chinese word: 企业/园区/县/市/省/部."""
        return ("企业", "园区", "县", "市", "省", "部")[self.value]


@dataclass(frozen=True, slots=True)
class WarningFacts:
    """A warning as it stands.

    Attributes:
        id: ``YJ`` + yyyymmdd of its birth (Asia/Shanghai) + running number of that day.
        kind, object, name, path: what it is about: code, name, path on the region tree.
        cause: machine word of the leading cause: id of a risk term (``A``, ``T`` …) or what ``warnings.model`` names.
        colour: as it stands now.
        raised_at: event time of its birth, epoch ms.
        grade: id of the grade that raised it; None when no grade did.
        reason: the sentence that a person reads.
        terms: JSON of the terms of that grade.
        data: JSON of the points in alarm then: value, unit, limit, since when.
        tiers, informed: who has to act on it, and who is told only.
    """

    id: str
    kind: WarningKind
    object: str
    name: str
    path: str
    cause: str
    colour: Colour
    raised_at: int
    grade: int | None
    reason: str
    terms: bytes
    data: bytes
    tiers: frozenset[Tier]
    informed: frozenset[Tier]


def tier_of(path: str) -> Tier:
    """The tier of a node by its path: ``/`` is the ministry, 6 digits a region, ``P…`` a park, else an enterprise."""
    code = path.rstrip("/").rpartition("/")[2]
    if not code:
        return Tier.MINISTRY
    if code.startswith("P"):
        return Tier.PARK
    if len(code) != 6:  # noqa: PLR2004  # adcodes of GB/T 2260 have six digits
        return Tier.ENTERPRISE
    if code.endswith("0000"):
        return Tier.PROVINCE
    return Tier.CITY if code.endswith("00") else Tier.COUNTY


def tiers_of(path: str) -> dict[Tier, str]:
    """Where on the tree each tier of an object is, by the paths above it; the ministry is above the tree."""
    parts = path.strip("/").split("/")
    places = ["/" + "/".join(parts[:n]) + "/" for n in range(1, len(parts) + 1)]
    return {Tier.MINISTRY: "/"} | {tier_of(place): place for place in places}


_KIND_ZH = {
    WarningKind.SOURCE: "重大危险源", WarningKind.ENTERPRISE: "企业", WarningKind.PARK: "园区",
    WarningKind.REGION: "重点区域",
}  # fmt: skip
