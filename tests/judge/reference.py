"""An independent, slow, obviously right judge of one point: sort, then walk in event time with plain Python.

Written from design/alarms §1–2 without looking at the kernel: thresholds are dicts, time is walked from event to
event, every condition is spelled out.
"""

from __future__ import annotations

import math

NAMES = ("LL", "L", "H", "HH")


def judge_point(samples, limits, deadband=0.0, on_ms=0, off_ms=0, until=None):
    """samples: [(ts, value, quality)] in any order → [(ts, from, to, value)] in order."""
    best = {}
    for ts, value, quality in samples:
        if ts not in best or better((value, quality), best[ts]):
            best[ts] = (value, quality)
    active = dict.fromkeys(NAMES, False)
    since = dict.fromkeys(NAMES)
    held, level, out = math.nan, "normal", []

    def worst():
        for name in ("HH", "LL", "H", "L"):
            if active[name]:
                return name
        return "normal"

    def pass_time(upto, *, including):
        nonlocal level
        while True:
            due = {n: since[n] + (off_ms if active[n] else on_ms) for n in NAMES if since[n] is not None}
            due = {n: t for n, t in due.items() if t < upto or (including and t == upto)}
            if not due:
                return
            moment = min(due.values())
            for n, t in due.items():
                if t == moment:
                    active[n] = not active[n]
                    since[n] = None
            if worst() != level:
                out.append((moment, level, worst(), held))
                level = worst()

    for ts in sorted(best):
        pass_time(ts, including=False)
        value, quality = best[ts]
        if quality <= 2 and not math.isnan(value):
            held = value
            for n in NAMES:
                limit = limits.get(n)
                if limit is None:
                    continue
                high = n in ("H", "HH")
                if active[n]:
                    moving = value < limit - deadband if high else value > limit + deadband
                else:
                    moving = value >= limit if high else value <= limit
                if not moving:
                    since[n] = None
                elif since[n] is None:
                    since[n] = ts
        pass_time(ts, including=True)
    if until is not None:
        pass_time(until, including=True)
    return out


def better(a, b):
    if a[1] != b[1]:
        return a[1] < b[1]
    if math.isnan(b[0]):
        return not math.isnan(a[0])
    return a[0] > b[0]
