"""Fixtures of these tests; they stand in tests/links.py, which access and simulator share."""

from __future__ import annotations

from tests.links import board, clock, eventually, free_port, holder, intake, link, nan, nats, running

__all__ = ["board", "clock", "eventually", "free_port", "holder", "intake", "link", "nan", "nats", "running"]
