"""Fixtures of the tests of lists."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))

from tests.postgres import empty_url, records

__all__ = ["empty_url", "records"]
