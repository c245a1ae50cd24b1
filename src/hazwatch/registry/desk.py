"""What every use case of the registry needs at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hazwatch.records.engine import Sessions
from hazwatch.vocabulary.moments import Clock


def _nobody(version: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class RegistryDesk:
    """Session factory, clock, master key, and who is told of a new version.

    Attributes:
        sessions: factory of the records.
        clock: epoch ms of now.
        master_key: encrypts key material of gateways.
        on_change: called with the new version after an import is committed, in the importer's thread.
    """

    sessions: Sessions
    clock: Clock
    master_key: bytes = field(repr=False)
    on_change: Callable[[int], None] = _nobody
