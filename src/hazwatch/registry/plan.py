"""What an import would do: every row compared with the registry, every reference and scope checked. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.model import NodeKind, Principal, child_path, common_path, covers
from hazwatch.identity.tables import Node
from hazwatch.registry import complete
from hazwatch.registry.columns import BY_KEY
from hazwatch.registry.parse import Book, Placed, Problem, problem
from hazwatch.registry.tables import Enterprise, Equipment, Gateway, Park, Point, Source

TABLES: Mapping[str, type[Any]] = {
    "parks": Park,
    "enterprises": Enterprise,
    "sources": Source,
    "equipment": Equipment,
    "gateways": Gateway,
    "points": Point,
}

_CHUNK = 5_000
_OUTSIDE = "不在您的管辖范围内"


@dataclass(slots=True)
class SheetPlan:
    """What happens to the rows of one sheet; ``old`` holds the present columns of rows that change, by code."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    old: dict[str, dict[str, Any]] = field(default_factory=dict)
    unchanged: int = 0

    def settle(self) -> None:
        """Count as unchanged the rows of which every change was taken out again."""
        for values in self.changed:
            old = self.old[values["code"]]
            if all(old[name] == value for name, value in values.items() if name != "path"):
                del self.old[values["code"]]
                self.unchanged += 1
        self.changed = [values for values in self.changed if values["code"] in self.old]

    @property
    def counts(self) -> dict[str, int]:
        """In the contract's form."""
        return {"new": len(self.new), "changed": len(self.changed), "unchanged": self.unchanged}


@dataclass(slots=True)
class Plan:
    """The whole import."""

    sheets: dict[str, SheetPlan] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def place(self) -> str:
        """The lowest node that holds everything that changes."""
        touched = (row["path"] for sheet in self.sheets.values() for row in sheet.new + sheet.changed)
        return common_path(touched)

    @property
    def changes(self) -> int:
        """Rows that are new or change."""
        return sum(len(sheet.new) + len(sheet.changed) for sheet in self.sheets.values())


