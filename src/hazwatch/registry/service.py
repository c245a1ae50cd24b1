"""Use cases of the registry: import, seed, export, key material of gateways."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.errors import conflict, forbidden, not_found
from hazwatch.identity.model import Principal, Role, may
from hazwatch.identity.scope import scoped
from hazwatch.identity.secrets import seal, unseal
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.registry import write
from hazwatch.registry.columns import BY_KEY, SHEETS
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files.held_back import Held
from hazwatch.registry.files.held_back import hold_back as hold_back_fields
from hazwatch.registry.files.held_back import propose as propose_fields
from hazwatch.registry.files.store import refresh
from hazwatch.registry.limits.held_back import hold_back
from hazwatch.registry.limits.model import Item, LimitSet
from hazwatch.registry.limits.service import enter
from hazwatch.registry.model import WITH_KEY, WITH_PASSWORD, WITH_SECRET, Description
from hazwatch.registry.parse import Book, Problem, parse_book, raw_of
from hazwatch.registry.plan import TABLES, Plan, Planner
from hazwatch.registry.tables import Counter, Gateway, RegistryVersion
from hazwatch.registry.workbook import WorkbookReader
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH

#: A list of complaints beyond this is cut, and says so.
MAX_PROBLEMS = 500


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did or would do.

    Attributes:
        version: the registry's version afterwards.
        held_back: points whose limits the file would change: they wait for a second person.
        proposal: number of the proposal that holds them.
        waiting: fields of files that the file would change and that wait for a second person.
        changes: numbers of the changes that hold them, one a file.
    """

    ok: bool
    dry_run: bool
    version: int
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    held_back: int = 0
    proposal: int | None = None
    waiting: int = 0
    changes: list[int] = field(default_factory=list)


def template() -> bytes:
    """The workbook to fill in."""
    from hazwatch.registry.sheets import workbook

    return workbook({})


def import_workbook(
    desk: RegistryDesk, who: Principal, content: bytes, file_name: str, *, dry_run: bool
) -> ImportResult:
    """Take a workbook in, whole or not at all.

    Raises:
        archive.HostileFileError: the file is not taken at all.
        ApiError: 403 the role does not suffice.
    """
    reader = WorkbookReader()
    raw = reader.read(content, file_name)
    book, problems = parse_book(raw)
    digest = hashlib.sha256(content).hexdigest()
    return _take_in(desk, who, book, reader.problems + problems, Origin(file_name[-200:], digest), dry_run=dry_run)


def seed(desk: RegistryDesk, who: Principal, description: Description, name: str) -> ImportResult:
    """Take a description in, through the same checks as a workbook. Doing it again changes nothing.

    Raises:
        ValueError: the description has errors; the message lists the first of them.
    """
    book, problems = parse_book(raw_of(description))
    digest = hashlib.sha256(repr(description).encode()).hexdigest()
    result = _take_in(desk, who, book, problems, Origin(name, digest, seed=True), dry_run=False)
    if not result.ok:
        lines = [f"{item.sheet} {item.row - 1} {item.column}: {item.message}" for item in result.errors[:10]]
        raise ValueError(f"{name} 有 {len(result.errors)} 处错误: " + "; ".join(lines))
    return result


def export(desk: RegistryDesk, who: Principal) -> bytes:
    """The registry in scope, in the form of the template."""
    with reading(desk.sessions) as session:
        rows = {sheet.key: owned_rows(session, who, sheet.key) for sheet in SHEETS}
    from hazwatch.registry.sheets import workbook

    return workbook(rows)


def version(session: Session) -> int:
    """The registry's version: 0 before the first import."""
    return session.get_one(Counter, "registry_version").next - 1


