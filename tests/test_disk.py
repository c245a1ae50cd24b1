"""When a disk counts as full or low."""

from __future__ import annotations

import pytest

from hazwatch.disk import room, space_of

GIB = 1 << 30


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (0, 100 * GIB, "full"), ((64 << 20) - 1, 100 * GIB, "full"), (64 << 20, 100 * GIB, "low"),
        (2 * GIB - 1, 100 * GIB, "low"), (2 * GIB, 100 * GIB, "ok"), (GIB, 10 * GIB, "ok"),
    ],
)  # fmt: skip
def test_full_low_and_enough(free: int, total: int, state: str) -> None:
    assert room(free, total) == {"state": state, "free": free}


def test_the_file_system_of_a_folder_is_asked(tmp_path) -> None:
    free, total = space_of(tmp_path)()
    assert 0 <= free <= total
