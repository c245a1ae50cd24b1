"""A real store per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from hazwatch.history.store import Store

# Compiled loops compile at their first call, and the machine may be busy: a law has no time limit of its own.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "history", 3_650)
    yield opened
    opened.close()
