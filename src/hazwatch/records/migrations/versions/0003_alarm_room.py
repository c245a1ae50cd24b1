"""The alarm room: nine states, holds, suppression by design, guidance, comments, hand-over, exports.

Revision: 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0004a"
branch_labels = None
depends_on = None

_KEY: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PATH_LENGTH = 120


def _code(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _text(name: str, length: int, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _path() -> sa.Column[str]:
    return sa.Column("path", _code(_PATH_LENGTH), nullable=False)


def upgrade() -> None:
    _alarm_columns()
    _holds()
    _rules_and_settings()
    _notes_and_exports()


def downgrade() -> None:
    for table in (
        "alarm_export", "handover", "alarm_comment", "alarm_setting_change", "alarm_setting", "suppression_rule",
        "alarm_hold",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_index("ix_alarm_event_event_time", "alarm_event")
    for index in ("ix_alarm_closed_at", "ix_alarm_first_out", "ix_alarm_seq"):
        op.drop_index(index, "alarm")
    for column in ("latched", "silenced_in", "first_out", "aside_by", "aside_why", "aside_until", "aside_mode", "seq"):
        op.drop_column("alarm", column)


def _alarm_columns() -> None:
    for column, default in (
        (sa.Column("latched", sa.Boolean(), nullable=False), sa.false()),
        (sa.Column("silenced_in", sa.Text(), nullable=False), ""),
        (sa.Column("first_out", _code(36), nullable=False), ""),
        (sa.Column("seq", sa.BigInteger(), nullable=False), "0"),
    ):
        column.server_default = sa.DefaultClause(default)
        op.add_column("alarm", column)
    op.add_column("alarm", _text("aside_by", 200, null=True))
    op.add_column("alarm", _text("aside_why", 500, null=True))
    op.add_column("alarm", _moment("aside_until", null=True))
    op.add_column("alarm", _text("aside_mode", 16, null=True))
    op.create_index("ix_alarm_closed_at", "alarm", ["closed_at"])
    op.create_index("ix_alarm_first_out", "alarm", ["first_out"])
    op.create_index("ix_alarm_seq", "alarm", ["seq"])
    op.create_index("ix_alarm_event_event_time", "alarm_event", ["event_time"])


def _holds() -> None:
    op.create_table(
        "alarm_hold",
        sa.Column("id", _code(36), nullable=False),
        _text("kind", 16),
        sa.Column("point", sa.Integer(), nullable=False),
        _text("alarm_kind", 16),
        _text("levels", 20),
        _text("status", 16),
        _text("mode", 16),
        _text("reason", 500),
        _text("by", 200),
        _moment("at"),
        _moment("until", null=True),
        _text("approved_by", 64, null=True),
        _moment("approved_at", null=True),
        _text("ended_by", 64, null=True),
        _moment("ended_at", null=True),
        _text("end_note", 500, null=True),
        sa.Column("rule", _code(36), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("point_code", _code(22), nullable=False),
        _text("point_name", 200),
        sa.Column("source", _code(12), nullable=False),
        _text("source_name", 200),
        sa.Column("enterprise", _code(9), nullable=False),
        _text("enterprise_name", 200),
        _path(),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_hold"),
    )
    op.create_index("ix_alarm_hold_status_kind", "alarm_hold", ["status", "kind"])
    op.create_index("ix_alarm_hold_point", "alarm_hold", ["point"])
    op.create_index("ix_alarm_hold_path", "alarm_hold", ["path"])


def _rules_and_settings() -> None:
    op.create_table(
        "suppression_rule",
        sa.Column("id", _code(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("name", 200),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        _text("note", 500),
        _text("by", 64),
        _moment("at"),
        _path(),
        sa.PrimaryKeyConstraint("id", "version", name="pk_suppression_rule"),
    )
    op.create_index("ix_suppression_rule_path", "suppression_rule", ["path"])
    op.create_table(
        "alarm_setting",
        _text("topic", 16),
        sa.Column("node", _code(32), nullable=False),
        _text("part", 16),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _path(),
        sa.PrimaryKeyConstraint("topic", "node", "part", name="pk_alarm_setting"),
    )
    op.create_index("ix_alarm_setting_path", "alarm_setting", ["path"])
    op.create_table(
        "alarm_setting_change",
        sa.Column("id", _KEY, nullable=False),
        _text("topic", 16),
        sa.Column("node", _code(32), nullable=False),
        _text("part", 16),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        _text("by", 64),
        _moment("at"),
        _path(),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_setting_change"),
    )
    op.create_index("ix_alarm_setting_change_node_topic", "alarm_setting_change", ["node", "topic"])
    op.create_index("ix_alarm_setting_change_path", "alarm_setting_change", ["path"])


def _notes_and_exports() -> None:
    op.create_table(
        "alarm_comment",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("alarm_id", _code(36), nullable=False),
        _text("by", 64),
        _text("by_name", 100),
        _moment("at"),
        _text("text", 2000),
        _path(),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarm.id"], name="fk_alarm_comment_alarm_id_alarm"),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_comment"),
    )
    op.create_index("ix_alarm_comment_alarm_id", "alarm_comment", ["alarm_id"])
    op.create_index("ix_alarm_comment_path", "alarm_comment", ["path"])
    op.create_table(
        "handover",
        sa.Column("id", _KEY, nullable=False),
        _moment("at"),
        sa.Column("scope_code", _code(32), nullable=False),
        _text("shift", 40),
        _text("from_user", 64),
        _text("from_name", 100),
        _text("to_user", 64),
        _text("to_name", 100),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("open_count", sa.Integer(), nullable=False),
        sa.Column("frozen", sa.LargeBinary(), nullable=False),
        _text("sha256", 64),
        _moment("accepted_at", null=True),
        _text("accepted_by", 64, null=True),
        _text("remark", 500, null=True),
        _path(),
        sa.PrimaryKeyConstraint("id", name="pk_handover"),
    )
    op.create_index("ix_handover_at", "handover", ["at"])
    op.create_index("ix_handover_path", "handover", ["path"])
    op.create_table(
        "alarm_export",
        sa.Column("id", _KEY, nullable=False),
        _moment("at"),
        _text("by", 64),
        _text("format", 10),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        _moment("size"),
        _text("sha256", 64),
        _path(),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_export"),
    )
    op.create_index("ix_alarm_export_sha256", "alarm_export", ["sha256"])
    op.create_index("ix_alarm_export_path", "alarm_export", ["path"])
