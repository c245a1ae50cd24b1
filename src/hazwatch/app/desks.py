"""Use cases for the command line: the same services as behind the web, with the rights of who owns the home folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import func, select

from hazwatch.alarms import export
from hazwatch.app.chemistry import gas_facts, nature
from hazwatch.app.node import clock, open_log
from hazwatch.app.weather import Weather
from hazwatch.identity import service as identity
from hazwatch.identity.accounts import AccountChange
from hazwatch.identity.audit import verify_audit
from hazwatch.identity.desk import Desk
from hazwatch.identity.errors import not_found
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.secrets import master_key
from hazwatch.log.client import Log
from hazwatch.records.chain import ChainReport
from hazwatch.records.engine import Sessions, make_engine, make_sessions, reading
from hazwatch.records.paging import PageRequest
from hazwatch.records.schema import migrate
from hazwatch.registry import service as registry
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.monitoring import views as monitoring
from hazwatch.registry.queries import PointFilter
from hazwatch.registry.setpoints import views as setpoints
from hazwatch.registry.synthetic.model import Size
from hazwatch.registry.synthetic.service import bring_in
from hazwatch.registry.tables import Point, Source
from hazwatch.risk import book as risk
from hazwatch.risk import units
from hazwatch.settings import Settings
from hazwatch.slips.verify import SlipReport, verify_slips
from hazwatch.stream import wire
from hazwatch.vocabulary.moments import CHINA, DAY, iso, parse
from hazwatch.warnings import weather, weather_book

T = TypeVar("T")


def _sessions(settings: Settings) -> Sessions:
    migrate(settings.records)
    return make_sessions(make_engine(settings.records))


def _identity(settings: Settings) -> Desk:
    desk = Desk(_sessions(settings), clock, settings.home)
    identity.first_start(desk, settings.province)
    return desk


def verify(settings: Settings) -> tuple[ChainReport, SlipReport]:
    """Check the chains of the records: the audit log, and the slips with their attachments."""
    with reading(_sessions(settings)) as session:
        return verify_audit(session), verify_slips(session)


def create_token(settings: Settings, name: str, role: str, scope: str, days: int) -> str:
    """A new bearer token.

    Raises:
        ValueError: no such role.
        ApiError: no such scope.
    """
    held = Role.parse(role)
    return identity.create_token(_identity(settings), SYSTEM, name=name, role=held, scope_code=scope, days=days)


def list_tokens(settings: Settings) -> list[str]:
    """One line for each token."""
    return [
        f"{t.id}  {t.name}  {t.role}  {t.scope_code}  " + ("已吊销" if t.revoked_at else f"有效至 {iso(t.expires_at)}")
        for t in identity.list_tokens(_identity(settings), SYSTEM)
    ]


def revoke_token(settings: Settings, number: int) -> None:
    """End a token."""
    identity.revoke_token(_identity(settings), SYSTEM, number)


def _registry(settings: Settings, changed: list[int]) -> RegistryDesk:
    _identity(settings)
    return RegistryDesk(_sessions(settings), clock, master_key(settings.home), changed.append)


def _tell_change(settings: Settings, changed: list[int]) -> None:
    """Let a running node know of a version of the registry."""
    if changed:
        _tell(settings, wire.SUBJECT_REGISTRY, str(changed[-1]).encode())


def _tell(settings: Settings, subject: str, data: bytes = b"") -> None:
    """Let a running node know; one that does not run will see it at its start."""

    async def tell(log: Log) -> None:
        await log.tell(subject, data)
        await log.client.flush()

    try:
        _with_log(settings, tell, patience_s=0.5)
    except RuntimeError:
        return


def gateway_secret(settings: Settings, code: str, *, renew: bool) -> str:
    """Key material of a gateway."""
    changed: list[int] = []
    plain = registry.gateway_secret(_registry(settings, changed), SYSTEM, code, renew=renew)
    _tell_change(settings, changed)
    return plain


def set_gateway_password(settings: Settings, code: str, password: str) -> None:
    """Keep the password with which we sign in at a gateway."""
    changed: list[int] = []
    registry.set_gateway_password(_registry(settings, changed), SYSTEM, code, password)
    _tell_change(settings, changed)


def reset_password(settings: Settings, username: str) -> str:
    """A new generated password for an account; it must be changed at the next sign-in."""
    change = AccountChange(reset_password=True)
    _, password = identity.change_account(_identity(settings), SYSTEM, username, change)
    return password or ""


def point_count(settings: Settings) -> int:
    """How many points are registered."""
    with reading(_sessions(settings)) as session:
        # scope: node-internal because who owns the home folder asks for the size of the node
        return session.scalar(select(func.count()).select_from(Point)) or 0


def gas_set_points(settings: Settings, show: str) -> list[dict[str, Any]]:
    """Gas detectors with the set points of the standard beside their limits."""
    with reading(_sessions(settings)) as session:
        return setpoints.detectors(session, SYSTEM, PointFilter(), gas_facts, show).items


def monitoring_completeness(settings: Settings, enterprise: str, *, missing_only: bool) -> dict[str, Any]:
    """What tanks, warehouses and processes are expected to be watched by, and what is missing."""
    with reading(_sessions(settings)) as session:
        wanted = monitoring.Wanted(enterprise, missing_only=missing_only)
        return monitoring.completeness(session, SYSTEM, wanted, nature)


def template() -> bytes:
    """The workbook to fill in."""
    return registry.template()


def import_workbook(settings: Settings, file: Path, *, dry_run: bool) -> tuple[bool, list[str]]:
    """Import a workbook: whether it went well, and what to say."""
    changed: list[int] = []
    desk = _registry(settings, changed)
    result = registry.import_workbook(desk, SYSTEM, file.read_bytes(), file.name, dry_run=dry_run)
    _tell_change(settings, changed)
    lines = [f"{p.sheet} {p.cell}:{p.message}" for p in (*result.errors, *result.warnings)]
    lines += [f"{sheet}:{counts}" for sheet, counts in result.counts.items()]
    verdict = "检查通过,未写入" if dry_run else f"已导入,登记版本 {result.version}"
    return result.ok, [*lines, verdict if result.ok else "有错误,什么都没有导入"]


def synthetic(settings: Settings, seed: int, size: Size) -> list[str]:
    """Bring a made-up province in: what to say of it.

    Raises:
        ValueError: a size that cannot be.
    """
    changed: list[int] = []
    filled = bring_in(_registry(settings, changed), settings.province, seed, size)
    _tell_change(settings, changed)
    lines = [
        f"{sheet}:新增 {counts['new']},不变 {counts['unchanged']}" for sheet, counts in filled.result.counts.items()
    ]
    return [*lines, f"档案:填写 {filled.files} 份", f"登记版本 {filled.result.version};全部名称带【合成】,标为模拟"]


def verify_export(settings: Settings, file: Path) -> tuple[bool, str]:
    """Whether a file is an alarm log that this system exported, unchanged; and what to say."""
    with file.open("rb") as opened:
        sha256 = export.digest(opened)
    with reading(_sessions(settings)) as session:
        found = export.verify(session, SYSTEM, sha256)
    if found is None:
        return False, f"{file.name}:不是本系统导出的文件,或导出后被改动(SHA-256 {sha256})"
    return True, f"{file.name}:与 {found['by']} 于 {found['at']} 导出的 {found['rows']} 条报警一致(SHA-256 {sha256})"


def explain(settings: Settings, grade: int) -> dict[str, Any]:
    """A stored grade, computed again.

    Raises:
        ApiError: 404.
    """
    with reading(_sessions(settings)) as session:
        return risk.explained(session, SYSTEM, grade)


def learn_unit_model(settings: Settings, code: str, start: str, end: str, wait_s: int) -> tuple[bool, str]:
    """Ask the node for the model of a unit and wait for it: whether there is a draft, and what to say.

    Raises:
        ApiError: 404, 409, 422 as ``risk.units.ask``.
        ValueError: a moment is none.
    """
    _identity(settings)
    sessions = _sessions(settings)

    def path_of(_: object, source: str) -> str:
        with reading(sessions) as session:
            # scope: node-internal because who owns the home folder asks
            path = session.scalar(select(Source.path).where(Source.code == source))
        if path is None:
            raise not_found("重大危险源", source)
        return path

    desk = risk.Desk(sessions, clock, path_of, lambda _: True, lambda: _tell(settings, wire.SUBJECT_RISK))
    until = parse(end, zone=CHINA) if end else clock()
    since = parse(start, zone=CHINA) if start else until - (settings.unit_model_days or 14) * DAY
    asked = units.ask(desk, SYSTEM, code, since, until)
    deadline = time.monotonic() + wait_s
    while True:
        with reading(sessions) as session:
            form = units.one(session, SYSTEM, asked["id"])
        said = f"{code} 第 {form['version']} 版:{form['message']}"
        if form["state"] != units.LEARNING:
            draft = form["state"] == risk.DRAFT
            return draft, said + (";草案待另一人在页面「风险 · 装置模型」审批" if draft else "")
        if time.monotonic() >= deadline:
            return False, said + "(节点启动后或稍后完成,见 hazwatch models units)"
        time.sleep(0.2)


def unit_model_lines(settings: Settings) -> list[str]:
    """One line for each model of a unit, the newest 500."""
    with reading(_sessions(settings)) as session:
        items = units.page(session, SYSTEM, PageRequest(page_size=500)).items
    return [f"{i['id']}  {i['object']}  第 {i['version']} 版  {i['state']}  {i['message']}" for i in items]


def import_weather(settings: Settings, file: Path) -> tuple[bool, list[str]]:
    """Take weather warnings in from a file: whether all of it was good, and what to say."""
    _identity(settings)
    with file.open("rb") as opened:
        message = opened.read(weather.LARGEST + 1)
    taken = Weather(_sessions(settings)).take_in(SYSTEM, message, f"文件 {file.name}")
    if taken.new or taken.over:
        _tell(settings, wire.SUBJECT_RISK)
    lines = [f"{b.reason.value}:{b.detail}" for b in taken.bad]
    verdict = f"新增 {taken.new},已有 {taken.known},解除 {taken.over},拒收 {len(taken.bad)}(见死信)"
    return not taken.bad, [*lines, verdict]


def weather_lines(settings: Settings) -> list[str]:
    """One line for each weather warning in force."""
    with reading(_sessions(settings)) as session:
        items = weather_book.page(session, SYSTEM, PageRequest(page_size=500), clock(), "now").items
    return [f"{i['area']}  {i['title']}  {i['from']} 至 {i['to']}  {i['ref']}" for i in items]


def _with_log(settings: Settings, act: Callable[[Log], Awaitable[T]], patience_s: float = 3.0) -> T:
    async def run() -> T:
        log = await open_log(settings, "cli", patience_s=patience_s)
        try:
            return await act(log)
        finally:
            await log.close()

    return asyncio.run(run())


def scenario_lines(settings: Settings) -> list[str]:
    """One line for each scenario."""
    items = orjson.loads(_with_log(settings, lambda log: log.ask(wire.RPC_SCENARIOS)))
    return [
        f"{i['id']}  {i['name']}  [{'运行中' if i['state'] == 'running' else '空闲'}]  "
        + " ".join(f"{p['name']}={p['default']}" for p in i["params"])
        for i in items
    ]


def scenario_start(settings: Settings, scenario: str, params: list[str]) -> str:
    """Start a scenario.

    Raises:
        ValueError: a parameter is not ``name=number``.
        RpcError: the simulator refuses or is away.
    """
    values = {}
    for text in params:
        name, _, number = text.partition("=")
        try:
            values[name] = float(number)
        except ValueError as error:
            raise ValueError(f"参数应写成 名称=数值,收到 {text!r}") from error
    asked = orjson.dumps({"id": scenario, "params": values})
    row = orjson.loads(_with_log(settings, lambda log: log.ask(wire.RPC_SCENARIO_START, asked)))
    return f"{row['name']}:已启动"


def scenario_stop(settings: Settings, scenario: str) -> str:
    """Stop a scenario."""
    asked = orjson.dumps({"id": scenario})
    row = orjson.loads(_with_log(settings, lambda log: log.ask(wire.RPC_SCENARIO_STOP, asked)))
    return f"{row['name']}:已停止"
