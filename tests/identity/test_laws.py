"""Laws of identity: scope, roles, audit chain, secrets, tries."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from tests.identity.support import CITY, NOON, PARK, PROVINCE, SYSTEM, TREE, WORKS, Town, town

from hazwatch.identity import audit
from hazwatch.identity.accounts import AccountChange, change_account, create_account
from hazwatch.identity.attempts import MAX_KEYS, Attempts
from hazwatch.identity.deps import is_loopback
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import (
    NodeKind,
    Principal,
    Role,
    child_path,
    common_path,
    covers,
    may,
    may_grant,
)
from hazwatch.identity.passwords import Passwords, generate
from hazwatch.identity.regions import region_rows, regions
from hazwatch.identity.scope import scoped, within
from hazwatch.identity.secrets import master_key, seal, unseal
from hazwatch.identity.tables import Account, Audit, AuditHead, Node
from hazwatch.identity.tokens import create_token
from hazwatch.identity.tree import NodeRow, nodes, place
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.records.chain import ChainReport

CODES = st.text(alphabet="0129AP%_a", min_size=1, max_size=4)
PATHS = st.lists(CODES, max_size=4).map(lambda parts: "/" + "".join(f"{part}/" for part in parts))
ROLES = st.sampled_from(list(Role))


@given(st.lists(PATHS, min_size=1, max_size=6))
def test_common_path_covers_all_and_is_the_lowest(paths: list[str]) -> None:
    shared = common_path(paths)
    assert all(covers(shared, path) for path in paths)
    below = {path[: path.index("/", len(shared)) + 1] for path in paths if path != shared}
    assert shared in paths or len(below) > 1


@given(PATHS, PATHS, PATHS)
def test_covering_is_an_order(a: str, b: str, c: str) -> None:
    assert covers(a, a)
    if covers(a, b) and covers(b, c):
        assert covers(a, c)
    if covers(a, b) and covers(b, a):
        assert a == b


@given(PATHS, CODES, CODES)
def test_a_sibling_is_never_covered(parent: str, one: str, other: str) -> None:
    assert covers(child_path(parent, one), child_path(parent, other)) == (one == other)


@given(ROLES, ROLES, ROLES, PATHS, PATHS)
def test_nobody_grants_more_than_they_hold(own: Role, wanted: Role, third: Role, scope: str, path: str) -> None:
    actor = Principal("a", "a", own, scope)
    assert may_grant(actor, wanted, path) == (wanted <= own and covers(scope, path))
    if may(own, wanted) and may(wanted, third):
        assert may(own, third)


def test_nothing_outside_the_prefix_is_ever_returned(records: Sessions) -> None:
    """Random paths in the database, random scopes: what comes back is exactly what starts with the scope."""

    @given(st.lists(PATHS.filter(lambda path: path != "/"), unique=True, min_size=1, max_size=25), PATHS)
    @settings(max_examples=60, deadline=None, database=None)
    def law(paths: list[str], scope: str) -> None:
        with unit_of_work(records) as session:
            session.execute(delete(Node))
            rows = [{"code": f"n{i}", "name": "x", "kind": "park", "path": path} for i, path in enumerate(paths)]
            session.execute(insert(Node), rows)
        who = Principal("a", "a", Role.ADMIN, scope)
        with reading(records) as session:
            found = session.scalars(scoped(select(Node.path), who, Node)).all()
        assert sorted(found) == sorted(path for path in paths if path.startswith(scope))

    law()


def test_a_scope_without_its_slash_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="ends in"):
        within(Node.path, "/4109")


@pytest.fixture
def here(records: Sessions, tmp_path: Path) -> Town:
    return town(records, tmp_path)


def test_roles_below_admin_cannot_raise_anybody(here: Town) -> None:
    """The routes ask for admin; the use cases would refuse the others by themselves."""
    create_account(here.desk, SYSTEM, username="low", name="低", role="viewer", scope_code="410900")
    engineer = Principal("eng", "工", Role.ENGINEER, PROVINCE, "410000")
    with pytest.raises(ApiError, match="高于自己的角色") as caught:
        change_account(here.desk, engineer, "low", AccountChange(role="admin"))
    assert caught.value.status == 403
    with pytest.raises(ApiError, match="高于自己的角色"):
        create_token(here.desk, engineer, name="t", role=Role.ADMIN, scope_code="410900")
    create_account(here.desk, SYSTEM, username="high", name="高", role="admin", scope_code="410900")
    with pytest.raises(ApiError, match="高于自己"):
        change_account(here.desk, engineer, "high", AccountChange(reset_password=True))


def test_moving_a_node_takes_rows_and_accounts_along(here: Town) -> None:
    create_account(here.desk, SYSTEM, username="works", name="厂", role="viewer", scope_code="410902001")
    with unit_of_work(here.desk.sessions) as session:
        place(session, [NodeRow("P4109001", "示范化工园区", NodeKind.PARK, "410500")])
    with reading(here.desk.sessions) as session:
        moved = "/410000/410500/P4109001/410902001/"
        assert session.get_one(Node, "410902001").path == moved
        assert session.get_one(Account, "works").path == moved
        assert session.scalars(select(Audit.path)).all() == [moved]
        assert audit.verify_audit(session).ok
        city = Principal("c", "c", Role.ADMIN, CITY)
        assert [node.code for node in nodes(session, city)] == ["410900", "410902", "410902002"]


def test_a_node_cannot_move_below_itself_or_nowhere(here: Town) -> None:
    for parent in ("410902001", "999999"):
        with pytest.raises(LookupError), unit_of_work(here.desk.sessions) as session:
            place(session, [NodeRow("P4109001", "园区", NodeKind.PARK, parent)])


def test_placing_the_same_tree_again_changes_nothing(here: Town) -> None:
    with unit_of_work(here.desk.sessions) as session:
        assert place(session, TREE) == here.paths
    assert here.paths["410902001"] == WORKS


def note(session: Session, number: int) -> None:
    audit.record(session, NOON + number, SYSTEM, "test", str(number), PARK, {"n": number})


def test_audit_chain_notices_every_change(records: Sessions) -> None:
    with unit_of_work(records) as session:
        for number in range(1, 6):
            note(session, number)
    changes = [
        (update(Audit).where(Audit.id == 3).values(detail='{"n":4}'), 3),
        (update(Audit).where(Audit.id == 2).values(username="other"), 2),
        (delete(Audit).where(Audit.id == 4), 4),
        (delete(Audit).where(Audit.id == 5), 5),
        (update(AuditHead).values(length=6), 6),
    ]
    with reading(records) as session:
        assert audit.verify_audit(session) == ChainReport(5)
    for statement, broken_at in changes:
        session = records()
        session.connection(execution_options={"hazwatch_write": True})
        session.execute(statement)
        assert audit.verify_audit(session).broken_at == broken_at
        session.close()


def test_audit_by_many_threads_is_one_chain(records: Sessions) -> None:
    def work() -> None:
        for number in range(10):
            with unit_of_work(records) as session:
                note(session, number)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(records) as session:
        assert audit.verify_audit(session) == ChainReport(60)


def test_master_key_is_made_once_and_private(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(master_key(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    file = tmp_path / "secrets" / "master.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["master.key"]
    file.write_bytes(b"short")
    with pytest.raises(ValueError, match="32 字节"):
        master_key(tmp_path)


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_sealed_opens_with_its_own_label_only(plain: bytes, label: str, other: str) -> None:
    key = bytes(32)
    sealed = seal(key, plain, label)
    assert unseal(key, sealed, label) == plain
    if other != label:
        with pytest.raises(ValueError, match="无法解密"):
            unseal(key, sealed, other)
    with pytest.raises(ValueError, match="无法解密"):
        unseal(b"1" * 32, sealed, label)


def test_passwords_verify_and_refuse() -> None:
    passwords = Passwords()
    stored = passwords.hash("right horse")
    assert passwords.verify(stored, "right horse")
    assert not passwords.verify(stored, "wrong horse")
    assert not passwords.verify(None, "right horse")
    assert not passwords.verify("no hash at all", "x")
    assert len({generate() for _ in range(100)}) == 100


def test_tries_at_once_do_not_slip_through() -> None:
    attempts = Attempts()
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(attempts.begin("a", "x", NOON))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(0) == 5


def test_memory_of_tries_is_bounded() -> None:
    attempts = Attempts()
    for number in range(MAX_KEYS + 50):
        attempts.begin(f"u{number}", "x", NOON)
    assert len(attempts._failures) == MAX_KEYS


@pytest.mark.parametrize(
    ("address", "header", "expected"),
    [
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("10.0.0.1", "", False),
        ("127.0.0.1", "8.8.8.8", False),
        ("x", "", False),
    ],
)
def test_loopback_is_this_machine_and_no_proxy(address: str, header: str, expected: bool) -> None:
    from starlette.requests import Request

    headers = [(b"x-forwarded-for", header.encode())] if header else []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (address, 1)}
    assert is_loopback(Request(scope)) is expected


def test_every_province_has_a_tree_whose_parents_stand_first() -> None:
    for province in ("410000", "110000", "420000", "460000", "710000"):
        seen: set[str] = set()
        for row in region_rows(province):
            assert row.parent is None or row.parent in seen, (province, row)
            assert row.code not in seen
            seen.add(row.code)


def test_henan_has_its_cities_and_jiyuan_is_one_of_them() -> None:
    rows = {row.code: row for row in region_rows("410000")}
    assert (rows["410000"].name, rows["410000"].parent) == ("河南省", None)
    assert (rows["419001"].kind, rows["419001"].parent) == (NodeKind.CITY, "410000")
    assert (rows["410902"].name, rows["410902"].parent) == ("华龙区", "410900")
    assert 110 < rows["410902"].lon < 117
    with pytest.raises(ValueError, match="没有省级行政区"):
        regions(NodeKind.PROVINCE, "990000")
