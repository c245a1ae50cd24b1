"""The lists themselves, as SQL: the database filters, counts, sorts and cuts, so that a page costs what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped, within
from hazwatch.identity.tables import Node
from hazwatch.identity.tree import node_in_scope
from hazwatch.records.paging import Page, PageRequest, UnknownSortError, contains
from hazwatch.registry.files.model import NONE
from hazwatch.registry.files.schemas import SCHEMAS, kind_of
from hazwatch.registry.files.tables import FileHead, FileRow
from hazwatch.registry.lists.model import ListColumn, Wanted
from hazwatch.registry.tables import Enterprise, Equipment, Park, Point, Source

#: Rows that are read at once for an export.
_CHUNK = 5_000
_NOWHERE = "/-/"
_MORE_THAN_ANY = 1 << 40


@dataclass(frozen=True, slots=True)
class Listing:
    """A list.

    Attributes:
        name, title: in the address, on screen.
        columns: in order; the keys are labels of the statement.
        filters: names in ``model.FILTERS``.
        statement: rows in scope under the filters, without order.
        tie: key of a row; makes the order total.
        first: key that the list is sorted by unless asked otherwise.
        whole: rows are sums, so that a page cannot be read by its keys.
    """

    name: str
    title: str
    columns: tuple[ListColumn, ...]
    filters: tuple[str, ...]
    statement: Callable[[Principal, Wanted, str | None, date], Select[*tuple[Any, ...]]]
    tie: str = "code"
    whole: bool = False
    first: str | None = None


def page(
    session: Session, who: Principal, listing: Listing, request: PageRequest, wanted: Wanted, day: date
) -> Page[Any]:
    """One page.

    Raises:
        UnknownSortError: the list has no such column, or cannot be sorted by it.
    """
    statement = listing.statement(who, wanted, _below(session, who, wanted), day)
    # The count and the keys of the page need few of the joins, and both databases leave out what nothing asks for:
    # SQLite only where the count cannot be drawn into the query, hence the limit that no list reaches.
    key = _element(statement, listing.tie)
    bare = _bare(listing, statement, key).limit(_MORE_THAN_ANY).subquery()
    total = session.scalar(select(func.count()).select_from(bare)) or 0
    if total <= request.offset:
        return Page([], total, *_place(request))
    ordered = _ordered(listing, statement, request).offset(request.offset).limit(request.page_size)
    if listing.whole:
        return Page([_form(listing, row) for row in session.execute(ordered).mappings()], total, *_place(request))
    keys = list(session.scalars(_bare(listing, ordered, key)))
    found = {row[listing.tie]: row for row in session.execute(statement.where(key.in_(keys))).mappings()}
    return Page([_form(listing, found[one]) for one in keys if one in found], total, *_place(request))


def _place(request: PageRequest) -> tuple[int, int]:
    return request.page, request.page_size


def _bare(listing: Listing, statement: Select[*tuple[Any, ...]], key: Any) -> Select[*tuple[Any, ...]]:
    """The statement with nothing but the key of its rows."""
    return statement if listing.whole else statement.with_only_columns(key, maintain_column_froms=True)


def _element(statement: Select[*tuple[Any, ...]], key: str) -> Any:
    label = statement.selected_columns[key]
    return getattr(label, "element", label)


def rows(
    session: Session, who: Principal, listing: Listing, request: PageRequest, wanted: Wanted, day: date
) -> Iterator[Mapping[str, Any]]:
    """The whole list, for an export."""
    statement = _ordered(listing, listing.statement(who, wanted, _below(session, who, wanted), day), request)
    for row in session.execute(statement.execution_options(yield_per=_CHUNK)).mappings():
        yield _form(listing, row)


def _below(session: Session, who: Principal, wanted: Wanted) -> str | None:
    if not wanted.region:
        return None
    node = node_in_scope(session, who, wanted.region)
    return node.path if node else _NOWHERE


def _ordered(listing: Listing, statement: Select[*tuple[Any, ...]], request: PageRequest) -> Select[*tuple[Any, ...]]:
    tie = _element(statement, listing.tie)
    if not request.field:
        first = [] if listing.first is None else [_element(statement, listing.first)]
        return statement.order_by(*first, tie)
    allowed = sorted(column.key for column in listing.columns if column.sort)
    if request.field not in allowed:
        raise UnknownSortError(request.field, allowed)
    element = _element(statement, request.field)
    # What has no value stands last either way, on both databases.
    return statement.order_by(element.is_(None), element.desc() if request.descending else element.asc(), tie)


def _form(listing: Listing, row: Mapping[Any, Any]) -> dict[str, Any]:
    form = dict(row)
    if listing.name == "validities":
        schema = SCHEMAS[kind_of(form["owner"])]
        group = schema.group(form["group"])
        form["group"] = group.title if group else form["group"]
        body = form.pop("body")
        first = [str(body[field.key]) for field in group.fields[:2] if body.get(field.key)] if group else []
        named = form.pop("named")
        form["what"] = named or " ".join(first)
    return form


def _narrow(
    statement: Select[*tuple[Any, ...]], column: Any, wanted: Wanted, below: str | None, *searched: Any
) -> Select[*tuple[Any, ...]]:
    if below is not None:
        statement = statement.where(within(column, below))
    if searched and wanted.q.strip():
        statement = statement.where(contains(wanted.q, *searched))
    return statement


def _equal(statement: Select[*tuple[Any, ...]], wanted: Wanted, **columns: Any) -> Select[*tuple[Any, ...]]:
    for name, column in columns.items():
        value = wanted.get(name)
        if value is not None:
            statement = statement.where(column == value)
    return statement


def _state(statement: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    column = {"gaps": FileHead.gaps, "expired": FileHead.expired, "ending": FileHead.ending}.get(wanted.get("state"))
    return statement if column is None else statement.where(column > 0)


def _enterprises(who: Principal, wanted: Wanted, below: str | None, _day: date) -> Select[*tuple[Any, ...]]:
    # scope: node-internal because counts hang on the enterprises, and these are scoped
    sources = (
        select(Source.enterprise, func.count().label("n"), func.min(Source.level).label("worst"))
        .group_by(Source.enterprise).subquery()
    )  # fmt: skip
    points = select(Point.enterprise, func.count().label("n")).group_by(Point.enterprise).subquery()
    identity = aliased(FileRow)
    statement = (
        scoped(
            select(
                Enterprise.code.label("code"), Enterprise.name.label("name"), Node.name.label("region"),
                Park.name.label("park"), identity.body["type"].as_string().label("type"),
                identity.body["status"].as_string().label("status"), func.coalesce(sources.c.n, 0).label("sources"),
                sources.c.worst.label("worst"), func.coalesce(points.c.n, 0).label("points"),
                FileHead.score.label("score"), FileHead.gaps.label("gaps"), FileHead.expired.label("expired"),
                FileHead.ending.label("ending"), Enterprise.simulated.label("simulated"),
            ),
            who, Enterprise,
        )
        .join(Node, Node.code == Enterprise.region)
        .outerjoin(Park, Park.code == Enterprise.park)
        .outerjoin(FileHead, FileHead.owner == Enterprise.code)
        .outerjoin(
            identity,
            (identity.owner == Enterprise.code) & (identity.group == "identity") & (identity.row == ""),
        )
        .outerjoin(sources, sources.c.enterprise == Enterprise.code)
        .outerjoin(points, points.c.enterprise == Enterprise.code)
    )  # fmt: skip
    searched = (Enterprise.code, Enterprise.name, Enterprise.credit_code)
    statement = _narrow(statement, Enterprise.path, wanted, below, *searched)
    return _state(_equal(statement, wanted, park=Enterprise.park), wanted)


def _sources(who: Principal, wanted: Wanted, below: str | None, _day: date) -> Select[*tuple[Any, ...]]:
    # scope: node-internal because what is joined to a source is seen through it
    more = aliased(FileRow)
    statement = (
        scoped(
            select(
                Source.code.label("code"), Source.name.label("name"), Source.kind.label("kind"),
                Source.level.label("level"), Source.r.label("r"), Enterprise.code.label("enterprise"),
                Enterprise.name.label("enterprise_name"), Node.name.label("region"),
                more.body["people_500m"].as_integer().label("people_500m"),
                more.body["filed_to"].as_string().label("filed_to"), more.body["chief"].as_string().label("chief"),
                Source.simulated.label("simulated"),
            ),
            who, Source,
        )
        .outerjoin(Enterprise, Enterprise.code == Source.enterprise)
        .outerjoin(Node, Node.code == Enterprise.region)
        .outerjoin(
            more, (more.owner == Source.enterprise) & (more.group == "sources") & (more.row == Source.code)
        )
    )  # fmt: skip
    statement = _narrow(statement, Source.path, wanted, below, Source.code, Source.name, Enterprise.name)
    level = wanted.get("level")
    statement = _equal(statement, wanted, enterprise=Source.enterprise, park=Enterprise.park)
    return statement if level is None else statement.where(Source.level == int(level))


def _points(who: Principal, wanted: Wanted, below: str | None, _day: date) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = (
        scoped(
            select(
                Point.code.label("code"), Point.name.label("name"), Point.tag.label("tag"),
                Point.quantity.label("quantity"), Point.unit.label("unit"), Point.range_low.label("range_low"),
                Point.range_high.label("range_high"), Point.ll.label("ll"), Point.l.label("l"), Point.h.label("h"),
                Point.hh.label("hh"), Equipment.name.label("equipment"), Source.code.label("source"),
                Source.name.label("source_name"), Enterprise.name.label("enterprise_name"),
                Point.limit_fault.label("limit_fault"), Point.simulated.label("simulated"),
            ),
            who, Point,
        )
        .outerjoin(Equipment, Equipment.code == Point.equipment)
        .outerjoin(Source, Source.code == Point.source)
        .outerjoin(Enterprise, Enterprise.code == Point.enterprise)
    )  # fmt: skip
    statement = _narrow(statement, Point.path, wanted, below)
    if wanted.q.strip():
        # scope: node-internal because the points are scoped; names of a thousand owners are looked at once, not 60,000
        owners = select(Enterprise.code).where(contains(wanted.q, Enterprise.name))
        own = contains(wanted.q, Point.code, Point.name, Point.tag)
        statement = statement.where(or_(Point.enterprise.in_(owners), own))
    columns = {"enterprise": Point.enterprise, "source": Point.source, "quantity": Point.quantity}
    statement = _equal(statement, wanted, **columns)
    return statement.where(Point.limit_fault.is_not(None)) if wanted.get("fault") else statement


def _parks(who: Principal, wanted: Wanted, below: str | None, _day: date) -> Select[*tuple[Any, ...]]:
    # scope: node-internal because counts hang on the parks, and these are scoped
    inside = select(Enterprise.park, func.count().label("n")).group_by(Enterprise.park).subquery()
    sources = (
        select(Enterprise.park, func.count().label("n"), func.sum(Source.r).label("r"))
        .join(Source, Source.enterprise == Enterprise.code).group_by(Enterprise.park).subquery()
    )  # fmt: skip
    known = aliased(FileRow)
    statement = (
        scoped(
            select(
                Park.code.label("code"), Park.name.label("name"), Node.name.label("region"),
                known.body["status"].as_string().label("status"), known.body["grade"].as_string().label("grade"),
                func.coalesce(inside.c.n, 0).label("enterprises"), func.coalesce(sources.c.n, 0).label("sources"),
                sources.c.r.label("total_r"), FileHead.score.label("score"), FileHead.gaps.label("gaps"),
                FileHead.expired.label("expired"), FileHead.ending.label("ending"), Park.simulated.label("simulated"),
            ),
            who, Park,
        )
        .join(Node, Node.code == Park.region)
        .outerjoin(FileHead, FileHead.owner == Park.code)
        .outerjoin(known, (known.owner == Park.code) & (known.group == "recognition") & (known.row == ""))
        .outerjoin(inside, inside.c.park == Park.code)
        .outerjoin(sources, sources.c.park == Park.code)
    )  # fmt: skip
    return _state(_narrow(statement, Park.path, wanted, below, Park.code, Park.name), wanted)


def _chemicals(who: Principal, wanted: Wanted, below: str | None, _day: date) -> Select[*tuple[Any, ...]]:
    body = FileRow.body
    flags = ("key_regulated", "special_control", "highly_toxic", "explosive_precursor", "drug_precursor")
    statement = (
        scoped(
            select(
                (FileRow.owner + "." + FileRow.row).label("code"), body["name"].as_string().label("name"),
                body["cas"].as_string().label("cas"), body["role"].as_string().label("role"),
                body["max_storage"].as_float().label("max_storage"),
                body["annual_output"].as_float().label("annual_output"),
                body["annual_use"].as_float().label("annual_use"), body["place"].as_string().label("place"),
                *(body[flag].as_boolean().label(flag) for flag in flags), Enterprise.code.label("enterprise"),
                Enterprise.name.label("enterprise_name"), Node.name.label("region"),
                Enterprise.simulated.label("simulated"),
            ).where(FileRow.group == "chemicals", FileRow.row != NONE),
            who, FileRow,
        )
        .join(Enterprise, Enterprise.code == FileRow.owner)
        .join(Node, Node.code == Enterprise.region)
    )  # fmt: skip
    searched = (body["name"].as_string(), body["cas"].as_string(), Enterprise.name)
    statement = _narrow(statement, FileRow.path, wanted, below, *searched)
    statement = _equal(statement, wanted, cas=body["cas"].as_string(), enterprise=FileRow.owner, park=Enterprise.park)
    flag = wanted.get("flag")
    return statement.where(body[flag].as_boolean().is_(True)) if flag in flags else statement


def _substances(who: Principal, wanted: Wanted, below: str | None, _day: date) -> Select[*tuple[Any, ...]]:
    held = _chemicals(who, wanted, below, _day).subquery()
    key: ColumnElement[Any] = func.coalesce(held.c.cas, held.c.name)
    return select(
        cast(key, String).label("code"), func.min(held.c.name).label("name"), func.min(held.c.cas).label("cas"),
        func.count(held.c.enterprise.distinct()).label("enterprises"),
        func.sum(held.c.max_storage).label("max_storage"), func.max(held.c.max_storage).label("largest"),
    ).group_by(key)  # fmt: skip


def _validities(who: Principal, wanted: Wanted, below: str | None, day: date) -> Select[*tuple[Any, ...]]:
    days = int(wanted.get("within") or 90)
    latest = day + timedelta(days=days)
    owner = func.coalesce(Enterprise.name, Park.name)
    statement = (
        scoped(
            select(
                (FileRow.owner + "." + FileRow.group + "." + FileRow.row).label("code"),
                FileRow.owner.label("owner"), owner.label("owner_name"), FileRow.group.label("group"),
                FileRow.body.label("body"), FileRow.ends.label("ends"),
                func.coalesce(Source.name, Equipment.name).label("named"),
            ).where(FileRow.ends.is_not(None)),
            who, FileRow,
        )
        .outerjoin(Enterprise, Enterprise.code == FileRow.owner)
        .outerjoin(Park, Park.code == FileRow.owner)
        .outerjoin(Source, (Source.code == FileRow.row) & (FileRow.group == "sources"))
        .outerjoin(Equipment, (Equipment.code == FileRow.row) & (FileRow.group == "equipment"))
    )  # fmt: skip
    limit = FileRow.ends < day.isoformat() if days == 0 else FileRow.ends <= latest.isoformat()
    return _narrow(statement.where(limit), FileRow.path, wanted, below, FileRow.owner, owner)


def _columns(text: str) -> tuple[ListColumn, ...]:
    """``key title`` pairs; ``#`` before a title: a number; ``!``: not sorted by."""
    found = []
    for part in text.split("|"):
        key, title = part.strip().split(" ", 1)
        bare = title.strip().lstrip("#!")
        found.append(ListColumn(key, bare, number="#" in title, sort="!" not in title))
    return tuple(found)


