"""Alembic's entry. It only ever runs with a connection handed in by ``records.schema``: there is no alembic.ini."""

from __future__ import annotations

from alembic import context

from hazwatch.records.schema import load_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=load_tables().metadata,
    # SQLite cannot alter most things in place; batch mode copies the table.
    render_as_batch=True,
    transactional_ddl=False,  # the transaction is the unit of work around us
)
context.run_migrations()
