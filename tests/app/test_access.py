"""File names in the registry lead nowhere but into the node's own folders; recordings play through a whole node."""

from __future__ import annotations

import shutil
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


TEP = Path(__file__).parents[3] / "shared" / "data" / "tep" / "d06_te.dat"


@pytest.mark.skipif(not TEP.exists(), reason="the recorded Tennessee Eastman runs are not beside this checkout")
def test_a_tennessee_eastman_run_goes_through_the_node(tmp_path: Path):
    """960 rows, 3 min apart; of fault 6 the reactor's feed A, XMEAS(1), is gone at the end."""
    (tmp_path / "recordings").mkdir()
    shutil.copy(TEP, tmp_path / "recordings" / "run.dat")
    described = plant(2)
    options = {"speed": "0", "start": "original", "loop": "off", "epoch": "2026-10-01T00:00:00Z"}
    gateway = rows.GatewayRow(GATEWAY, "录制", "recorded", "run.dat", options)
    points = tuple(
        replace(point, address=f"XMEAS({n})", l=None, h=None, hh=None, range_low=-100.0, range_high=10_000.0)
        for n, point in zip((1, 7), described.points, strict=True)
    )
    start = 1_790_812_800_000
    asked = {"from": start, "to": start + 960 * 180_000, "step": 0}
    with node(tmp_path, replace(described, gateways=(gateway,), points=points)) as running, running.client() as client:
        deadline = time.monotonic() + 20
        feed: list[list[float]] = []
        while time.monotonic() < deadline and len(feed) < 900:
            feed = client.get(f"/api/v1/points/{level_point(1)}/history", params=asked).json()["rows"]
            time.sleep(0.3)
        pressure = client.get(f"/api/v1/points/{level_point(2)}/history", params=asked).json()["rows"]

    assert len(feed) > 900
    assert feed[0][4] > 0.2
    assert feed[-1][4] < 0.01
    assert 2600 < pressure[0][4] < 2800
