"""Fixtures of the web tests. What differs by database is tested where the queries live; here SQLite stands for both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.alarms.support import scratch
from tests.web.support import Site, build

from hazwatch.records import Sessions


@pytest.fixture
def records() -> Iterator[Sessions]:
    with scratch() as sessions:
        yield sessions


@pytest.fixture
def site(records, tmp_path) -> Site:
    return build(records, tmp_path)
