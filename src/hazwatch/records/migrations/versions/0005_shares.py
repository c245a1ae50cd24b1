"""Fences and offsets of shares that several machines take over from each other.

Revision: 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    fence = op.create_table(
        "fence",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_fence"),
    )
    # The row on which the writers of all shares take turns.
    op.bulk_insert(fence, [{"name": "*", "token": 0}])
    op.create_table(
        "history_offset",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("live", sa.BigInteger(), nullable=False),
        sa.Column("background", sa.BigInteger(), nullable=False),
        sa.Column("next_live", sa.BigInteger()),
        sa.Column("next_background", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_history_offset"),
    )


def downgrade() -> None:
    op.drop_table("history_offset")
    op.drop_table("fence")
