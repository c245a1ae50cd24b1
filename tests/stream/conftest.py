"""Fixtures of the stream tests."""

from __future__ import annotations

from tests.postgres import records

__all__ = ["records"]