def gateway_secret(desk: RegistryDesk, who: Principal, code: str, *, renew: bool = False) -> str:
    """Show a gateway's key material, once.

    Args:
        desk: of the registry.
        who: an engineer in whose scope the gateway lies.
        code: of the gateway.
        renew: make new key material first; the gateway is locked out until it is given there too.

    Returns:
        Base64 of 64 bytes for a national gateway, the MQTT password for a Sparkplug one.

    Raises:
        ApiError: 403 the role does not suffice, 404 outside the scope, 409 it was shown before or there is none.
    """
    if not may(who.role, Role.ENGINEER):
        raise forbidden("需要工程师权限")
    with unit_of_work(desk.sessions) as session:
        gateway = session.scalar(scoped(select(Gateway).where(Gateway.code == code), who, Gateway))
        if gateway is None:
            raise not_found("网关", code)
        if gateway.protocol not in WITH_SECRET:
            raise conflict(f"协议 {gateway.protocol} 的网关没有密钥")
        if renew:
            gateway.secret = write.new_secret(gateway.protocol, code, desk.master_key)
        elif gateway.secret is None or gateway.secret_shown_at is not None:
            raise conflict("密钥已经显示过,不能再次显示", "如已遗失,请重新生成密钥")
        plain = unseal(desk.master_key, gateway.secret or b"", code)
        gateway.secret_shown_at = desk.clock()
        session.flush()
        action = "gateway.secret.renew" if renew else "gateway.secret.show"
        audit.record(session, desk.clock(), who, action, code, gateway.path)
        protocol, new = gateway.protocol, version(session)
    if renew:
        desk.on_change(new)
    return base64.b64encode(plain).decode() if protocol in WITH_KEY else plain.decode()


def set_gateway_password(desk: RegistryDesk, who: Principal, code: str, password: str) -> None:
    """Keep the password with which we sign in at a gateway. It is sealed, and never shown again.

    Raises:
        ApiError: 403 the role does not suffice, 404 outside the scope, 409 the protocol has no password.
    """
    if not may(who.role, Role.ENGINEER):
        raise forbidden("需要工程师权限")
    with unit_of_work(desk.sessions) as session:
        gateway = session.scalar(scoped(select(Gateway).where(Gateway.code == code), who, Gateway))
        if gateway is None:
            raise not_found("网关", code)
        if gateway.protocol not in WITH_PASSWORD:
            raise conflict(f"协议 {gateway.protocol} 的网关没有登录口令", f"可设口令的协议:{'、'.join(WITH_PASSWORD)}")
        gateway.secret = seal(desk.master_key, password.encode(), code)
        session.flush()
        audit.record(session, desk.clock(), who, "gateway.password", code, gateway.path)
        new = version(session)
    desk.on_change(new)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from.

    Attributes:
        name, digest: of the file.
        seed: a description of the program itself, which never changes limits in force.
        reviewed: edits that a second person has approved, or that need nobody's approval.
    """

    name: str
    digest: str
    seed: bool = False
    reviewed: bool = False


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """What an import would change and one person's word does not: limits of points, fields of files."""

    limits: list[Item]
    fields: list[Held]

    @property
    def waiting(self) -> int:
        """How many fields of files."""
        return sum(len(one.ops) for one in self.fields)


def _hold_back(plan: Plan, *, reviewed: bool = False) -> _HeldBack:
    """Take it out of the plan."""
    if plan.problems:
        return _HeldBack([], [])
    return _HeldBack(hold_back(plan), [] if reviewed else hold_back_fields(plan))


def _take_in(
    desk: RegistryDesk, who: Principal, book: Book, problems: list[Problem], origin: Origin, *, dry_run: bool
) -> ImportResult:
    if not may(who.role, Role.ENGINEER):
        raise forbidden("需要工程师权限")
    if problems or dry_run:
        with reading(desk.sessions) as session:
            return try_rows(session, who, book, problems, dry_run=dry_run)
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        result, changed = enter_rows(session, desk, who, book, origin)
    if changed:
        desk.on_change(result.version)
    return result


def try_rows(
    session: Session, who: Principal, book: Book, problems: list[Problem], *, dry_run: bool = True
) -> ImportResult:
    """What taking rows in would do."""
    # With unreadable rows there is no use in looking for what refers to them.
    plan = Plan(problems=problems) if problems else Planner(session, who, book).make()
    return _result(plan, version(session), _hold_back(plan), dry_run=dry_run)


def enter_rows(
    session: Session, desk: RegistryDesk, who: Principal, book: Book, origin: Origin
) -> tuple[ImportResult, bool]:
    """Take rows in, inside a writing unit that holds ``write.lock``; tells whether the registry has changed."""
    plan = Planner(session, who, book).make()
    held = _hold_back(plan, reviewed=origin.seed or origin.reviewed)
    now = desk.clock()
    number = _propose(session, who, held.limits, origin, now) if held.limits and not origin.seed else None
    changed = not plan.problems and plan.changes > 0
    at_version = write.take(session, "registry_version")[0] if changed else version(session)
    if changed:
        write.carry_out(session, plan, who, now, desk.master_key, at_version)
        refresh(session, _files_touched(plan), now)
    # After the rows: an owner that moved has its new place by now.
    changes = propose_fields(session, who, held.fields, origin.name, now)
    result = _result(plan, at_version, held, dry_run=False, proposal=number, changes=changes)
    if changed:
        _note_version(session, who, now, result, origin, plan.place)
    return result, changed


