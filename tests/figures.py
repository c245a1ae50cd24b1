"""Figures that tests measure on the way: gathered here, printed at the end of the run whatever its verbosity."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Figures = Callable[[str], None]
MEASURED: list[str] = []


@pytest.fixture
def figures() -> Figures:
    """Takes a line to print in the summary."""
    return MEASURED.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MEASURED:
        terminalreporter.section("measured")
        for line in MEASURED:
            terminalreporter.write_line(line)
