"""Files of enterprises and parks: heads, rows, changes, documents; rows of the registry that an import changed.

Revision: 0006a.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hazwatch.identity.scope import PATH_LENGTH
from hazwatch.records.base import Key, code_text

revision = "0006a"
down_revision = "0006b"
branch_labels = None
depends_on = None

TABLES = ("file_head", "file_row", "file_change", "file_document", "file_blob", "registry_row_change")


def upgrade() -> None:
    _files()
    _changes()
    _documents()


def downgrade() -> None:
    for table in ("registry_row_change", "file_document", "file_blob", "file_change", "file_row", "file_head"):
        op.drop_table(table)


def _path() -> sa.Column[str]:
    return sa.Column("path", code_text(PATH_LENGTH), nullable=False)


def _files() -> None:
    big = sa.BigInteger()
    op.create_table(
        "file_head",
        sa.Column("owner", code_text(16), nullable=False), sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False), sa.Column("changed_at", big, nullable=True),
        sa.Column("score", sa.Double(), nullable=False), sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("expired", sa.Integer(), nullable=False), sa.Column("ending", sa.Integer(), nullable=False),
        sa.Column("due", big, nullable=False), _path(),
        sa.PrimaryKeyConstraint("owner", name="pk_file_head"),
    )  # fmt: skip
    op.create_index("ix_file_head_due", "file_head", ["due"])
    op.create_index("ix_file_head_path", "file_head", ["path"])
    op.create_table(
        "file_row",
        sa.Column("owner", code_text(16), nullable=False), sa.Column("group", code_text(24), nullable=False),
        sa.Column("row", code_text(36), nullable=False), sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("ends", code_text(10), nullable=True), _path(),
        sa.PrimaryKeyConstraint("owner", "group", "row", name="pk_file_row"),
    )  # fmt: skip
    for column in ("group", "ends", "path"):
        op.create_index(f"ix_file_row_{column}", "file_row", [column])


def _changes() -> None:
    big = sa.BigInteger()
    op.create_table(
        "file_change",
        sa.Column("id", Key, nullable=False), sa.Column("owner", code_text(16), nullable=False),
        sa.Column("state", sa.String(12), nullable=False), sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("at", big, nullable=False), sa.Column("who", sa.String(64), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False), sa.Column("source", sa.String(200), nullable=False),
        sa.Column("ops", sa.Text(), nullable=False), sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("decided_at", big, nullable=True), sa.Column("decision", sa.String(1000), nullable=True),
        sa.Column("registry_version", sa.Integer(), nullable=True), _path(),
        sa.PrimaryKeyConstraint("id", name="pk_file_change"),
    )  # fmt: skip
    for column in ("owner", "state", "path"):
        op.create_index(f"ix_file_change_{column}", "file_change", [column])
    op.create_table(
        "registry_row_change",
        sa.Column("version", sa.Integer(), nullable=False), sa.Column("sheet", sa.String(12), nullable=False),
        sa.Column("code", code_text(22), nullable=False), sa.Column("at", big, nullable=False),
        sa.Column("old", sa.Text(), nullable=True), _path(),
        sa.PrimaryKeyConstraint("version", "sheet", "code", name="pk_registry_row_change"),
    )  # fmt: skip
    op.create_index("ix_registry_row_change_code", "registry_row_change", ["code"])
    op.create_index("ix_registry_row_change_path", "registry_row_change", ["path"])


def _documents() -> None:
    big = sa.BigInteger()
    op.create_table(
        "file_blob",
        sa.Column("sha256", sa.String(64), nullable=False), sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_file_blob"),
    )  # fmt: skip
    op.create_table(
        "file_document",
        sa.Column("id", Key, nullable=False), sa.Column("owner", code_text(16), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False), sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False), sa.Column("title", sa.String(200), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False), sa.Column("media", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False), sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("valid_to", sa.String(10), nullable=True), sa.Column("at", big, nullable=False),
        sa.Column("who", sa.String(64), nullable=False), sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("withdrawn_at", big, nullable=True), sa.Column("withdrawn_by", sa.String(64), nullable=True),
        _path(),
        sa.PrimaryKeyConstraint("id", name="pk_file_document"),
        sa.ForeignKeyConstraint(["sha256"], ["file_blob.sha256"], name="fk_file_document_sha256_file_blob"),
    )  # fmt: skip
    for column in ("owner", "series", "path"):
        op.create_index(f"ix_file_document_{column}", "file_document", [column])
