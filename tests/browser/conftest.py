"""A real node with the park in the box, and a real Chromium that looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.nodes import TestNode, node

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
#: 审图号 that the map has to show.
APPROVAL = "审测(2026)0001"
#: Software rendering on a small machine takes its time.
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestNode]:
    """One node for all browser tests."""
    if not (ROOT / "src/hazwatch/web/static/index.html").is_file():
        pytest.skip("the page is not built: run `make setup`")
    with node(tmp_path_factory.mktemp("park"), simulator=True, map_approval=APPROVAL) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """Chromium for one module: while Playwright's synchronous interface lives, no other event loop can run."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: run `make setup-test`")
    with api.sync_playwright() as playwright:
        found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
        try:
            opened = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        except api.Error as error:
            pytest.skip(
                f"no Chromium: install Debian's chromium, or `playwright install chromium` ({error.message[:80]})"
            )
        yield opened
        opened.close()


def own(url: str, origin: str) -> bool:
    """Whether a request stays on the node."""
    return url.startswith((origin + "/", "data:", f"blob:{origin}/"))


@pytest.fixture
def visit(browser, park: TestNode) -> Iterator[Callable]:
    """Open pages: signed in as the administrator, as somebody else by cookies, or not at all with ``{}``.

    Whatever a test does, no request of any page may leave the node.
    """
    foreign: list[str] = []
    contexts = []

    def open_page(path: str = "/", cookies: dict[str, str] | None = None, *, beside=None):
        if beside is not None:
            page = beside.context.new_page()
        else:
            context = browser.new_context(
                locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1440, "height": 900}
            )
            context.set_default_timeout(PATIENCE_MS)
            context.on("request", lambda request: own(request.url, park.url) or foreign.append(request.url))
            contexts.append(context)
            if cookies is None:
                park.client().close()
                cookies = park.cookies
            context.add_cookies([{"name": k, "value": v, "url": park.url} for k, v in cookies.items()])
            page = context.new_page()
        page.goto(park.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert foreign == [], f"requests to {sorted({urlsplit(url).netloc for url in foreign})}"
