"""Warnings: what stands, its history, its receipts, the rules, how far grades are taken in, weather warnings.

Revision: 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _warnings()
    _rules()
    _weather()


def _warnings() -> None:
    path, big = code_text(PATH_LENGTH), sa.BigInteger()
    op.create_table(
        "warning",
        sa.Column("id", code_text(20), nullable=False), sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("object", code_text(32), nullable=False), sa.Column("name", sa.String(200), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False), sa.Column("causes", sa.Text(), nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False), sa.Column("worst", sa.Integer(), nullable=False),
        sa.Column("raised_at", big, nullable=False), sa.Column("changed_at", big, nullable=False),
        sa.Column("cleared_at", big, nullable=True), sa.Column("grade", big, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False), sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False), sa.Column("rules", sa.String(12), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False), sa.Column("path", path, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_warning"),
    )  # fmt: skip
    op.create_index("ix_warning_object_raised_at", "warning", ["object", "raised_at"])
    op.create_index("ix_warning_cleared_at_colour", "warning", ["cleared_at", "colour"])
    op.create_index("ix_warning_changed_at", "warning", ["changed_at"])
    op.create_index("ix_warning_path", "warning", ["path"])
    op.create_table(
        "warning_event",
        sa.Column("id", Key, nullable=False), sa.Column("warning", code_text(20), nullable=False),
        sa.Column("deed", sa.String(12), nullable=False), sa.Column("at", big, nullable=False),
        sa.Column("written_at", big, nullable=False), sa.Column("was", sa.Integer(), nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False), sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("grade", big, nullable=True), sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("path", path, nullable=False), sa.PrimaryKeyConstraint("id", name="pk_warning_event"),
    )  # fmt: skip
    op.create_index("ix_warning_event_warning", "warning_event", ["warning"])
    op.create_index("ix_warning_event_path", "warning_event", ["path"])
    op.create_table(
        "warning_receipt",
        sa.Column("id", Key, nullable=False), sa.Column("warning", code_text(20), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False), sa.Column("node", code_text(120), nullable=False),
        sa.Column("act", sa.Boolean(), nullable=False), sa.Column("why", sa.String(300), nullable=False),
        sa.Column("at", big, nullable=False), sa.Column("delivered_at", big, nullable=True),
        sa.Column("delivered_by", sa.String(100), nullable=True), sa.Column("seen_at", big, nullable=True),
        sa.Column("seen_by", sa.String(64), nullable=True), sa.Column("path", path, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_warning_receipt"),
        sa.UniqueConstraint("warning", "tier", name="uq_warning_receipt_warning_tier"),
    )  # fmt: skip
    op.create_index("ix_warning_receipt_node_seen_at", "warning_receipt", ["node", "seen_at"])
    op.create_index("ix_warning_receipt_path", "warning_receipt", ["path"])


def _rules() -> None:
    op.create_table(
        "warning_rules",
        sa.Column("id", Key, nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(12), nullable=False), sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("by", sa.String(64), nullable=False), sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_warning_rules"),
    )  # fmt: skip
    op.create_table(
        "warning_offset",
        sa.Column("name", code_text(32), nullable=False), sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_warning_offset"),
    )  # fmt: skip
    op.create_table(
        "warning_number",
        sa.Column("day", code_text(8), nullable=False), sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_warning_number"),
    )  # fmt: skip


def _weather() -> None:
    big = sa.BigInteger()
    op.create_table(
        "weather_signal",
        sa.Column("id", Key, nullable=False), sa.Column("ref", sa.String(100), nullable=False),
        sa.Column("origin", sa.String(100), nullable=False), sa.Column("area", code_text(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False), sa.Column("colour", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False), sa.Column("text", sa.Text(), nullable=False),
        sa.Column("begin", big, nullable=False), sa.Column("end", big, nullable=False),
        sa.Column("received_at", big, nullable=False), sa.Column("declared", sa.Text(), nullable=False),
        sa.Column("over_at", big, nullable=True), sa.Column("over_why", sa.String(200), nullable=True),
        sa.Column("path", code_text(PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_weather_signal"),
    )  # fmt: skip
    op.create_index("ix_weather_signal_ref", "weather_signal", ["ref"])
    op.create_index("ix_weather_signal_end", "weather_signal", ["end"])
    op.create_index("ix_weather_signal_path", "weather_signal", ["path"])


def downgrade() -> None:
    for table in (
        "weather_signal", "warning_number", "warning_offset", "warning_rules", "warning_receipt", "warning_event",
        "warning",
    ):  # fmt: skip
        op.drop_table(table)
