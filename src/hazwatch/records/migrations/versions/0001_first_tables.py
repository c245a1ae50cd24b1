"""The first tables: identity and registry.

Revision: 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _code(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _identity()
    _sites()
    _points()
    _rows()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


_TABLES = (
    "node",
    "account",
    "web_session",
    "token",
    "audit",
    "audit_head",
    "counter",
    "park",
    "enterprise",
    "source",
    "equipment",
    "registry_version",
    "gateway",
    "point",
    "limit_change",
)


def _rows() -> None:
    """The rows on which writers queue stand from the beginning, so that nobody races to make them."""
    head = sa.table("audit_head", sa.column("id"), sa.column("length"), sa.column("digest"))
    op.bulk_insert(head, [{"id": 1, "length": 0, "digest": "0" * 64}])
    counter = sa.table("counter", sa.column("name"), sa.column("next"))
    first = {"point": 0, "gateway": 1, "registry_version": 1, "limit_version": 1}
    op.bulk_insert(counter, [{"name": name, "next": number} for name, number in first.items()])


def _identity() -> None:
    op.create_table(
        "node",
        sa.Column("code", _code(32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("parent", _code(32), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["node.code"], name="fk_node_parent_node"),
        sa.PrimaryKeyConstraint("code", name="pk_node"),
    )
    op.create_index("ix_node_parent", "node", ["parent"])
    op.create_index("ix_node_path", "node", ["path"])
    op.create_table(
        "account",
        sa.Column("username", _code(64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("scope_code", _code(32), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["scope_code"], ["node.code"], name="fk_account_scope_code_node"),
        sa.PrimaryKeyConstraint("username", name="pk_account"),
    )
    op.create_index("ix_account_path", "account", ["path"])
    op.create_table(
        "web_session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("username", _code(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["account.username"], name="fk_web_session_username_account"),
        sa.PrimaryKeyConstraint("id_hash", name="pk_web_session"),
    )
    op.create_index("ix_web_session_username", "web_session", ["username"])
    op.create_table(
        "token",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("scope_code", _code(32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["scope_code"], ["node.code"], name="fk_token_scope_code_node"),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("secret_hash", name="uq_token_secret_hash"),
    )
    op.create_index("ix_token_path", "token", ["path"])
    op.create_table(
        "audit",
        sa.Column("id", _KEY, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_path", "audit", ["path"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )


def _sites() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counter"),
    )
    op.create_table(
        "park",
        sa.Column("code", _code(16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("region", _code(32), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["region"], ["node.code"], name="fk_park_region_node"),
        sa.PrimaryKeyConstraint("code", name="pk_park"),
    )
    op.create_index("ix_park_path", "park", ["path"])
    op.create_table(
        "enterprise",
        sa.Column("code", _code(9), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("region", _code(32), nullable=False),
        sa.Column("park", _code(16), nullable=True),
        sa.Column("credit_code", sa.String(length=18), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["park"], ["park.code"], name="fk_enterprise_park_park"),
        sa.ForeignKeyConstraint(["region"], ["node.code"], name="fk_enterprise_region_node"),
        sa.PrimaryKeyConstraint("code", name="pk_enterprise"),
    )
    op.create_index("ix_enterprise_path", "enterprise", ["path"])
    op.create_table(
        "source",
        sa.Column("code", _code(12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("enterprise", _code(9), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("r", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["enterprise"], ["enterprise.code"], name="fk_source_enterprise_enterprise"),
        sa.PrimaryKeyConstraint("code", name="pk_source"),
    )
    op.create_index("ix_source_enterprise", "source", ["enterprise"])
    op.create_index("ix_source_path", "source", ["path"])
    op.create_table(
        "equipment",
        sa.Column("code", _code(17), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source", _code(12), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("medium", sa.String(length=100), nullable=True),
        sa.Column("cas", sa.String(length=20), nullable=True),
        sa.Column("form", sa.String(length=40), nullable=True),
        sa.Column("capacity_m3", sa.Double(), nullable=True),
        sa.Column("diameter_m", sa.Double(), nullable=True),
        sa.Column("height_m", sa.Double(), nullable=True),
        sa.Column("design_t", sa.Double(), nullable=True),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["source.code"], name="fk_equipment_source_source"),
        sa.PrimaryKeyConstraint("code", name="pk_equipment"),
    )
    op.create_index("ix_equipment_path", "equipment", ["path"])
    op.create_index("ix_equipment_source", "equipment", ["source"])
    op.create_table(
        "registry_version",
        sa.Column("version", _KEY, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_registry_version"),
    )
    op.create_index("ix_registry_version_path", "registry_version", ["path"])


def _points() -> None:
    op.create_table(
        "gateway",
        sa.Column("number", _KEY, autoincrement=False, nullable=False),
        sa.Column("code", _code(11), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("protocol", sa.String(length=20), nullable=False),
        sa.Column("enterprise", _code(9), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("secret_shown_at", sa.BigInteger(), nullable=True),
        sa.Column("stale_after_s", sa.Double(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["enterprise"], ["enterprise.code"], name="fk_gateway_enterprise_enterprise"),
        sa.PrimaryKeyConstraint("number", name="pk_gateway"),
        sa.UniqueConstraint("code", name="uq_gateway_code"),
    )
    op.create_index("ix_gateway_enterprise", "gateway", ["enterprise"])
    op.create_index("ix_gateway_path", "gateway", ["path"])
    op.create_table(
        "point",
        sa.Column("index", _KEY, autoincrement=False, nullable=False),
        sa.Column("code", _code(22), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=True),
        sa.Column("quantity", sa.String(length=2), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("range_low", sa.Double(), nullable=False),
        sa.Column("range_high", sa.Double(), nullable=False),
        sa.Column("ll", sa.Double(), nullable=True),
        sa.Column("l", sa.Double(), nullable=True),
        sa.Column("h", sa.Double(), nullable=True),
        sa.Column("hh", sa.Double(), nullable=True),
        sa.Column("deadband", sa.Double(), nullable=False),
        sa.Column("on_delay_s", sa.Double(), nullable=False),
        sa.Column("off_delay_s", sa.Double(), nullable=False),
        sa.Column("equipment", _code(17), nullable=False),
        sa.Column("source", _code(12), nullable=False),
        sa.Column("enterprise", _code(9), nullable=False),
        sa.Column("gateway", _code(11), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("scale", sa.Double(), nullable=False),
        sa.Column("offset", sa.Double(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("limit_fault", sa.String(length=500), nullable=True),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["enterprise"], ["enterprise.code"], name="fk_point_enterprise_enterprise"),
        sa.ForeignKeyConstraint(["equipment"], ["equipment.code"], name="fk_point_equipment_equipment"),
        sa.ForeignKeyConstraint(["gateway"], ["gateway.code"], name="fk_point_gateway_gateway"),
        sa.ForeignKeyConstraint(["source"], ["source.code"], name="fk_point_source_source"),
        sa.PrimaryKeyConstraint("index", name="pk_point"),
        sa.UniqueConstraint("code", name="uq_point_code"),
    )
    op.create_index("ix_point_enterprise", "point", ["enterprise"])
    op.create_index("ix_point_equipment", "point", ["equipment"])
    op.create_index("ix_point_gateway", "point", ["gateway"])
    op.create_index("ix_point_path", "point", ["path"])
    op.create_index("ix_point_source", "point", ["source"])
    op.create_table(
        "limit_change",
        sa.Column("version", _KEY, autoincrement=False, nullable=False),
        sa.Column("point", _KEY, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("path", _code(120), nullable=False),
        sa.ForeignKeyConstraint(["point"], ["point.index"], name="fk_limit_change_point_point"),
        sa.PrimaryKeyConstraint("version", "point", name="pk_limit_change"),
    )
    op.create_index("ix_limit_change_path", "limit_change", ["path"])
