"""The fixture of a database, on each kind."""

from __future__ import annotations

from hypothesis import settings
from tests.postgres import records

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

__all__ = ["records"]