class Planner:
    """Makes one plan. Sheets are taken top down, so that a row finds its owner in the registry or in the same book."""

    def __init__(self, session: Session, who: Principal, book: Book) -> None:
        self._session = session
        self._who = who
        self._book = book
        self._plan = Plan()
        #: Columns of every row that matters, as they will stand after the import, by sheet and code.
        self._after: dict[str, dict[str, dict[str, Any]]] = {key: {} for key in TABLES}
        self._regions: dict[str, str] = {}

    def make(self) -> Plan:
        """Compare everything."""
        # scope: node-internal because owners of a row may stand above the scope; each row is checked against it below
        kinds = (NodeKind.PROVINCE, NodeKind.CITY, NodeKind.COUNTY)
        nodes = self._session.execute(select(Node.code, Node.path).where(Node.kind.in_(kinds)))
        self._regions = {node.code: node.path for node in nodes}
        for key in TABLES:
            self._sheet(key)
        self._check_addresses()
        return self._plan

    def _sheet(self, key: str) -> None:
        placed = self._book.of(key)
        codes = [row.value.code for row in placed]
        self._load(key, codes)
        self._load_owners(key, placed)
        plan = self._plan.sheets[key] = SheetPlan()
        after = self._after[key]
        for row in placed:
            values = self._values(key, row)
            if values is None:
                continue
            present = after.get(row.value.code)
            if not self._in_scope(key, row, values, present):
                continue
            self._sort(plan, values, present)
            after[row.value.code] = (present or {}) | values

    @staticmethod
    def _sort(plan: SheetPlan, values: dict[str, Any], present: dict[str, Any] | None) -> None:
        if present is None:
            plan.new.append(values)
        elif any(present[name] != value for name, value in values.items() if name != "path"):
            plan.changed.append(values)
            plan.old[values["code"]] = present
        else:
            plan.unchanged += 1

    def _in_scope(self, key: str, row: Placed[Any], values: dict[str, Any], present: dict[str, Any] | None) -> bool:
        """A row must lie in the scope, and so must what it replaces."""
        paths = [values["path"]] + ([present["path"]] if present else [])
        if all(covers(self._who.scope, path) for path in paths):
            return True
        self._complain(key, row, "code", f"{row.value.code} {_OUTSIDE}")
        return False

    def _values(self, key: str, row: Placed[Any]) -> dict[str, Any] | None:
        """The columns of a row with its path; None after complaining that the owner is missing."""
        value = row.value
        match key:
            case "parks":
                region = self._region_path(key, row, value.region)
                return (
                    None if region is None else complete.park_values(value) | {"path": child_path(region, value.code)}
                )
            case "enterprises":
                values = complete.enterprise_values(value)
                above = self._enterprise_parent(row, values)
                return None if above is None else values | {"path": child_path(above, value.code)}
            case "sources":
                return self._below(key, row, "enterprises", complete.source_values(value), "enterprise", "企业")
            case "equipment":
                return self._below(key, row, "sources", complete.equipment_values(value), "source", "重大危险源")
            case "gateways":
                return self._below(key, row, "enterprises", complete.gateway_values(value), "enterprise", "企业")
            case _:
                return self._point(row)

    def _region_path(self, key: str, row: Placed[Any], code: str) -> str | None:
        path = self._regions.get(code)
        if path is None:
            self._complain(key, row, "region", f"行政区划 {code} 不存在,请填写所在县或市的 6 位代码")
        return path

    def _enterprise_parent(self, row: Placed[Any], values: dict[str, Any]) -> str | None:
        region = self._region_path("enterprises", row, values["region"])
        if region is None or values["park"] is None:
            return region
        park = self._after["parks"].get(values["park"])
        if park is None:
            self._complain("enterprises", row, "park", f"园区 {values['park']} 不存在")
            return None
        return str(park["path"])

    def _below(
        self, key: str, row: Placed[Any], above: str, values: dict[str, Any], column: str, word: str
    ) -> dict[str, Any] | None:
        """Give a row the path of its owner, whose code is a prefix of its own."""
        owner = self._after[above].get(values[column])
        if owner is None:
            self._complain(key, row, "code", f"{word} {values[column]} 不存在(编码前 {len(values[column])} 位)")
            return None
        return values | {"path": owner["path"]}

    def _point(self, row: Placed[Any]) -> dict[str, Any] | None:
        value = row.value
        gateway = self._after["gateways"].get(value.gateway)
        if gateway is None:
            self._complain("points", row, "gateway", f"网关 {value.gateway} 不存在")
            return None
        if not value.code.startswith(gateway["enterprise"]):
            self._complain(
                "points", row, "gateway", f"网关 {value.gateway} 属于企业 {gateway['enterprise']},不能送本指标"
            )
            return None
        values = complete.point_values(value, gateway["protocol"], simulated=gateway["simulated"])
        if not values["address"]:
            self._complain("points", row, "address", f"协议 {gateway['protocol']} 的指标必须填写网关内地址")
            return None
        if values["limit_fault"]:
            message = f"阈值有误:{values['limit_fault']}"
            self._plan.warnings.append(problem(BY_KEY["points"], row, "code", message))
        return self._below("points", row, "equipment", values, "equipment", "设备")

    def _check_addresses(self) -> None:
        """Behind one gateway an address names one point, whether it stands in the book or in the registry."""
        rows = {row.value.code: row for row in self._book.of("points")}
        gateways = {row.value.gateway for row in rows.values()}
        taken: dict[tuple[str, str], str] = {}
        for code, gateway, address in self._addresses(gateways):
            if code not in rows:
                taken[gateway, address] = code
        for code, row in rows.items():
            values = self._after["points"].get(code)
            if values is None:
                continue
            other = taken.setdefault((values["gateway"], values["address"]), code)
            if other != code:
                self._complain("points", row, "address", f"地址 {values['address']!r} 在该网关内已被指标 {other} 使用")

    def _addresses(self, gateways: Collection[str]) -> Iterable[tuple[str, str, str]]:
        # scope: node-internal because an address may be taken by a point that the caller does not see
        for chunk in _batched(sorted(gateways), _CHUNK):
            query = select(Point.code, Point.gateway, Point.address).where(Point.gateway.between(chunk[0], chunk[-1]))
            yield from (row.tuple() for row in self._session.execute(query) if row.gateway in gateways)

    def _load_owners(self, key: str, placed: list[Placed[Any]]) -> None:
        """Bring in the owners that stand in the registry and not in the book."""
        match key:
            case "enterprises":
                self._load("parks", {row.value.park for row in placed if row.value.park})
            case "sources" | "gateways":
                self._load("enterprises", {row.value.code[:9] for row in placed})
            case "equipment":
                self._load("sources", {row.value.code[:12] for row in placed})
            case "points":
                self._load("equipment", {row.value.code[:17] for row in placed})
                self._load("gateways", {row.value.gateway for row in placed})

    def _load(self, key: str, codes: Collection[str]) -> None:
        # scope: node-internal because a code may be taken outside the scope; such a row is refused, never shown
        table, after = TABLES[key], self._after[key]
        columns = [column for column in table.__table__.columns if column.name != "secret"]
        missing = sorted(code for code in codes if code not in after)
        for chunk in _batched(missing, _CHUNK):
            # A range of codes and a look here, not thousands of values in an IN: codes lie close together, and
            # PostgreSQL compares long lists one by one (a minute for 60,000 points instead of seconds).
            wanted = set(chunk)
            within_range = table.code.between(chunk[0], chunk[-1])
            for row in self._session.execute(select(*columns).where(within_range)).mappings():
                if row["code"] in wanted:
                    after[row["code"]] = dict(row)

    def _complain(self, key: str, row: Placed[Any], column: str, message: str) -> None:
        self._plan.problems.append(problem(BY_KEY[key], row, column, message))


def _batched(items: list[str], size: int) -> Iterable[list[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
