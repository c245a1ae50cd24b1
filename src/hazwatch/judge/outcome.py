"""The alarm history that a stream of rows adds up to: revisions applied, late finds marked."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hazwatch.judge import kernel
from hazwatch.judge.judge import Rows

_KEY = ["point", "event_ts", "from_level", "to_level", "value", "limit"]


@dataclass(slots=True)
class Outcome:
    """Transitions per point in order of event time, each with its *found late* mark."""

    _by_point: dict[int, list[tuple[np.void, bool]]] = field(default_factory=dict)
    _void: dict[bytes, bool] = field(default_factory=dict)

    def add(self, rows: Rows) -> None:
        """Take the rows of one verdict.

        A transition that a revision only repeats keeps the mark that it had; one that a revision brings is found late.
        """
        for row in rows:
            past = self._by_point.setdefault(int(row["point"]), [])
            late = False
            if row["kind"] == kernel.REVISION:
                cut = next((k for k, (old, _) in enumerate(past) if old["event_ts"] > row["event_ts"]), len(past))
                self._void = {_key(old): mark for old, mark in past[cut:]}
                del past[cut:]
                continue
            if row["kind"] == kernel.AMENDED:
                late = self._void.get(_key(row), True)
            past.append((row.copy(), late))

    def rows(self) -> tuple[Rows, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """All transitions by event time, then point; and their marks, bool[N]."""
        pairs = [pair for past in self._by_point.values() for pair in past]
        rows = np.array([row for row, _ in pairs], kernel.ROW)
        late = np.array([mark for _, mark in pairs], np.bool_)
        order = np.lexsort((rows["point"], rows["event_ts"]))
        return rows[order], late[order]


def _key(row: np.void) -> bytes:
    return b"".join(row[name].tobytes() for name in _KEY)
