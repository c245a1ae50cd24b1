"""Messages that leave the node: channels, routes and duty lists, calendar, items, messages, offset.

Revision: 0005b.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0005b"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("notice_channel", "notice_rule", "notice_day", "notice_item", "notice_message", "notice_offset")


def upgrade() -> None:
    path, big = code_text(PATH_LENGTH), sa.BigInteger()
    op.create_table(
        "notice_channel",
        sa.Column("id", code_text(36), nullable=False), sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False), sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False), sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", big, nullable=False), sa.Column("path", path, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice_channel"),
    )  # fmt: skip
    op.create_table(
        "notice_rule",
        sa.Column("id", code_text(36), nullable=False), sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(100), nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False), sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", big, nullable=False), sa.Column("path", path, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice_rule"),
    )  # fmt: skip
    op.create_table(
        "notice_day",
        sa.Column("day", sa.String(10), nullable=False), sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False), sa.PrimaryKeyConstraint("day", name="pk_notice_day"),
    )  # fmt: skip
    op.create_table(
        "notice_item",
        sa.Column("id", Key, nullable=False), sa.Column("alarm_id", code_text(36), nullable=False),
        sa.Column("channel", code_text(36), nullable=False), sa.Column("route", code_text(36), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False), sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("at", big, nullable=False), sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=True), sa.Column("path", path, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice_item"),
        sa.UniqueConstraint(
            "alarm_id", "channel", "priority", "escalated", name="uq_notice_item_alarm_id_channel_priority_escalated"
        ),
    )  # fmt: skip
    op.create_index("ix_notice_item_message", "notice_item", ["message"])
    op.create_table(
        "notice_message",
        sa.Column("id", Key, nullable=False), sa.Column("channel", code_text(36), nullable=False),
        sa.Column("channel_name", sa.String(100), nullable=False), sa.Column("title", sa.String(300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False), sa.Column("alarms", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False), sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", big, nullable=False), sa.Column("at", big, nullable=False),
        sa.Column("sent_at", big, nullable=True), sa.Column("outcome", sa.String(300), nullable=False),
        sa.Column("path", path, nullable=False), sa.PrimaryKeyConstraint("id", name="pk_notice_message"),
    )  # fmt: skip
    op.create_index("ix_notice_message_state_due", "notice_message", ["state", "due"])
    op.create_table(
        "notice_offset",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("seq", big, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_notice_offset"),
    )
    for table in ("notice_channel", "notice_rule", "notice_item", "notice_message"):
        op.create_index(f"ix_{table}_path", table, ["path"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
