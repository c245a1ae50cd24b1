"""Fixtures of the alarm tests."""

from __future__ import annotations

from hypothesis import settings
from tests.postgres import records

# Compiled loops compile at their first call, and the machine may be busy: a law has no time limit of its own.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

__all__ = ["records"]