def _files_touched(plan: Plan) -> set[str]:
    """Owners of files in which a plan changes something."""
    rows = {key: [row["code"] for row in sheet.new + sheet.changed] for key, sheet in plan.sheets.items()}
    owned = ("enterprises", "sources", "equipment")
    return {code[:ENTERPRISE_LENGTH] for key in owned for code in rows.get(key, ())} | set(rows.get("parks", ()))


def _note_version(session: Session, who: Principal, now: int, result: ImportResult, origin: Origin, path: str) -> None:
    counts = json.dumps(result.counts, ensure_ascii=False)
    session.add(
        RegistryVersion(
            version=result.version,
            at=now,
            who=who.username,
            file_name=origin.name,
            sha256=origin.digest,
            counts=counts,
            path=path,
        )
    )
    session.flush()
    detail = {"file": origin.name, "sha256": origin.digest, "counts": result.counts}
    audit.record(session, now, who, "registry.import", str(result.version), path, detail)


def _propose(session: Session, who: Principal, held: list[Item], origin: Origin, now: int) -> int:
    return enter(session, who, LimitSet.ENTERPRISE, held, f"档案导入 {origin.name}", now)


def _result(
    plan: Plan, at_version: int, held: _HeldBack, *, dry_run: bool, proposal: int | None = None,
    changes: list[int] | None = None,
) -> ImportResult:  # fmt: skip
    counts = {BY_KEY[key].title: sheet.counts for key, sheet in plan.sheets.items()}
    errors, warnings = _cut(plan.problems), _cut(plan.warnings)
    will = "将" if dry_run else "已"
    if held.limits and (dry_run or proposal is not None):
        what = f"{len(held.limits)} 个指标的限值与现行不同,不随导入生效,{will}转为提案"
        warnings.append(Problem("指标", "", 0, "", what + ("" if dry_run else f" #{proposal}") + ",须由第二人批准"))
    if held.fields:
        what = (
            f"{len(held.fields)} 份档案的 {held.waiting} 处变更不随导入生效,{will}列入档案的待批准变更,须由第二人批准"
        )
        warnings.append(Problem("档案", "", 0, "", what))
    return ImportResult(
        not errors, dry_run, at_version, counts, errors, warnings, len(held.limits), proposal, held.waiting,
        changes or [],
    )  # fmt: skip


def _cut(problems: list[Problem]) -> list[Problem]:
    if len(problems) <= MAX_PROBLEMS:
        return problems
    more = len(problems) - MAX_PROBLEMS
    return [*problems[:MAX_PROBLEMS], Problem("", "", 0, "", f"还有 {more} 处未列出")]


def owned_rows(session: Session, who: Principal, key: str, prefix: str = "") -> list[Mapping[str, Any]]:
    """Rows of a sheet in scope whose code starts with ``prefix``, as the export writes them."""
    table = TABLES[key]
    statement = scoped(select(*table.__table__.columns).order_by(table.code), who, table)
    if prefix:
        statement = statement.where(table.code.between(prefix, prefix + "~"))
    rows: list[Mapping[str, Any]] = [dict(row) for row in session.execute(statement).mappings()]
    if key == "gateways":
        return [{**row, "options": json.loads(row["options"])} for row in rows]
    return rows


def export_rows(session: Session, who: Principal, key: str, code: str) -> dict[str, Any]:
    """The cells of one row in scope, as the export writes them.

    Raises:
        ApiError: 404 there is none in scope.
    """
    table = TABLES[key]
    row = (
        session.execute(scoped(select(*table.__table__.columns).where(table.code == code), who, table))
        .mappings()
        .first()
    )
    if row is None:
        raise not_found(BY_KEY[key].title, code)
    return {column.key: row[column.key] for column in BY_KEY[key].columns}


def gateway_options(text: str) -> dict[str, str]:
    """Options of a gateway as its adapter reads them."""
    return {str(name): str(value) for name, value in json.loads(text).items()}
