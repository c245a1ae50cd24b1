"""Fixtures of the web tests."""

from __future__ import annotations

import pytest
from tests.postgres import records
from tests.web.support import Site, build

__all__ = ["records"]


@pytest.fixture
def site(records, tmp_path) -> Site:
    return build(records, tmp_path)
