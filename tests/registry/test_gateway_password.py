"""The password with which we sign in at a gateway: kept sealed, handed to access, never shown."""

from __future__ import annotations

import pytest
from tests.nodes import ENTERPRISE, GATEWAY
from tests.registry.support import REGIONS

from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM
from hazwatch.identity.tree import place
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.registry import model as rows
from hazwatch.registry import service
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.directory import directory

KEY = bytes(32)


def desk_with(records: Sessions, gateway: rows.GatewayRow, changes: list[int]) -> RegistryDesk:
    with unit_of_work(records) as session:
        place(session, REGIONS)
    desk = RegistryDesk(records, lambda: 1, KEY, changes.append)
    enterprise = rows.EnterpriseRow(ENTERPRISE, "试验", "410900")
    service.seed(desk, SYSTEM, rows.Description(enterprises=(enterprise,), gateways=(gateway,)), "test")
    return desk


def test_it_is_sealed_and_reaches_access(records: Sessions):
    changes: list[int] = []
    desk = desk_with(records, rows.GatewayRow(GATEWAY, "控制系统", "opcua", "opc.tcp://127.0.0.1:4840"), changes)
    service.set_gateway_password(desk, SYSTEM, GATEWAY, "s3cret-一")

    with reading(records) as session:
        link = directory(session, KEY).links[GATEWAY]
    assert link.secret.decode() == "s3cret-一"
    assert "s3cret" not in repr(link)
    assert len(changes) == 2


def test_a_national_gateway_has_no_password(records: Sessions):
    desk = desk_with(records, rows.GatewayRow(GATEWAY, "网关", "national"), [])
    with pytest.raises(ApiError, match="没有登录口令"):
        service.set_gateway_password(desk, SYSTEM, GATEWAY, "x")
