"""The documentation names everything that there is: settings, commands, routes, events, words of refusal."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from tests.alarms.support import scratch
from tests.web.support import bare, build, documented, served

from hazwatch.settings import Settings
from hazwatch.vocabulary.faults import Refusal

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generate():
    found = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_setting(generate) -> None:
    del generate
    page = text("settings.md")
    assert len(Settings.model_fields) > 20
    for name, field in Settings.model_fields.items():
        assert f"`HAZWATCH_{name.upper()}`" in page, f"{name} is missing: run make docs"
        assert field.description, f"{name} has no description"


def test_every_command_and_option(generate) -> None:
    page = text("cli.md")
    found = list(generate.commands())
    assert len(found) >= 10
    for words, command in found:
        section = page.partition(f"### `{words}`\n")[2].partition("\n### ")[0]
        assert section, f"{words} is missing: run make docs"
        for parameter in command.params:
            assert f"`{generate.parameter_words(parameter)}`" in section, (words, parameter.name)


@pytest.mark.parametrize("name", ["settings.md", "cli.md"])
def test_the_generated_parts_are_up_to_date(generate, name) -> None:
    assert generate.written(DOCS / name, generate.PAGES[name]()) == text(name), "run make docs"


def test_every_route_is_documented_and_every_documented_route_is_there(tmp_path) -> None:
    with scratch() as sessions:
        there = {(method, bare(path)) for method, path in served(build(sessions, tmp_path).app)}
    told = set(documented())
    assert there - told == set(), "missing in docs/api.md"
    assert told - there == set(), "documented but not there"


def test_every_event_of_the_live_stream() -> None:
    hub = (ROOT / "src/hazwatch/web/hub.py").read_text(encoding="utf-8")
    events = set(re.findall(r'(?:_event|_send)\(\s*"(\w+)"', hub))
    assert events >= {"hello", "values", "alarm", "grade", "link", "beat"}
    page = text("api.md").partition("## Live")[2].partition("\n## ")[0]
    for event in events:
        assert f"| `{event}` |" in page, event


def test_every_word_of_refusal() -> None:
    line = next(row for row in text("api.md").splitlines() if "/api/v1/dead-letters" in row)
    for word in Refusal:
        assert re.search(rf"\b{word.value}\b", line), word
