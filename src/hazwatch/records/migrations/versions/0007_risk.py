"""Risk: declared records, configurations of the models, what shadows see.

Revision: 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0007"
down_revision = "0006a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    path, big = code_text(PATH_LENGTH), sa.BigInteger()
    op.create_table(
        "risk_declared",
        sa.Column("id", Key, nullable=False), sa.Column("object", code_text(16), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("begin", big, nullable=False), sa.Column("end", big, nullable=False),
        sa.Column("by", sa.String(64), nullable=False), sa.Column("at", big, nullable=False),
        sa.Column("withdrawn_by", sa.String(64), nullable=True), sa.Column("withdrawn_at", big, nullable=True),
        sa.Column("withdrawn_why", sa.String(300), nullable=True), sa.Column("path", path, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_risk_declared"),
    )  # fmt: skip
    op.create_index("ix_risk_declared_object", "risk_declared", ["object"])
    op.create_index("ix_risk_declared_end", "risk_declared", ["end"])
    op.create_index("ix_risk_declared_path", "risk_declared", ["path"])
    op.create_table(
        "risk_configuration",
        sa.Column("id", Key, nullable=False), sa.Column("name", sa.String(100), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(12), nullable=False), sa.Column("base", sa.String(12), nullable=False),
        sa.Column("state", sa.String(10), nullable=False), sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("shadow_since", big, nullable=True), sa.Column("backtest", sa.Text(), nullable=True),
        sa.Column("by", sa.String(64), nullable=False), sa.Column("at", big, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=True), sa.Column("decided_at", big, nullable=True),
        sa.Column("decided_why", sa.String(1000), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_risk_configuration"),
    )  # fmt: skip
    op.create_index("ix_risk_configuration_digest", "risk_configuration", ["digest"])
    op.create_table(
        "risk_shadow",
        sa.Column("id", Key, nullable=False), sa.Column("configuration", sa.Integer(), nullable=False),
        sa.Column("object", code_text(12), nullable=False), sa.Column("at", big, nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False), sa.Column("score", sa.Double(), nullable=False),
        sa.Column("live_colour", sa.Integer(), nullable=False), sa.Column("live_score", sa.Double(), nullable=False),
        sa.Column("path", path, nullable=False), sa.PrimaryKeyConstraint("id", name="pk_risk_shadow"),
    )  # fmt: skip
    op.create_index("ix_risk_shadow_configuration_at", "risk_shadow", ["configuration", "at"])
    op.create_index("ix_risk_shadow_path", "risk_shadow", ["path"])


def downgrade() -> None:
    for table in ("risk_shadow", "risk_configuration", "risk_declared"):
        op.drop_table(table)
