"""Rules of warnings and clocks of slips become drafts that a second person puts in force.

What was in force stays in force; its author stands as who decided it.

Revision: 0010.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BEFORE_IT = "改为两人审批之前生效"


def _drafted() -> list[sa.Column[Any]]:
    return [
        sa.Column("state", sa.String(12), nullable=False), sa.Column("base", sa.String(12), nullable=False),
        sa.Column("digest", sa.String(12), nullable=False), sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("by", sa.String(64), nullable=False), sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(64)), sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decided_why", sa.String(1000)),
    ]  # fmt: skip


def upgrade() -> None:
    bind = op.get_bind()
    told = bind.execute(sa.text('SELECT id, body, digest, why, "by", at FROM warning_rules ORDER BY id')).mappings()
    warnings = [dict(row) for row in told]
    told = bind.execute(sa.text("SELECT node, body, username, at, path FROM slip_rules ORDER BY node")).mappings()
    slips = [dict(row) for row in told]
    op.drop_table("warning_rules")
    op.drop_table("slip_rules")
    rules = op.create_table(
        "warning_rules",
        sa.Column("id", Key, nullable=False), sa.Column("body", sa.Text(), nullable=False), *_drafted(),
        sa.PrimaryKeyConstraint("id", name="pk_warning_rules"),
    )  # fmt: skip
    clocks = op.create_table(
        "slip_rules",
        sa.Column("id", Key, nullable=False), sa.Column("node", code_text(32), nullable=False),
        sa.Column("body", sa.Text()), sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False), *_drafted(),
        sa.Column("path", code_text(PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_slip_rules"),
    )  # fmt: skip
    op.create_index("ix_slip_rules_node", "slip_rules", ["node"])
    op.create_index("ix_slip_rules_path", "slip_rules", ["path"])
    newest, base = warnings[-1]["id"] if warnings else 0, ""
    for row in warnings:
        decided = {"decided_by": row["by"], "decided_at": row["at"], "decided_why": _BEFORE_IT}
        state = "approved" if row["id"] == newest else "retired"
        op.bulk_insert(rules, [{k: v for k, v in row.items() if k != "id"} | decided | {"state": state, "base": base}])
        base = row["digest"]
    for row in slips:
        by, at = row["username"], row["at"]
        kept = {
            "node": row["node"], "path": row["path"], "body": row["body"], "before": "{}", "after": "{}",
            "state": "approved", "base": "", "digest": hashlib.sha256(row["body"].encode()).hexdigest()[:12],
            "why": _BEFORE_IT, "by": by,
            "at": at, "decided_by": by, "decided_at": at, "decided_why": _BEFORE_IT,
        }  # fmt: skip
        op.bulk_insert(clocks, [kept])


def downgrade() -> None:
    bind = op.get_bind()
    told = bind.execute(sa.text("SELECT id, body, digest, why, \"by\", at FROM warning_rules WHERE state = 'approved'"))
    warnings = [dict(row) for row in told.mappings()]
    told = bind.execute(sa.text("SELECT node, body, \"by\", at, path FROM slip_rules WHERE state = 'approved'"))
    slips = [dict(row) for row in told.mappings() if row["body"] is not None]
    op.drop_table("warning_rules")
    op.drop_table("slip_rules")
    rules = op.create_table(
        "warning_rules",
        sa.Column("id", Key, nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(12), nullable=False), sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("by", sa.String(64), nullable=False), sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_warning_rules"),
    )  # fmt: skip
    clocks = op.create_table(
        "slip_rules",
        sa.Column("node", code_text(32), nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("username", sa.String(64), nullable=False), sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("path", code_text(PATH_LENGTH), nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_slip_rules"),
    )  # fmt: skip
    op.create_index("ix_slip_rules_path", "slip_rules", ["path"])
    op.bulk_insert(rules, [{k: v for k, v in row.items() if k != "id"} for row in warnings])
    op.bulk_insert(clocks, [{"username" if k == "by" else k: v for k, v in row.items()} for row in slips])
