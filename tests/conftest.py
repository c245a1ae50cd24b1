"""Shared by all tests."""

from __future__ import annotations

import sys
from pathlib import Path

# Tests are no package (importlib mode), so shared helpers are found from the root of the checkout.
sys.path.append(str(Path(__file__).parents[1]))

from tests.figures import figures, pytest_terminal_summary  # found only from here on

__all__ = ["figures", "pytest_terminal_summary"]
