"""The recorded Tennessee Eastman alarm cases that lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "tep_alarms"
CASES = range(1, 21)
needs_cases = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recorded alarm cases beside the checkout")


def case(variant: str, number: int) -> Path:
    return FOLDER / variant / f"text_alarms_{variant}_{number}.csv"
