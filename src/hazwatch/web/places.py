"""Where things are: codes of points by dense index, paths and names of enterprises. For the web process itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import facts
from hazwatch.vocabulary.codes import SOURCE_LENGTH
from hazwatch.vocabulary.moments import iso

#: A path that lies in nobody's scope.
_NOWHERE = ""
#: access.md §5: a point is stale when nothing new came for 5 minutes.
_GRACE_MS = 300_000


class Places:
    """A picture of the registry that is loaded again when it changes."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._points = facts.Points({}, {})
        #: Counts the pictures taken.
        self.version = 0
        self.sources: list[facts.SourceRow] = []
        #: Row in ``sources`` of every dense index, −1 = none, int32[P].
        self.source_of = np.zeros(0, np.int32)
        #: Row in ``gateway_codes`` of every dense index, −1 = none, int32[P].
        self.gateway_of = np.zeros(0, np.int32)
        self._masks: dict[str, NDArray[np.bool_]] = {}
        self._enterprises: dict[str, tuple[str, str]] = {}
        self._grace: dict[str, int] = {}
        self.simulated = False

    async def load(self) -> None:
        """Read the registry."""
        await asyncio.to_thread(self._load)

    def _load(self) -> None:
        with reading(self._sessions) as session:
            points = facts.Points.read(session)
            owners = facts.all_enterprises(session)
            gateways = facts.all_gateways(session)
            sources = facts.all_sources(session)
        self._points = points
        self._place_points(points, sources)
        self._enterprises = {e.code: (e.path, e.name) for e in owners}
        self._grace = {g.code: int(g.stale_after_s * 1000) for g in gateways}
        self.simulated = bool(points.simulated.any())

    def _place_points(self, points: facts.Points, sources: list[facts.SourceRow]) -> None:
        self.sources = sources
        size = int(points.index[-1]) + 1 if len(points) else 0
        self.source_of = np.full(size, -1, np.int32)
        self.gateway_of = np.full(size, -1, np.int32)
        if size and sources:
            codes = np.array([s.code for s in sources], f"S{SOURCE_LENGTH}")  # in the order of the codes
            own = points.code.astype(f"S{SOURCE_LENGTH}")
            at = np.minimum(np.searchsorted(codes, own), len(codes) - 1)
            self.source_of[points.index] = np.where(codes[at] == own, at, -1)
            self.gateway_of[points.index] = points.gateway
        self._masks = {}
        self.version += 1

    @property
    def size(self) -> int:
        """One more than the highest dense index."""
        return len(self.source_of)

    @property
    def gateway_codes(self) -> list[str]:
        """Codes of gateways, by the rows of ``gateway_of``."""
        return self._points.gateways

    def points_in(self, scope: str) -> NDArray[np.bool_]:
        """Which dense indices lie in a scope, bool[P]; remembered, because pages ask several times a second."""
        known = self._masks.get(scope)
        if known is None:
            inside = np.array([*(s.path.startswith(scope) for s in self.sources), False], np.bool_)
            known = self._masks[scope] = inside[self.source_of]
        return known

    def name(self, enterprise: str) -> str:
        """Name of an enterprise."""
        return self._enterprises.get(enterprise, ("", ""))[1]

    def code(self, index: int) -> str:
        """Code of a point."""
        point = self._points.get(index)
        return point.code if point else f"#{index}"

    def gateway(self, index: int) -> str:
        """Code of the gateway of a point."""
        point = self._points.get(index)
        return point.gateway if point else ""

    def grace_ms(self, gateway: str) -> int:
        """How long a gateway may be silent before its values are out of date."""
        return self._grace.get(gateway, _GRACE_MS)

    def path(self, enterprise: str) -> str:
        """Path of an enterprise; one that is not known lies in nobody's scope."""
        return self._enterprises.get(enterprise, (_NOWHERE, ""))[0]

    def link(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A link in the form of the API."""
        error = row["last_error"]
        return {
            **row,
            "enterprise_name": self._enterprises.get(row["enterprise"], ("", ""))[1],
            "last_data_at": iso(row["last_data_at"]) if row["last_data_at"] else None,
            "last_error": {"at": iso(error["at"]), "text": error["text"]} if error else None,
        }
