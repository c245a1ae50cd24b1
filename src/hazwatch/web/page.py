"""The browser application: files that the build put into the package, served with strict headers."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
#: MapLibre draws in a worker made from a blob; ECharts and Element Plus set styles. Nothing comes from another host.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "worker-src 'self' blob:; connect-src 'self'; font-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY", "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}  # fmt: skip
_NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>Hazwatch</title><p>页面尚未构建:请运行 <code>make setup</code>,"
    "接口可用:<a href=/api/openapi.json>/api/openapi.json</a>"
)


class _Headers:
    """Adds the headers to every answer. Plain ASGI, so that the live stream is not buffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def _file(path: str) -> Path | None:
    """The file of the page that a path names, if there is one."""
    try:
        asked = (STATIC / path).resolve()
        return asked if path and asked.is_relative_to(STATIC) and asked.is_file() else None
    except (OSError, ValueError):
        # A name that no file system can hold: too long, or with a NUL in it.
        return None


def install(app: FastAPI) -> None:
    """Serve the page; every path that is no file and no API is the page's own."""
    # Around everything, also around the middleware that answers when a route breaks.
    inside = app.build_middleware_stack
    app.build_middleware_stack = lambda: _Headers(inside())  # type: ignore[method-assign]  # Starlette has no hook for it
    if (STATIC / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=STATIC / "assets"), name="assets")

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith("api/"):
            return Response(status_code=404)
        asked = _file(path)
        if asked is not None:
            return FileResponse(asked)
        index = STATIC / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, 503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
