"""What was acknowledged against what a node kept: the saw tooth of ``saw`` in history and alarm records."""

from __future__ import annotations

import time

from tests.nodes import TestNode, level_point


def saw(n: int) -> float:
    """Value of report n: up over 高高 and back every twenty, so that every twenty reports make one excursion."""
    return 9.5 if n % 20 >= 15 else 5.0 + n % 7 / 10


def balance(running: TestNode, start: int, done: list[int]) -> tuple[int, int, int]:
    """Compare history and alarm records with what was acknowledged, once the engine has caught up."""
    deadline = time.monotonic() + 60
    lost = doubled = alarms = 0
    while time.monotonic() < deadline:
        lost, doubled, alarms = _compare(running, start, done)
        if not lost and not doubled:
            break
        time.sleep(1.0)
    return lost, doubled, alarms


def _compare(running: TestNode, start: int, done: list[int]) -> tuple[int, int, int]:
    lost = doubled = records = 0
    with running.client() as client:
        for k, n in enumerate(done):
            params = {"from": start, "to": start + n * 1000, "step": 0}
            answer = client.get(f"/api/v1/points/{level_point(k + 1)}/history", params=params)
            if answer.status_code != 200:
                return 1, 0, 0
            kept = [int(row[0]) for row in answer.json()["rows"]]
            wanted = [start + m * 1000 for m in range(n) if _stored(m)]
            lost += len(set(wanted) - set(kept))
            doubled += len(kept) - len(set(kept))
            found = client.get(
                "/api/v1/alarms", params={"show": "all", "point": level_point(k + 1), "page_size": 500}
            ).json()
            begun = sorted(a["event_time"] for a in found["items"])
            excursions = (n + 4) // 20
            lost += max(0, excursions - len(begun))
            doubled += max(0, len(begun) - excursions)
            records += len(begun)
    return lost, doubled, records


def _stored(m: int) -> bool:
    """Whether report m changes the value (store on change keeps only those)."""
    return m == 0 or saw(m) != saw(m - 1)
