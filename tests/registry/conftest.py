"""Fixtures of the record tests."""

from __future__ import annotations

import sys
from pathlib import Path

# Tests are no package (importlib mode), so the shared helper is found by its folder.
sys.path.append(str(Path(__file__).parents[2]))

from tests.postgres import empty_url, records

__all__ = ["empty_url", "records"]
