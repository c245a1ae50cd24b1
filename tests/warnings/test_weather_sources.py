"""The drop folder and the polled address of a node, by the loops that run in it, on a real folder and server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select
from tests.warnings.test_service import Park
from tests.warnings.test_weather import park

from hazwatch.access.tables import DeadLetterRow
from hazwatch.app import weather as room
from hazwatch.app.node import clock
from hazwatch.app.weather import WeatherSources
from hazwatch.records import reading
from hazwatch.risk import book as risk
from hazwatch.settings import Settings
from hazwatch.warnings.weather import LARGEST

__all__ = ["park"]
GALE = {"id": "W1", "kind": "大风", "colour": "橙", "area": "410900"}
_PATIENCE_S = 10.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is looked at a hundred times as often."""
    monkeypatch.setattr(room, "_FOLDER_EVERY_S", 0.02)


class Node:
    """The sources of a node while they run."""

    def __init__(self, park: Park, settings: Settings) -> None:
        self.park = park
        self.told = 0
        self.sources = WeatherSources(settings, park.sessions, self._changed)

    async def _changed(self) -> None:
        self.told += 1

    async def until(self, true: Callable[[], bool]) -> None:
        """Run the loops until something is true."""
        running = asyncio.create_task(self.sources.run())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not true():
                    assert not running.done(), "the loops never end by themselves"
                    await asyncio.sleep(0.01)
        finally:
            running.cancel()

    def declared(self) -> list[str]:
        with reading(self.park.sessions) as session:
            return [str(d.body["colour"]) for d in risk.in_force(session, clock())]

    def letters(self) -> list[tuple[str, str]]:
        with reading(self.park.sessions) as session:
            found = session.execute(select(DeadLetterRow.link, DeadLetterRow.reason).order_by(DeadLetterRow.id))
            return [(link, reason) for link, reason in found.tuples()]


def test_a_file_that_breaks_the_desk_holds_up_nobody_behind_it(park, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "weather"
    folder.mkdir()
    take_in = room.Weather.take_in

    def broken(self, who, message, origin):
        if origin.endswith("a.json"):
            raise RuntimeError("as the database does when it is away")
        return take_in(self, who, message, origin)

    monkeypatch.setattr(room.Weather, "take_in", broken)
    for name in ("a.json", "b.json"):
        (folder / name).write_bytes(orjson.dumps(GALE))
    node = Node(park, Settings(home=tmp_path, weather_folder=folder))
    asyncio.run(node.until((folder / "done" / "b.json").is_file))
    assert node.declared() == ["orange"]
    assert (folder / "a.json").is_file(), "it waits for its next turn"


def test_a_file_that_appears_is_declared_and_a_bad_one_is_put_aside_with_a_dead_letter(park, tmp_path) -> None:
    folder = tmp_path / "weather"
    node = Node(park, Settings(home=tmp_path, weather_folder=folder))
    asyncio.run(node.until(folder.is_dir))
    secret = tmp_path / "secret.json"
    secret.write_bytes(orjson.dumps(GALE | {"id": "W9"}))
    (folder / "link.json").symlink_to(secret)
    (folder / "a.json").write_bytes(orjson.dumps(GALE))
    (folder / "b.json").write_text("{")
    (folder / "c.xml").write_text('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><alert>&b;</alert>')
    (folder / "d.json").write_bytes(b" " * (LARGEST + 1))
    (folder / "e.json").write_bytes(
        orjson.dumps([GALE | {"id": "W2", "colour": "红"}, GALE | {"id": "W3", "area": "x"}])
    )
    (folder / "notes.txt").write_text("of no concern")

    def put_away() -> list[str]:
        return sorted(str(f.relative_to(folder)) for f in folder.glob("*/*"))

    asyncio.run(node.until(lambda: len(put_away()) == 5))
    assert put_away() == ["done/a.json", "refused/b.json", "refused/c.xml", "refused/d.json", "refused/e.json"]
    assert sorted(f.name for f in folder.iterdir() if f.is_file()) == ["link.json", "notes.txt"], (
        "links are not followed"
    )
    assert sorted(node.declared()) == ["orange", "red"], "the good signal of a message with a bad one is taken in"
    assert node.letters() == [("weather", r) for r in ("malformed", "malformed", "too_large", "wrong_type")]
    assert node.told == 2, "the risk desk is told of each file that brought something"


class Office:
    """A weather office on a free port: answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[str] = []
        self.sent = 0
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                office.asked.append(self.path)
                status, body = office.answers[min(len(office.asked), len(office.answers)) - 1]
                if not status:
                    return  # hangs up
                self.send_response(status)
                if status in {301, 302, 307}:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                try:
                    for n in range(0, len(body), 1 << 16):
                        self.wfile.write(body[n : n + (1 << 16)])
                        office.sent += 1 << 16
                except OSError:
                    pass  # who asked has heard enough

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/now"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def office() -> Iterator[Office]:
    one = Office()
    yield one
    one.server.shutdown()
    one.server.server_close()


def _hurried(url: str, home: Path) -> Settings:
    return Settings(home=home, weather_url=url).model_copy(update={"weather_every_s": 0.02})


def test_the_polled_address_is_declared_and_its_hostile_answers_harm_nothing(park, office, tmp_path) -> None:
    office.answers = [
        (0, b""), (302, b""), (500, orjson.dumps(GALE | {"id": "W8"})), (200, b"<html>hi</html>"), (200, b"\x00\xff"),
        (200, b"[" * (64 * LARGEST)), (200, orjson.dumps(GALE)),
    ]  # fmt: skip
    node = Node(park, _hurried(office.url, tmp_path))
    asyncio.run(node.until(lambda: len(office.asked) >= len(office.answers) + 3))
    assert set(office.asked) == {"/now"}, "no redirect is followed"
    assert node.declared() == ["orange"]
    assert node.told == 1, "the same answer again is not taken in again"
    assert node.letters() == [("weather", r) for r in ("malformed", "malformed", "too_large")], "an outage is no letter"
    assert office.sent < 32 * LARGEST, "of an answer without end no more is read than shows that it is too large"
