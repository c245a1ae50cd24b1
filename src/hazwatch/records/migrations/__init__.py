"""Revisions of the tables, run by ``records.migrate`` from inside the wheel."""
