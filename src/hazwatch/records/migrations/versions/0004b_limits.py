"""Two sets of limits, proposals, and why a limit changed.

Revision: 0004b.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004b"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PATH: TypeEngine[str] = sa.String(120).with_variant(sa.String(120, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "regulator_limit",
        sa.Column("point", _KEY, nullable=False),
        *(sa.Column(name, sa.Double()) for name in ("ll", "l", "h", "hh")),
        sa.Column("path", _PATH, nullable=False),
        sa.ForeignKeyConstraint(["point"], ["point.index"], name="fk_regulator_limit_point_point"),
        sa.PrimaryKeyConstraint("point", name="pk_regulator_limit"),
    )
    op.create_index("ix_regulator_limit_path", "regulator_limit", ["path"])
    op.create_table(
        "limit_proposal",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("which", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decision", sa.String(1000)),
        sa.Column("version", sa.Integer()),
        sa.Column("evidence_id", sa.String(36)),
        sa.Column("evidence", sa.Text()),
        sa.Column("path", _PATH, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_limit_proposal"),
    )
    op.create_index("ix_limit_proposal_path", "limit_proposal", ["path"])
    op.create_index("ix_limit_proposal_state", "limit_proposal", ["state"])
    _items()
    _why()


def _items() -> None:
    op.create_table(
        "limit_proposal_item",
        sa.Column("proposal", _KEY, nullable=False),
        sa.Column("point", _KEY, nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal"], ["limit_proposal.id"], name="fk_limit_proposal_item_proposal_limit_proposal"
        ),
        sa.ForeignKeyConstraint(["point"], ["point.index"], name="fk_limit_proposal_item_point_point"),
        sa.PrimaryKeyConstraint("proposal", "point", name="pk_limit_proposal_item"),
    )
    op.create_index("ix_limit_proposal_item_point", "limit_proposal_item", ["point"])


def _why() -> None:
    op.add_column("limit_change", sa.Column("which", sa.String(12)))
    op.add_column("limit_change", sa.Column("why", sa.String(1000)))
    op.add_column("limit_change", sa.Column("proposal", sa.Integer()))
    op.add_column("alarm", sa.Column("limit_set", sa.String(12)))
    op.create_index("ix_limit_change_point", "limit_change", ["point"])
    op.create_index("ix_alarm_event_to_state_event_time", "alarm_event", ["to_state", "event_time"])


def downgrade() -> None:
    op.drop_index("ix_alarm_event_to_state_event_time", "alarm_event")
    op.drop_index("ix_limit_change_point", "limit_change")
    op.drop_column("alarm", "limit_set")
    for column in ("proposal", "why", "which"):
        op.drop_column("limit_change", column)
    for table in ("limit_proposal_item", "limit_proposal", "regulator_limit"):
        op.drop_table(table)
