"""Where things are: codes of points by dense index, paths and names of enterprises. For the web process itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import facts
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
        self._points = points
        self._enterprises = {e.code: (e.path, e.name) for e in owners}
        self._grace = {g.code: int(g.stale_after_s * 1000) for g in gateways}
        self.simulated = bool(points.simulated.any())

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
