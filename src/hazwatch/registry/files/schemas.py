"""The declarations by kind and by code of the owner."""

from __future__ import annotations

from collections.abc import Mapping

from hazwatch.registry.files.enterprise import ENTERPRISE
from hazwatch.registry.files.model import OwnerKind, Schema
from hazwatch.registry.files.park import PARK

SCHEMAS: Mapping[OwnerKind, Schema] = {OwnerKind.ENTERPRISE: ENTERPRISE, OwnerKind.PARK: PARK}


def kind_of(code: str) -> OwnerKind:
    """Whose file a code names: parks begin with P, enterprises are digits."""
    return OwnerKind.PARK if code.startswith("P") else OwnerKind.ENTERPRISE
