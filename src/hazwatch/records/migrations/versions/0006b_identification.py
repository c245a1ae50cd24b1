"""Identifications after GB 18218, one row a version.

Revision: 0006b.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0006b"
down_revision = "0005b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identification",
        sa.Column("id", Key, nullable=False),
        sa.Column("source", code_text(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("unit_kind", code_text(12), nullable=False),
        sa.Column("boundary", sa.String(300), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("beta_choice", sa.String(12), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("path", code_text(PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identification"),
        sa.ForeignKeyConstraint(["source"], ["source.code"], name="fk_identification_source_source"),
        sa.UniqueConstraint("source", "version", name="uq_identification_source_version"),
    )
    op.create_index("ix_identification_path", "identification", ["path"])


def downgrade() -> None:
    op.drop_table("identification")
