"""Risk: models of single units, learned from their own history.

Revision: 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger()
    op.create_table(
        "risk_unit_model",
        sa.Column("id", Key, nullable=False), sa.Column("object", code_text(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False), sa.Column("state", sa.String(10), nullable=False),
        sa.Column("begin", big, nullable=False), sa.Column("end", big, nullable=False),
        sa.Column("message", sa.String(500), nullable=False), sa.Column("body", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(12), nullable=True),
        sa.Column("by", sa.String(64), nullable=False), sa.Column("at", big, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=True), sa.Column("decided_at", big, nullable=True),
        sa.Column("decided_why", sa.String(1000), nullable=True),
        sa.Column("path", code_text(PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_risk_unit_model"),
    )  # fmt: skip
    for name in ("object", "state", "path"):
        op.create_index(f"ix_risk_unit_model_{name}", "risk_unit_model", [name])


def downgrade() -> None:
    op.drop_table("risk_unit_model")
