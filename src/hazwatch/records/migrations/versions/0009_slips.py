"""Slips: steps, what they add up to, attachments, rules of regions.

Revision: 0009.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _column(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    path, big, number = code_text(PATH_LENGTH), sa.BigInteger(), sa.Integer()
    op.create_table(
        "slip",
        _column("id", code_text(24)), _column("warning", code_text(24)), _column("kind", sa.String(12)),
        _column("object", code_text(32)), _column("name", sa.String(200)), _column("cause", sa.String(40)),
        _column("state", sa.String(12)), _column("colour", number), _column("worst", number),
        _column("opened_at", big), _column("due_at", big, null=True), _column("wake_at", big, null=True),
        _column("cleared_at", big, null=True), _column("closed_at", big, null=True), _column("version", number),
        _column("body", sa.Text()), _column("path", path),
        sa.PrimaryKeyConstraint("id", name="pk_slip"),
    )  # fmt: skip
    for name in ("warning", "object", "opened_at", "wake_at", "path"):
        op.create_index(f"ix_slip_{name}", "slip", [name])
    op.create_index("ix_slip_state_due_at", "slip", ["state", "due_at"])
    op.create_table(
        "slip_step",
        _column("id", Key), _column("slip", code_text(24)), _column("number", number), _column("at", big),
        _column("username", sa.String(64)), _column("name", sa.String(100)), _column("action", sa.String(12)),
        _column("before", sa.String(12)), _column("after", sa.String(12)), _column("detail", sa.Text()),
        _column("digest", sa.String(64)), _column("path", path),
        sa.PrimaryKeyConstraint("id", name="pk_slip_step"),
    )  # fmt: skip
    op.create_index("ix_slip_step_slip_number", "slip_step", ["slip", "number"])
    op.create_index("ix_slip_step_path", "slip_step", ["path"])
    head = op.create_table(
        "slip_head",
        _column("id", number), _column("length", big), _column("digest", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_slip_head"),
    )  # fmt: skip
    op.bulk_insert(head, [{"id": 1, "length": 0, "digest": "0" * 64}])
    op.create_table(
        "slip_blob",
        _column("sha256", sa.String(64)), _column("content", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("sha256", name="pk_slip_blob"),
    )  # fmt: skip
    op.create_table(
        "slip_attachment",
        _column("id", Key), _column("slip", code_text(24)), _column("sha256", sa.String(64)),
        _column("original", sa.String(64)), _column("file_name", sa.String(200)), _column("media", sa.String(40)),
        _column("size", number), _column("taken", sa.String(24)), _column("at", big),
        _column("username", sa.String(64)), _column("name", sa.String(100)), _column("path", path),
        sa.PrimaryKeyConstraint("id", name="pk_slip_attachment"),
        sa.ForeignKeyConstraint(["slip"], ["slip.id"], name="fk_slip_attachment_slip_slip"),
        sa.ForeignKeyConstraint(["sha256"], ["slip_blob.sha256"], name="fk_slip_attachment_sha256_slip_blob"),
    )  # fmt: skip
    op.create_index("ix_slip_attachment_slip", "slip_attachment", ["slip"])
    op.create_index("ix_slip_attachment_path", "slip_attachment", ["path"])
    op.create_table(
        "slip_rules",
        _column("node", code_text(32)), _column("body", sa.Text()), _column("username", sa.String(64)),
        _column("at", big), _column("path", path),
        sa.PrimaryKeyConstraint("node", name="pk_slip_rules"),
    )  # fmt: skip
    op.create_index("ix_slip_rules_path", "slip_rules", ["path"])


def downgrade() -> None:
    for table in ("slip_rules", "slip_attachment", "slip_blob", "slip_head", "slip_step", "slip"):
        op.drop_table(table)
