"""File names in the registry lead nowhere but into the node's own folders; recordings play through a whole node."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.nodes import GATEWAY, level_point, node, plant

from hazwatch.access.directory import LinkConfig
from hazwatch.app.access import confined
from hazwatch.registry import model as rows


@pytest.mark.parametrize("name", ["../records.sqlite", "/etc/passwd", "a/../../secrets/master.key"])
def test_a_recording_outside_the_folder_is_refused(tmp_path: Path, name: str):
    link = LinkConfig(1, GATEWAY, "", "recorded", "410900001", name)
    with pytest.raises(ValueError, match="不在"):
        confined(link, tmp_path)
    assert list(rows.errors_of(rows.GatewayRow(GATEWAY, "x", "recorded", name)))


def test_keys_are_made_below_the_node(tmp_path: Path):
    link = LinkConfig(
        1, GATEWAY, "", "opcua", "410900001", "opc.tcp://x", {"private_key": "plant/key.pem", "user": "u"}
    )
    inside = confined(link, tmp_path)

    assert inside.options["private_key"] == str(tmp_path / "pki" / "plant" / "key.pem")
    assert inside.options["user"] == "u"


def test_a_wildcard_is_no_node_name():
    for text in ("*", ">", "a.b", "a/b", "a b"):
        gateway = rows.GatewayRow(GATEWAY, "x", "sparkplug", options={"group": "g", "node": text})
        assert any(key == "options" for key, _ in rows.errors_of(gateway)), text


def test_a_recording_plays_through_the_node(tmp_path: Path):
    (tmp_path / "recordings").mkdir()
    lines = [f"{level_point(1)},{1_790_000_000_000 + k * 1000},{5 + k % 5},0" for k in range(600)]
    (tmp_path / "recordings" / "level.csv").write_text("point,ts,value,quality\n" + "\n".join(lines))
    described = plant(1)
    gateway = rows.GatewayRow(
        GATEWAY, "录制", "recorded", "level.csv", {"speed": "0", "start": "original", "loop": "off"}
    )  # fmt: skip
    with node(tmp_path, replace(described, gateways=(gateway,))) as running, running.client() as client:
        deadline = time.monotonic() + 15
        found: list[dict] = []
        while time.monotonic() < deadline and len(found) < 120:
            found = client.get("/api/v1/alarms", params={"show": "all", "page_size": 500}).json()["items"]
            time.sleep(0.2)

    # 9 comes every fifth second, 8 one before it: each is one excursion over 高 and 高高, found late, never ringing.
    assert len(found) == 120
    assert {(a["worst_level"], a["found_late"]) for a in found} == {("HH", True)}
