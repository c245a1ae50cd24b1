"""Routes of the lists (docs/api.md, "Lists")."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.records.paging import PageRequest
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.lists import queries
from hazwatch.registry.lists.export import ENDINGS, file_of
from hazwatch.registry.lists.model import FILTERS, Wanted
from hazwatch.registry.lists.queries import LISTS, Listing

Text = Annotated[str, Query(max_length=100)]


def asked(  # noqa: D103  # a dependency: the filters as the query names them
    q: Text = "", region: Text = "", park: Text = "", enterprise: Text = "", source: Text = "", cas: Text = "",
    level: Text = "", quantity: Text = "", state: Text = "", fault: Text = "", flag: Text = "", within: Text = "",
) -> Wanted:  # fmt: skip
    given = {
        "park": park, "enterprise": enterprise, "source": source, "cas": cas, "level": level, "quantity": quantity,
        "state": state, "fault": fault, "flag": flag, "within": within,
    }  # fmt: skip
    for name, value in given.items():
        choices = [choice for choice, _ in FILTERS[name][1]]
        if value and choices and value not in choices:
            raise invalid(name, f"应为 {'、'.join(choices)} 之一")
    return Wanted(q, region, given)


def router(desk: RegistryDesk, gate: Gate) -> APIRouter:
    """The routes of the lists."""
    routes = APIRouter(prefix="/api/v1", tags=["lists"])
    viewer = gate.current()

    @routes.get("/lists", dependencies=[Depends(viewer)])
    def show_lists() -> dict[str, Any]:
        return {name: _declaration(listing) for name, listing in LISTS.items()}

    for name, listing in LISTS.items():
        routes.add_api_route(f"/lists/{name}", _lister(desk, viewer, listing), methods=["GET"])
        for ending in ENDINGS:
            path = f"/lists/{name}/export.{ending}"
            routes.add_api_route(path, _exporter(desk, viewer, listing, ending), methods=["GET"])
    return routes


def _declaration(listing: Listing) -> dict[str, Any]:
    return {
        "title": listing.title,
        "columns": [{"key": c.key, "title": c.title, "number": c.number, "sort": c.sort} for c in listing.columns],
        "filters": [
            {"name": name, "title": FILTERS[name][0], "choices": [list(choice) for choice in FILTERS[name][1]]}
            for name in listing.filters
        ],
    }


def _lister(desk: RegistryDesk, viewer: Callable[..., Principal], listing: Listing) -> Callable[..., dict[str, Any]]:
    def list_rows(
        request: Paging, who: Annotated[Principal, Depends(viewer)], wanted: Annotated[Wanted, Depends(asked)]
    ) -> dict[str, Any]:
        day = _scores(desk)
        with reading(desk.sessions) as session:
            return queries.page(session, who, listing, request, wanted, day).form()

    list_rows.__name__ = f"list_{listing.name}"
    return list_rows


def _exporter(
    desk: RegistryDesk, viewer: Callable[..., Principal], listing: Listing, ending: str
) -> Callable[..., Response]:
    def export_rows(
        who: Annotated[Principal, Depends(viewer)], wanted: Annotated[Wanted, Depends(asked)],
        sort: Annotated[str, Query(max_length=40)] = "",
    ) -> Response:  # fmt: skip
        day, request = _scores(desk), PageRequest(sort=sort)
        if sort:
            with reading(desk.sessions) as session:  # refuses a wrong column now
                queries.page(session, who, listing, PageRequest(1, 1, sort), wanted, day)

        def found() -> Iterator[Mapping[str, Any]]:
            with reading(desk.sessions) as session:
                yield from queries.rows(session, who, listing, request, wanted, day)

        return file_of(listing.title, listing.columns, found(), ending, day)

    export_rows.__name__ = f"export_{listing.name}_{ending}"
    return export_rows


def _scores(desk: RegistryDesk) -> Any:
    """Scores are kept with their files; what has aged is scored anew before anybody sorts by it."""
    now = desk.clock()
    with reading(desk.sessions) as session:
        due = store.is_due(session, now)
    if due:
        with unit_of_work(desk.sessions) as session:
            store.refresh_due(session, now)
    return store.today(now)
