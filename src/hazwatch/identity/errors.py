"""Errors of the HTTP interface, in the one form of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from hazwatch.records.paging import UnknownSortError

if TYPE_CHECKING:  # refusals are spoken of where nothing serves pages
    from fastapi import FastAPI


class ApiError(Exception):
    """A refusal that the caller is told about.

    Attributes:
        status: HTTP status.
        code: word for programs.
        message: what is wrong, in Chinese.
        hint: what to do about it.
        fields: wrong fields with the reason of each.
        headers: extra HTTP headers (``Retry-After``).
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        hint: str = "",
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The answer."""
        body = {"code": self.code, "message": self.message, "hint": self.hint, "fields": self.fields}
        return JSONResponse({"error": body}, self.status, self.headers)


def not_found(what: str, code: str) -> ApiError:
    """404. Also for what lies outside the scope: to the caller it does not exist."""
    return ApiError(404, "not_found", f"没有{what} {code}", "请检查编码,或确认它在您的管辖范围内")


def unauthenticated(message: str = "尚未登录或登录已失效") -> ApiError:
    """401."""
    return ApiError(401, "unauthenticated", message, "请重新登录")


def forbidden(message: str, hint: str = "请联系管理员") -> ApiError:
    """403."""
    return ApiError(403, "forbidden", message, hint)


def conflict(message: str, hint: str = "") -> ApiError:
    """409."""
    return ApiError(409, "conflict", message, hint)


def invalid(field: str, message: str, hint: str = "请改正后重试") -> ApiError:
    """422 about one field."""
    return ApiError(422, "invalid", message, hint, {field: message})


_HTTP_ZH = {
    400: "请求格式有误",
    401: "尚未登录或登录已失效",
    403: "没有权限",
    404: "没有这个地址",
    405: "该地址不支持这种操作",
    413: "请求内容过大",
}

_PYDANTIC_ZH = {
    "missing": "必填",
    "string_too_short": "太短",
    "string_too_long": "太长",
    "int_parsing": "应为整数",
    "float_parsing": "应为数值",
    "bool_parsing": "应为 true 或 false",
    "string_type": "应为文本",
    "less_than_equal": "过大",
    "greater_than_equal": "过小",
    "extra_forbidden": "不认识的字段",
    "json_invalid": "不是合法的 JSON",
    "literal_error": "不在可选值之内",
}


def install(app: FastAPI) -> None:
    """Teach an application to answer every error in the contract's form."""
    from fastapi.exceptions import RequestValidationError

    async def refused(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiError)  # noqa: S101 -- Starlette calls the handler for this class only
        return error.response()

    async def malformed(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 -- as above
        fields = {_field(item): _PYDANTIC_ZH.get(item["type"], "取值不合要求") for item in error.errors()}
        return ApiError(422, "invalid", "请求内容不合要求", "请改正所列字段后重试", fields).response()

    async def unsortable(_request: Request, error: Exception) -> JSONResponse:
        return invalid("sort", str(error)).response()

    async def protocol(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 -- as above
        message = _HTTP_ZH.get(error.status_code, "请求未能完成")
        return ApiError(error.status_code, "http", message, "", headers=error.headers).response()

    async def unstorable(_request: Request, _error: Exception) -> JSONResponse:
        # PostgreSQL takes no NUL in a text; nothing else a person can send gets as far as this.
        return ApiError(422, "invalid", "请求中有无法存储的字符", "请去掉不可见字符后重试").response()

    async def broken(_request: Request, _error: Exception) -> JSONResponse:
        return ApiError(500, "internal", "服务器内部错误", "请稍后重试;若仍出现,请查看节点日志").response()

    app.add_exception_handler(ApiError, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(UnknownSortError, unsortable)
    app.add_exception_handler(HTTPException, protocol)
    app.add_exception_handler(DataError, unstorable)
    app.add_exception_handler(Exception, broken)


def _field(item: Any) -> str:
    """``body.role`` → ``role``: the browser knows where it put the field."""
    where = [str(part) for part in item["loc"]]
    return ".".join(where[1:]) or where[0]
