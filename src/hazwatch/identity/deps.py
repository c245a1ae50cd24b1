"""FastAPI dependencies: who is asking, and which part of a list."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Query, Request

from hazwatch.identity.desk import Desk
from hazwatch.identity.errors import ApiError, forbidden, unauthenticated
from hazwatch.identity.model import Principal, Role, may
from hazwatch.identity.sign_in import by_cookie, by_token
from hazwatch.records.paging import MAX_PAGE_SIZE, PageRequest

COOKIE = "hazwatch_session"

_SAFE = {"GET", "HEAD", "OPTIONS"}

#: What a dependency is: FastAPI fills the request in.
Who = Callable[[Request], Principal]


class Gate:
    """Makes dependencies that let a request in or not."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def current(self, needed: Role = Role.VIEWER, *, must_change_ok: bool = False) -> Who:
        """A dependency that gives the principal, or refuses: 401 unknown, 403 the role does not suffice.

        Args:
            needed: the role.
            must_change_ok: also let in who has to change a password first (only the session routes do).
        """

        def who(request: Request) -> Principal:
            principal = self.recognise(request)
            if principal is None:
                raise unauthenticated()
            if principal.must_change_password and not must_change_ok:
                raise ApiError(403, "must_change_password", "请先修改初始密码", "修改密码后即可继续")
            if not may(principal.role, needed):
                raise forbidden(f"需要{needed.zh}权限,当前为{principal.role.zh}")
            return principal

        return who

    def loopback_or(self, needed: Role) -> Callable[[Request], Principal | None]:
        """A dependency that lets in who asks from this machine, and otherwise who holds the role."""
        held = self.current(needed)

        def who(request: Request) -> Principal | None:
            return None if is_loopback(request) else held(request)

        return who

    def recognise(self, request: Request) -> Principal | None:
        """Who sends the request: a bearer token is looked at first, then the cookie."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return by_token(self._desk, value.strip())
        cookie = request.cookies.get(COOKIE)
        if cookie is None:
            return None
        check_origin(request)
        return by_cookie(self._desk, cookie)


def check_origin(request: Request) -> None:
    """Refuse a changing request that a foreign page made the browser send.

    Every browser names the origin of such requests (``Origin``, or at least ``Sec-Fetch-Site``). A request with neither
    comes from no browser, so there is no foreign page behind it.

    Raises:
        ApiError: 403.
    """
    if request.method in _SAFE:
        return
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    same = urlsplit(origin).netloc == request.headers.get("host") if origin else site in {"same-origin", "none"}
    if not same:
        raise ApiError(403, "foreign_origin", "请求来自其他网站,已拒绝", "请从本系统页面操作")


def address_of(request: Request) -> str:
    """The address a request comes from, as far as the server knows it."""
    return request.client.host if request.client else ""


def is_loopback(request: Request) -> bool:
    """Whether the request comes from this machine itself, and through no proxy."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ip_address(address_of(request)).is_loopback
    except ValueError:
        return False


def paging(
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = 50,
    sort: Annotated[str, Query(max_length=40)] = "",
) -> PageRequest:
    """The paging of a list."""
    return PageRequest(page, page_size, sort)


#: For signatures of list routes: ``request: Paging``.
Paging = Annotated[PageRequest, Depends(paging)]
