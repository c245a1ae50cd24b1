"""Slips say to which tiers their clocks have climbed; checks of the chains are kept with what they found.

Revision: 0011.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0011"
down_revision = "0012"
branch_labels = None
depends_on = None

_TIERS = {1: "due_park", 2: "due_county", 3: "due_city", 4: "due_province", 5: "due_ministry"}
_PART = 1_000


def upgrade() -> None:
    big, number = sa.BigInteger(), sa.Integer()
    for column in _TIERS.values():
        op.add_column("slip", sa.Column(column, big))
    _fill()
    for column in _TIERS.values():
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_slip_{column}", "slip", [column, "path", "state"], sqlite_where=there, postgresql_where=there
        )
    op.create_table(
        "slip_check",
        sa.Column("id", Key, nullable=False), sa.Column("state", sa.String(8), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        *(sa.Column(name, big, nullable=False) for name in ("at", "seen_at", "done", "total", "steps")),
        *(sa.Column(name, number, nullable=False) for name in ("slips", "attachments", "findings")),
        sa.Column("head", sa.String(64), nullable=False), sa.Column("audit_length", big, nullable=False),
        sa.Column("audit", sa.String(300), nullable=False), sa.PrimaryKeyConstraint("id", name="pk_slip_check"),
    )  # fmt: skip
    op.create_table(
        "slip_finding",
        sa.Column("id", Key, nullable=False), sa.Column("check", Key, nullable=False),
        sa.Column("slip", code_text(24), nullable=False), sa.Column("number", number, nullable=False),
        sa.Column("text", sa.String(500), nullable=False), sa.Column("path", code_text(PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_slip_finding"),
        sa.ForeignKeyConstraint(["check"], ["slip_check.id"], name="fk_slip_finding_check_slip_check"),
    )  # fmt: skip
    op.create_index("ix_slip_finding_check_slip", "slip_finding", ["check", "slip"])
    op.create_index("ix_slip_finding_path", "slip_finding", ["path"])


def _fill() -> None:
    """Of the open slips, from the clocks in their rows."""
    bind = op.get_bind()
    slip = sa.table("slip", *(sa.column(name) for name in ("id", "body", "due_at", *_TIERS.values())))
    last = ""
    while rows := bind.execute(
        sa.select(slip.c.id, slip.c.body).where(slip.c.id > last, slip.c.due_at.is_not(None))
        .order_by(slip.c.id).limit(_PART)
    ).all():  # fmt: skip
        last = rows[-1].id
        for row in rows:
            due: dict[str, int] = {}
            running = [c for c in json.loads(row.body)["clocks"].values() if c["stopped"] is None]
            for clock in sorted(running, key=lambda c: -c["due"]):
                due |= {_TIERS[tier]: clock["due"] for tier in clock["told"]}
            if due:
                bind.execute(sa.update(slip).where(slip.c.id == row.id).values(due))


def downgrade() -> None:
    op.drop_table("slip_finding")
    op.drop_table("slip_check")
    for column in _TIERS.values():
        op.drop_index(f"ix_slip_{column}", "slip")
        op.drop_column("slip", column)
