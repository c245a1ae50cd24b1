"""The recorded Tennessee Eastman alarm cases: as published, and what the proposal assistant makes of them.

    .venv/bin/python bench/tep_alarms.py [FOLDER]

FOLDER holds ``original``, ``filter`` and ``deadband`` with text alarms (Manca 2020, CC0). There are no process values
beside these alarms, so what the assistant can do here is on- and off-delays, replayed exactly on the event logs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hazwatch.alarms.assistant import Bounds, Proposal
from hazwatch.alarms.foreign import changed, proposals, together
from hazwatch.alarms.journal import AlarmLog
from hazwatch.alarms.kpi import measure
from hazwatch.alarms.kpi_log import read
from hazwatch.alarms.whatif import compare, comparison_form

DEFAULT = Path(__file__).parents[2] / "shared" / "data" / "tep_alarms"
#: Over the full set of 100 cases, from the description of the data.
PUBLISHED = {"original": 431_476, "filter": 42_384, "deadband": 7_318}


def cases(folder: Path, variant: str) -> list[AlarmLog]:
    files = sorted((folder / variant).glob("*.csv"), key=lambda file: int(file.stem.rpartition("_")[2]))
    return [read(file).log for file in files]


def line(name: str, logs: Sequence[AlarmLog], windows: Sequence[tuple[int, int]], base: int) -> int:
    found = [measure(log, *window) for log, window in zip(logs, windows, strict=True)]
    total = sum(k.activations for k in found)
    hours = sum(k.end - k.start for k in found)
    flooded = sum(k.flood_share * (k.end - k.start) for k in found) / hours
    counts: dict[str, int] = {}
    for log, window in zip(logs, windows, strict=True):
        for saved in compare(log, log, *window).tags:
            counts[saved.tag] = counts.get(saved.tag, 0) + saved.before
    top = sorted(counts.values(), reverse=True)[:10]
    cut = f"{100 * (1 - total / base):6.2f} %" if base else "      – "
    print(
        f"{name:<38}{total:>9,}{cut:>10}{sum(len(k.floods) for k in found):>8}{100 * flooded:>9.2f} %"
        f"{sum(k.fixed_floods for k in found):>8}{100 * sum(top) / total:>9.2f} %"
    )
    return total


def effect(name: str, old: Sequence[AlarmLog], new: Sequence[AlarmLog], windows: Sequence[tuple[int, int]]) -> None:
    rows = [comparison_form(compare(a, b, *w)) for a, b, w in zip(old, new, windows, strict=True)]
    first = [row["first_alarms"] for row in rows]
    print(
        f"{name}: {sum(row['episodes'] for row in rows)} episodes, "
        f"first alarm later in {sum(f['later'] for f in first)}, "
        f"worst {max(f['worst_s'] for f in first):g} s, gone {sum(f['missing'] for f in first)}, "
        f"earlier {sum(f['earlier'] for f in first)}"
    )


def chosen(found: Sequence[Proposal]) -> dict:
    return {p.source.tag: p.change for p in found if p.change is not None}


def main(folder: Path) -> None:
    sets = {variant: cases(folder, variant) for variant in PUBLISHED}
    original = sets["original"]
    windows = [
        (min(int(log.ts[0]) for log in three), max(int(log.ts[-1]) for log in three) + 1)
        for three in zip(*sets.values(), strict=True)
    ]
    print(f"{len(original)} cases; published activations over 100 cases: {PUBLISHED}\n")
    print(f"{'':<38}{'activ.':>9}{'cut':>10}{'floods':>8}{'in flood':>11}{'fixed':>8}{'top ten':>11}")
    base = line("original", original, windows, 0)
    for variant in ("filter", "deadband"):
        line(f"{variant} (published variant)", sets[variant], windows, base)
    for name, bounds in (
        ("assistant, 80 % of the nuisance", Bounds(bound_ms=0)),
        ("assistant, 95 % of the nuisance", Bounds(remove=0.95, bound_ms=0)),
        ("assistant, 98 % of the nuisance", Bounds(remove=0.98, bound_ms=0)),
    ):
        begun = time.perf_counter()
        found = proposals(original, bounds)
        took = time.perf_counter() - begun
        after = [changed(log, chosen(found)) for log in original]
        line(name, after, windows, base)
        half = len(original) // 2
        learned = chosen(proposals(original[:half], bounds))
        held_out = [changed(log, learned) for log in original[half:]]
        rest = sum(int(log.active.sum()) for log in original[half:])
        line("  of the first half, on the second", held_out, windows[half:], rest)
        effect("  first alarms", original, after, windows)
        nothing = [p for p in found if p.change is None]
        print(f"  {len(chosen(found))} tags changed, {len(nothing)} left alone, {took:.1f} s to propose")
        for p in found[:10]:
            change = p.change
            words = f"on {(change.on_ms or 0) / 1000:g} s, off {(change.off_ms or 0) / 1000:g} s" if change else p.why
            print(f"    {p.source.tag:<10}{p.source.nuisance:>8} → {p.nuisance_after:<6}{words}")
    top = sorted(compare((w := together(original)).log, w.log, w.start, w.end).tags, key=lambda t: -t.before)[:10]
    print("\ntop ten of original:", ", ".join(f"{t.tag} {t.before:,}" for t in top))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
