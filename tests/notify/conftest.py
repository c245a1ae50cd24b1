"""The fixture of a database, on each kind."""

from tests.postgres import records

__all__ = ["records"]
