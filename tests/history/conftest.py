"""A real store per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hazwatch.history.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "history", 3_650)
    yield opened
    opened.close()
