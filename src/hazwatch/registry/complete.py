"""From a row as written to the columns of its table: owners taken from the code, defaults filled in. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from hazwatch.registry.model import (
    ADDRESS_IS_CODE,
    DEFAULT_OFF_DELAY_S,
    EnterpriseRow,
    EquipmentRow,
    GatewayRow,
    ParkRow,
    PointRow,
    SourceRow,
    equipment_kind,
    faults_of,
    span_share,
)
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH, EQUIPMENT_LENGTH, SOURCE_LENGTH
from hazwatch.vocabulary.quantities import QUANTITIES

Values = dict[str, Any]


def park_values(row: ParkRow) -> Values:
    """Columns of a park."""
    return asdict(row)


def enterprise_values(row: EnterpriseRow) -> Values:
    """Columns of an enterprise."""
    return asdict(replace(row, region=row.region or row.code[:6]))


def source_values(row: SourceRow) -> Values:
    """Columns of a hazard source."""
    return asdict(row) | {"enterprise": row.code[:ENTERPRISE_LENGTH]}


def equipment_values(row: EquipmentRow) -> Values:
    """Columns of a piece of equipment."""
    return asdict(row) | {"source": row.code[:SOURCE_LENGTH], "kind": equipment_kind(row.code)}


def gateway_values(row: GatewayRow) -> Values:
    """Columns of a gateway, without its secret."""
    return {
        "code": row.code,
        "name": row.name,
        "protocol": row.protocol,
        "enterprise": row.code[:ENTERPRISE_LENGTH],
        "address": row.address or "",
        "options": json.dumps(dict(row.options), ensure_ascii=False, sort_keys=True),
        "stale_after_s": row.stale_after_s,
        "simulated": row.simulated,
    }


def point_values(row: PointRow, protocol: str, *, simulated: bool) -> Values:
    """Columns of a point.

    Args:
        row: as written.
        protocol: of its gateway; decides whether the address may be empty (then it stays empty here).
        simulated: whether its gateway is simulated; then so is the point.
    """
    full = complete_point(row, protocol)
    return {
        **{name: getattr(full, name) for name in PointRow.__dataclass_fields__},
        "quantity": row.code[17:19],
        "equipment": row.code[:EQUIPMENT_LENGTH],
        "source": row.code[:SOURCE_LENGTH],
        "enterprise": row.code[:ENTERPRISE_LENGTH],
        "address": full.address or "",
        "simulated": row.simulated or simulated,
        "limit_fault": ";".join(faults_of(full))[:500] or None,
    }


def complete_point(row: PointRow, protocol: str) -> PointRow:
    """A point with the defaults of its quantity. A gas detector never gets an on-delay it was not given."""
    quantity = QUANTITIES[row.code[17:19]]
    low = row.range_low if row.range_low is not None else 0.0
    high = row.range_high if row.range_high is not None else 1.0
    default_off = 0.0 if quantity.discrete else DEFAULT_OFF_DELAY_S
    return replace(
        row,
        unit=row.unit if row.unit is not None else quantity.unit,
        range_low=low,
        range_high=high,
        deadband=row.deadband if row.deadband is not None else span_share(low, high, quantity.deadband_share),
        on_delay_s=row.on_delay_s if row.on_delay_s is not None else quantity.on_delay_s,
        off_delay_s=row.off_delay_s if row.off_delay_s is not None else default_off,
        address=row.address or (row.code if protocol in ADDRESS_IS_CODE else None),
    )


def limits_text(values: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """Limits as they stand in a row of the history of changes."""
    return json.dumps({name: values[name] for name in fields}, separators=(",", ":"))
