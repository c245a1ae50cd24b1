"""What-ifs and marked true events.

Revision: 0004c.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004c"
down_revision = "0004b"
branch_labels = None
depends_on = None

_KEY: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _code(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "whatif",
        sa.Column("id", _code(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("message", sa.String(500)),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("path", _code(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_whatif"),
    )
    op.create_index("ix_whatif_path", "whatif", ["path"])
    op.create_index("ix_whatif_state", "whatif", ["state"])
    op.create_table(
        "true_event",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("point", sa.Integer(), nullable=False),
        sa.Column("point_code", _code(22), nullable=False),
        sa.Column("point_name", sa.String(200), nullable=False),
        sa.Column("begin", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("alarm", _code(36)),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_true_event"),
    )
    op.create_index("ix_true_event_path", "true_event", ["path"])
    op.create_index("ix_true_event_point_code", "true_event", ["point_code"])


def downgrade() -> None:
    op.drop_table("true_event")
    op.drop_table("whatif")
