"""What a store of samples can do. ``store`` (chDB) and ``cluster`` (ClickHouse) both satisfy it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from hazwatch.samples.batch import SampleBatch

if TYPE_CHECKING:  # the web process asks for finished answers and has no need of the engine's tables
    import pyarrow as pa


class History(Protocol):
    """An open store."""

    async def insert_async(self, batch: SampleBatch, minutes: NDArray[np.void], token: str) -> None:
        """Insert samples and rollup rows; returns when both are durable. The same block inserts once."""

    async def select(self, sql: str, point: int | None = None) -> pa.Table:
        """Run a query that the caller builds from numbers only; ``point`` when it asks for one point only."""

    def close(self) -> None:
        """Close in good order."""
