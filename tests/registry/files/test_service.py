"""Files on both databases: editing, approving, meeting others, past days."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.registry.support import NOON, SMALL, Office, engineer, office

from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Principal, Role
from hazwatch.records import Sessions, reading
from hazwatch.records.paging import PageRequest
from hazwatch.registry.files import documents, service, store, views
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.service import EditConflict, Reason
from hazwatch.registry.files.tables import FileHead
from hazwatch.registry.model import EnterpriseRow
from hazwatch.registry.service import seed

JIA, YI, PARK = "410902001", "410502001", "P4109001"
WHY = Reason("补录")
HOUR = 3_600_000
PERMIT = {"kind": "安全生产许可证", "number": "豫A1", "to": "2027-01-01"}


def person(name: str, path: str = "/410000/", role: Role = Role.ENGINEER) -> Principal:
    return Principal(name, name, role, path, "410000")


@pytest.fixture
def town(records: Sessions) -> Office:
    room = office(records)
    seed(room.desk, SYSTEM, SMALL, "park")
    return room


def view(town: Office, code: str = JIA, at: int | None = None, who: Principal = SYSTEM) -> dict:
    with reading(town.sessions) as session:
        return views.file_view(session, who, code, town.now, at)


def edit(town: Office, who: Principal, *ops: Op, code: str = JIA) -> service.Outcome:
    town.now += HOUR
    return service.change(town.desk, who, code, ops, WHY)


def test_a_file_stands_on_the_registry_from_the_beginning(town: Office) -> None:
    found = view(town)
    assert found["content"]["identity"][""]["name"] == "甲化工有限公司"
    assert found["content"]["sources"]["410902001001"]["r"] == 31.5
    assert found["counts"] == {"sources": 1, "equipment": 2, "points": 2}
    assert 0 < found["score"]["percent"] < 30
    with reading(town.sessions) as session:
        heads = {head.owner: head.score for head in session.query(FileHead)}
    assert heads[JIA] == found["score"]["percent"]
    assert set(heads) == {JIA, YI, PARK}


def test_edits_take_effect_and_raise_the_score(town: Office) -> None:
    before = view(town)["score"]["percent"]
    done = edit(
        town, person("a"), Op("identity", "", "head", None, "王甲"), Op("sources", f"{JIA}001", "chief", None, "王甲")
    )
    assert (done.version, done.applied, done.waiting) == (1, 2, 0)
    after = view(town)
    assert after["content"]["sources"][f"{JIA}001"] | {"chief": "王甲"} == after["content"]["sources"][f"{JIA}001"]
    assert after["score"]["percent"] > before
    assert after["version"] == 1


def test_two_people_lose_nothing(town: Office) -> None:
    edit(town, person("a"), Op("identity", "", "head", None, "王甲"))
    edit(town, person("b"), Op("identity", "", "shifts", None, "四班三运转"))
    with pytest.raises(EditConflict) as met:
        edit(town, person("c"), Op("identity", "", "industry", None, "石化"), Op("identity", "", "head", None, "李乙"))
    one = met.value.conflicts[0]
    assert (one["field_title"], one["before"], one["mine"], one["theirs"], one["by"]) == (
        "主要负责人", None, "李乙", "王甲", "a",
    )  # fmt: skip
    kept = view(town)["content"]["identity"][""]
    assert (kept["head"], kept["shifts"], kept.get("industry")) == ("王甲", "四班三运转", None)
    edit(town, person("c"), Op("identity", "", "head", one["theirs"], "李乙"))
    assert view(town)["content"]["identity"][""]["head"] == "李乙"


def test_declared_fields_wait_for_a_second_person(town: Office) -> None:
    first, second = person("a"), person("b")
    done = edit(town, first, Op("permits", "p1", "", None, PERMIT), Op("identity", "", "head", None, "王甲"))
    assert (done.applied, done.waiting) == (1, 1)
    assert "permits" not in view(town)["content"]
    assert view(town)["waiting"][0]["ops"][0]["field_title"] == "整行"
    for who in (first, replace(second, username="token:x"), replace(second, role=Role.VIEWER)):
        with pytest.raises(ApiError) as refused:
            service.approve(town.desk, who, done.proposal, "")
        assert refused.value.status == 403
    with pytest.raises(ApiError) as hidden:
        service.approve(town.desk, person("c", "/410000/410500/"), done.proposal, "")
    assert hidden.value.status == 404
    town.now += HOUR
    assert service.approve(town.desk, second, done.proposal, "已核对原件") == 2
    assert view(town)["content"]["permits"]["p1"]["number"] == "豫A1"
    with pytest.raises(ApiError) as late:
        service.approve(town.desk, second, done.proposal, "")
    assert late.value.status == 409


def test_an_approval_does_not_overwrite_what_came_between(town: Office) -> None:
    done = edit(town, person("a"), Op("identity", "", "type", None, "生产"))
    other = edit(town, person("b"), Op("identity", "", "type", None, "经营"))
    service.approve(town.desk, person("c"), other.proposal, "")
    with pytest.raises(EditConflict):
        service.approve(town.desk, person("c"), done.proposal, "")
    service.reject(town.desk, person("c"), done.proposal, "已按经营登记")
    assert view(town)["waiting"] == []


def test_registry_columns_go_through_the_registry(town: Office) -> None:
    done = edit(
        town,
        person("a"),
        Op("identity", "", "address", None, "化工路 1 号"),
        Op("sources", f"{JIA}001", "kind", "储罐区", "库区"),
    )
    assert done.applied == 2
    with reading(town.sessions) as session:
        assert session.execute(
            store.select(store.Enterprise.address).where(store.Enterprise.code == JIA)
        ).scalar() == "化工路 1 号"  # fmt: skip
    assert len(town.versions) == 2
    with pytest.raises(ApiError) as wrong:
        edit(town, person("a"), Op("identity", "", "region", "410902", "999999"))
    assert wrong.value.status == 422
    assert view(town)["content"]["identity"][""]["region"] == "410902"


def test_past_days_can_be_viewed(town: Office) -> None:
    edit(
        town, person("a"), Op("identity", "", "head", None, "王甲"), Op("identity", "", "address", None, "化工路 1 号")
    )
    first = town.now
    edit(
        town,
        person("a"),
        Op("identity", "", "head", "王甲", "李乙"),
        Op("identity", "", "address", "化工路 1 号", "化工路 2 号"),
    )
    town.now += HOUR
    seed(town.desk, SYSTEM, replace(SMALL, enterprises=(replace(SMALL.enterprises[0], name="新名有限公司"),)), "later")
    was, now = view(town, at=first)["content"]["identity"][""], view(town)["content"]["identity"][""]
    assert (was["head"], was["address"], was["name"]) == ("王甲", "化工路 1 号", "甲化工有限公司")
    assert (now["head"], now["name"], "address" in now) == ("李乙", "新名有限公司", False)
    before = view(town, at=NOON - 1)["content"]
    assert before.get("identity", {}) == {}
    assert before.get("sources", {}) == {}


def test_history_names_who_when_why_and_from_what(town: Office) -> None:
    edit(town, person("a"), Op("identity", "", "head", None, "王甲"))
    done = edit(town, person("a"), Op("identity", "", "type", None, "生产"))
    town.now += HOUR
    service.approve(town.desk, person("b"), done.proposal, "同意")
    with reading(town.sessions) as session:
        page = views.history(session, SYSTEM, JIA, PageRequest(1, 10))
    top = page.items[0]
    assert (top["who"], top["decided_by"], top["decision"], top["why"]) == ("a", "b", "同意", "补录")
    assert page.items[-1]["source"] == "park"
    assert page.total == 3


def test_only_a_regulator_fills_in_penalties(town: Office) -> None:
    fine = Op("penalties", "f1", "", None, {"title": "未备案", "at": "2026-01-01", "by": "市局"})
    inside = person("in", "/410000/410900/P4109001/410902001/")
    with pytest.raises(ApiError) as refused:
        edit(town, inside, fine)
    assert refused.value.status == 403
    assert edit(town, person("city", "/410000/410900/"), fine).applied == 1


def test_scope_and_role(town: Office) -> None:
    for who, status in ((engineer("/410000/410500/"), 404), (engineer(role=Role.OPERATOR), 403)):
        with pytest.raises(ApiError) as refused:
            edit(town, who, Op("identity", "", "head", None, "x"))
        assert refused.value.status == status
    with pytest.raises(ApiError) as silent:
        service.change(town.desk, person("a"), JIA, [Op("identity", "", "head", None, "x")], Reason("  "))
    assert silent.value.status == 422


def test_documents_are_versioned_and_counted(town: Office) -> None:
    who = person("a")
    given = documents.Upload("plot_plan", "总平面图", "../总图.pdf", "首次上传")
    number = documents.upload(town.desk, who, JIA, b"%PDF-1", given)
    second = documents.upload(town.desk, who, JIA, b"%PDF-2", replace(given, why="改造", series=number))
    with reading(town.sessions) as session:
        found = documents.documents(session, who, JIA)
    assert [(d["id"], d["version"], d["file_name"]) for d in found] == [(second, 2, "总图.pdf")]
    assert [d["id"] for d in found[0]["older"]] == [number]
    assert documents.content_of(town.desk, who, JIA, number).content == b"%PDF-1"
    assert "plot_plan" not in {gap["row"] for gap in view(town)["score"]["gaps"] if gap["group"] == "documents"}
    for other, code in ((who, YI), (engineer("/410000/410500/"), JIA)):
        with pytest.raises(ApiError) as hidden:
            documents.content_of(town.desk, other, code, number)
        assert hidden.value.status == 404
    moment = town.now
    town.now += HOUR
    documents.withdraw_document(town.desk, who, JIA, second, "作废")
    with reading(town.sessions) as session:
        assert documents.documents(session, who, JIA) == []
        assert len(documents.documents(session, who, JIA, moment)) == 1
    assert "plot_plan" in {gap["row"] for gap in view(town)["score"]["gaps"] if gap["group"] == "documents"}


def test_a_file_follows_its_enterprise_into_a_park(town: Office) -> None:
    edit(town, person("a"), Op("identity", "", "head", None, "王乙"), code=YI)
    moved = replace(SMALL, enterprises=(EnterpriseRow(YI, "乙化工有限公司", region="410902", park=PARK),))
    seed(town.desk, SYSTEM, moved, "move")
    assert view(town, YI, who=engineer("/410000/410900/P4109001/"))["content"]["identity"][""]["head"] == "王乙"


def test_scores_age(town: Office) -> None:
    day = 24 * HOUR
    edit(town, person("a"), Op("plan", "", "to", None, "2026-11-25"))
    with reading(town.sessions) as session:
        assert not store.is_due(session, town.now)
        assert store.is_due(session, town.now + 3 * day)
