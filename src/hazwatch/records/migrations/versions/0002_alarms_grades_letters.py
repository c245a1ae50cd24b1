"""Alarm records, grades, and what was refused.

Revision: 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PATH_LENGTH = 120


def _code(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _alarms()
    _events()
    _others()


def downgrade() -> None:
    for table in ("dead_letter", "grade", "stream_offset", "alarm_event", "alarm"):
        op.drop_table(table)


def _alarms() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", _code(36), nullable=False),
        sa.Column("point", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("worst_level", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("limit", sa.Double()),
        sa.Column("limit_version", sa.Integer(), nullable=False),
        sa.Column("event_time", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False),
        sa.Column("returned_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.String(64)),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("note", sa.String(500)),
        sa.Column("level_since", sa.BigInteger(), nullable=False),
        sa.Column("found_late", sa.Boolean(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("point_code", _code(22), nullable=False),
        sa.Column("point_name", sa.String(200), nullable=False),
        sa.Column("quantity", sa.String(2), nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("source", _code(12), nullable=False),
        sa.Column("source_name", sa.String(200), nullable=False),
        sa.Column("enterprise", _code(9), nullable=False),
        sa.Column("enterprise_name", sa.String(200), nullable=False),
        sa.Column("path", _code(_PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm"),
    )
    op.create_index("ix_alarm_state_event_time", "alarm", ["state", "event_time"])
    op.create_index("ix_alarm_point_event_time", "alarm", ["point", "event_time"])
    op.create_index("ix_alarm_event_time", "alarm", ["event_time"])
    for column in ("source", "enterprise", "path"):
        op.create_index(f"ix_alarm_{column}", "alarm", [column])


def _events() -> None:
    op.create_table(
        "alarm_event",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("alarm_id", _code(36), nullable=False),
        sa.Column("point", sa.Integer(), nullable=False),
        sa.Column("event_time", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("from_state", sa.String(32), nullable=False),
        sa.Column("to_state", sa.String(32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("limit", sa.Double()),
        sa.Column("limit_version", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(64)),
        sa.Column("note", sa.String(500)),
        sa.Column("found_late", sa.Boolean(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarm.id"], name="fk_alarm_event_alarm_id_alarm"),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_event"),
    )
    op.create_index("ix_alarm_event_alarm_id", "alarm_event", ["alarm_id"])
    op.create_index("ix_alarm_event_point_event_time", "alarm_event", ["point", "event_time"])
    op.create_table(
        "stream_offset",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("live", sa.BigInteger(), nullable=False),
        sa.Column("background", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_stream_offset"),
    )


def _others() -> None:
    op.create_table(
        "grade",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("object", _code(12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("model", sa.String(16), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("configuration", sa.String(64), nullable=False),
        sa.Column("path", _code(_PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_grade"),
    )
    op.create_index("ix_grade_object_at", "grade", ["object", "at"])
    op.create_index("ix_grade_path", "grade", ["path"])
    op.create_table(
        "dead_letter",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("path", _code(_PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letter"),
    )
    op.create_index("ix_dead_letter_at", "dead_letter", ["at"])
    op.create_index("ix_dead_letter_path", "dead_letter", ["path"])
