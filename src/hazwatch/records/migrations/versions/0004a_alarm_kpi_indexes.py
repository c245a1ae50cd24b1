"""Indexes that the alarm KPIs of one room read by.

Revision: 0004a.
"""

from __future__ import annotations

from alembic import op

revision = "0004a"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_alarm_enterprise_event_time": ("alarm", ["enterprise", "event_time"]),
    "ix_alarm_enterprise_returned_at": ("alarm", ["enterprise", "returned_at"]),
    "ix_alarm_event_cause_event_time": ("alarm_event", ["cause", "event_time"]),
}


def upgrade() -> None:
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