LISTS: dict[str, Listing] = {
    listing.name: listing
    for listing in (
        Listing(
            "enterprises", "企业",
            _columns(
                "code 编码|name 名称|region 行政区|park 园区|type 类型|status 状态|sources #重大危险源|worst #最高级别|"
                "points #指标|score #完整度 %|gaps #缺项|expired #过期|ending #将到期|simulated 模拟"
            ),
            ("park", "state"), _enterprises,
        ),
        Listing(
            "sources", "重大危险源",
            _columns(
                "code 编码|name 名称|kind 类型|level #级别|r #R 值|enterprise 企业编码|enterprise_name 企业|"
                "region 行政区|people_500m #500 m 人数|filed_to 备案止|chief 包保主要负责人|simulated 模拟"
            ),
            ("level", "enterprise", "park"), _sources,
        ),
        Listing(
            "points", "监测指标",
            _columns(
                "code 编码|name 名称|tag 位号|quantity 监测量|unit 单位|range_low #量程下限|range_high #量程上限|"
                "ll #低低报|l #低报|h #高报|hh #高高报|equipment 设备|source 危险源编码|source_name 重大危险源|"
                "enterprise_name 企业|limit_fault 阈值有误|simulated 模拟"
            ),
            ("quantity", "enterprise", "source", "fault"), _points,
        ),
        Listing(
            "parks", "园区",
            _columns(
                "code 编码|name 名称|region 行政区|status 认定|grade 风险等级|enterprises #企业|sources #重大危险源|"
                "total_r #R 值合计|score #完整度 %|gaps #缺项|expired #过期|ending #将到期|simulated 模拟"
            ),
            ("state",), _parks,
        ),
        Listing(
            "chemicals", "危险化学品",
            _columns(
                "name 名称|cas CAS 号|role 用途|max_storage #最大储量 t|annual_output #年产量 t|annual_use #年用量 t|"
                "place 储存地点|key_regulated 重点监管|special_control 特别管控|highly_toxic 剧毒|"
                "explosive_precursor 易制爆|drug_precursor 易制毒|enterprise 企业编码|"
                "enterprise_name 企业|region 行政区|simulated 模拟"
            ),
            ("cas", "flag", "enterprise", "park"), _chemicals,
        ),
        Listing(
            "substances", "危险化学品汇总",
            _columns("name 名称|cas CAS 号|enterprises #企业数|max_storage #最大储量合计 t|largest #单家最大 t"),
            ("flag", "park"), _substances, whole=True,
        ),
        Listing(
            "validities", "期限",
            _columns("owner 编码|owner_name 单位|group !分组|what !内容|ends 有效期止"),
            ("within",), _validities, first="ends",
        ),
    )
}  # fmt: skip
