"""The alarm desk on screen: 50,000 open records (first paint, scroll, update), and a flood of 10,000 alarms.

    python bench/console.py [records] [flood]

A whole node on free ports, real Chromium, 1440 × 900. The flood comes through the gateway's socket: its clock starts
before the first frame is written, and it is over when the page shows the groups with all alarms counted.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright
from tests.nodes import ENTERPRISE, GATEWAY, TestGateway, TestNode, node

from hazwatch.alarms.model import Transition
from hazwatch.alarms.service import AlarmDesk
from hazwatch.app import facts
from hazwatch.app.node import clock
from hazwatch.app.prepare import prepare
from hazwatch.identity.model import SYSTEM
from hazwatch.identity.secrets import master_key
from hazwatch.registry import model as rows
from hazwatch.registry import service as registry
from hazwatch.registry.desk import RegistryDesk
from hazwatch.settings import Settings
from hazwatch.vocabulary.levels import Level

SOURCES, TANKS, POINTS = 20, 5, 100
_FRAME = 500


def code(n: int) -> str:
    """Code of the n-th point: 20 sources of 5 tanks of 100 points."""
    tank, point = divmod(n, POINTS)
    source, tank = divmod(tank, TANKS)
    return f"{ENTERPRISE}{source + 1:03d}G0{tank + 1:03d}YW{point:03d}"


def works() -> rows.Description:
    count = SOURCES * TANKS * POINTS
    sources = sorted({code(n)[:12] for n in range(count)})
    return rows.Description(
        enterprises=(rows.EnterpriseRow(ENTERPRISE, "试验化工有限公司", "410900", lon=115.03, lat=35.76),),
        sources=tuple(rows.SourceRow(s, f"罐区{s[-3:]}", "储罐区", 3, 20.0, lon=115.03, lat=35.76) for s in sources),
        equipment=tuple(rows.EquipmentRow(e, f"储罐{e[-3:]}") for e in sorted({code(n)[:17] for n in range(count)})),
        gateways=(rows.GatewayRow(GATEWAY, "试验网关", "national"),),
        points=tuple(
            rows.PointRow(
                code(n), f"液位{n:05d}", GATEWAY, unit="m", range_low=0.0, range_high=10.0, ll=None, l=1.0, h=8.0,
                hh=9.0, deadband=0.0, on_delay_s=0.0, off_delay_s=0.0,
            )
            for n in range(count)
        ),
    )  # fmt: skip


def seed(home: Path, records: int) -> None:
    """Records of the past that nobody has seen."""
    sessions = prepare(Settings(home=home, simulator=False), lambda _: None)
    registry.seed(RegistryDesk(sessions, clock, master_key(home)), SYSTEM, works(), "bench")
    desk, start = AlarmDesk(sessions, facts.load(sessions).facts), clock() - 86_400_000
    batch, count = [], SOURCES * TANKS * POINTS
    for n in range(records):
        at, level = start + n * 1000, Level.HH if n % 10 == 0 else Level.H
        batch += [
            Transition(n % count, at, at, Level.NORMAL, level, 8.5, 8.0, 1),
            Transition(n % count, at + 500, at + 500, level, Level.NORMAL, 5.0, 8.0, 1),
        ]
    for k in range(0, len(batch), 20_000):
        desk.apply(batch[k : k + 20_000], (0, 0))


def opened(browser: Browser, running: TestNode) -> Page:
    running.client().close()
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(120_000)
    context.add_cookies([{"name": k, "value": v, "url": running.url} for k, v in running.cookies.items()])
    return context.new_page()


def first_paint(page: Page, running: TestNode) -> None:
    taken = []
    for _ in range(5):
        page.goto("about:blank")
        began = time.perf_counter()
        page.goto(f"{running.url}/alarms", wait_until="commit")
        page.wait_for_selector('[data-testid="alarm-row"]')
        taken.append(time.perf_counter() - began)
    total = page.get_attribute('[data-testid="alarm-foot"]', "data-total")
    print(f"{total} records: rows on screen after {statistics.median(taken) * 1000:.0f} ms (median of 5 openings)")


_JUMP = """async (share) => {
  const pane = document.querySelector('[data-testid=alarm-scroll]');
  const began = performance.now();
  pane.scrollTop = share * (pane.scrollHeight - pane.clientHeight);
  const wanted = Math.floor((pane.scrollTop + pane.clientHeight / 2) / 27);
  for (;;) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (document.querySelector(`[data-testid=alarm-row][data-index="${wanted}"]`)) return performance.now() - began;
  }
}"""
_GLIDE = """async () => {
  const pane = document.querySelector('[data-testid=alarm-scroll]');
  pane.scrollTop = 0;
  const frames = [];
  let before = performance.now();
  for (let k = 0; k < 120; k += 1) {
    pane.scrollTop += 90;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    frames.push(performance.now() - before);
    before = performance.now();
  }
  return frames;
}"""


def scroll(page: Page) -> None:
    jumps = [page.evaluate(_JUMP, (k * 37 % 97) / 97) for k in range(40)]
    jumps.sort()
    print(f"jump to anywhere in the list: p50 {jumps[20]:.0f} ms, p95 {jumps[37]:.0f} ms until its rows are there")
    frames = sorted(page.evaluate(_GLIDE))
    print(f"gliding, 90 px a frame: frame p50 {frames[60]:.1f} ms, p95 {frames[114]:.1f} ms")


def update(page: Page, running: TestNode) -> None:
    page.goto(f"{running.url}/alarms")
    page.wait_for_selector('[data-testid="alarm-row"]')
    taken = []
    for n in range(5):
        row = page.locator('[data-testid="alarm-row"]').nth(n + 3)
        alarm = row.get_attribute("data-alarm-id")
        with running.client() as client:
            began = time.perf_counter()
            client.post("/api/v1/alarms/acknowledge", json={"ids": [alarm], "note": ""})
        page.wait_for_selector(f'[data-alarm-id="{alarm}"]', state="detached")
        taken.append(time.perf_counter() - began)
    print(f"acknowledged elsewhere → gone from the open list: {statistics.median(taken) * 1000:.0f} ms (median of 5)")


def flood(page: Page, running: TestNode, alarms: int) -> None:
    page.goto(f"{running.url}/alarms?view=groups&kind=process&show=unacknowledged&q=%E6%B6%B2%E4%BD%8D")
    page.wait_for_selector('[data-testid="flood-view"]')
    told: dict[str, float] = {}

    def send() -> None:
        async def run() -> None:
            gateway = TestGateway(running.settings.national_tcp_port, running.secret())
            at = clock() // 1000 * 1000
            for k in range(0, alarms, _FRAME):
                await gateway.send(at, {code(n): 9.5 for n in range(k, min(alarms, k + _FRAME))})
            gateway.close()

        told["began"] = time.perf_counter()
        asyncio.run(run())
        told["sent"] = time.perf_counter()

    sender = threading.Thread(target=send)
    sender.start()
    first = None
    while True:
        text = page.locator(".sum b").first.inner_text() if page.locator(".sum b").count() else "0"
        shown = int(text.replace(",", "") or 0)
        now = time.perf_counter()
        if shown and first is None:
            first = now
        if shown >= alarms:
            break
        if now - told.get("began", now) > 120:
            print(f"after 120 s only {shown} of {alarms} are shown")
            break
        page.wait_for_timeout(50)
    sender.join()
    begun = told["began"]
    print(
        f"flood of {alarms}: sent and acknowledged to the gateway in {told['sent'] - begun:.1f} s, first summary after "
        f"{(first or now) - begun:.1f} s, all counted by source with its first-out after {now - begun:.1f} s"
    )


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    alarms = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    browser_path = next((p for n in ("chromium", "chromium-browser") if (p := shutil.which(n))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        with tempfile.TemporaryDirectory() as home:
            began = time.perf_counter()
            seed(Path(home), records)
            took = time.perf_counter() - began
            print(f"{records} records ({records * 2} transitions) written by the desk in {took:.1f} s")
            with node(Path(home), simulator=False) as running:
                page = opened(browser, running)
                first_paint(page, running)
                scroll(page)
                update(page, running)
        with tempfile.TemporaryDirectory() as home:
            seed(Path(home), 0)
            with node(Path(home), simulator=False) as running:
                flood(opened(browser, running), running, alarms)
        browser.close()


if __name__ == "__main__":
    main()
