"""What ``hazwatch alarms whatif`` computes and prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from hazwatch.alarms.assistant import Bounds, Change, Proposal
from hazwatch.alarms.foreign import changed, proposals
from hazwatch.alarms.kpi import measure
from hazwatch.alarms.kpi_form import brief_form
from hazwatch.alarms.kpi_log import ForeignLog
from hazwatch.alarms.whatif import compare, comparison_form


@dataclass(frozen=True, slots=True)
class Given:
    """Logs by file name; delays for all tags; bounds of the assistant, None = do not ask it; which tags are gas."""

    logs: Mapping[str, ForeignLog]
    every: Change
    bounds: Bounds | None
    gas: str


def tried(given: Given) -> dict[str, Any]:
    """Replay every log.

    Raises:
        ValueError: the pattern for gas detectors is none.
    """
    logs = [foreign.log for foreign in given.logs.values()]
    gas = _matching({tag for log in logs for tag, _ in log.names}, given.gas)
    found = proposals(logs, given.bounds, gas) if given.bounds else []
    chosen = {p.source.tag: p.change for p in found if p.change is not None}
    quiet = replace(given.every, on_ms=0)
    chosen |= {tag: chosen.get(tag, quiet) for tag in gas}
    files = [_one(name, foreign, chosen, given.every) for name, foreign in given.logs.items()]
    before, after = (sum(file[key]["activations"] for file in files) for key in ("before", "after"))
    return {
        "files": files, "before": before, "after": after, "saved_share": 1 - after / before if before else 0.0,
        "first_alarms_later": sum(file["comparison"]["first_alarms"]["later"] for file in files),
        "first_alarms_gone": sum(file["comparison"]["first_alarms"]["missing"] for file in files),
        "proposals": [_proposal(p) for p in found],
    }  # fmt: skip


def _one(name: str, foreign: ForeignLog, chosen: Mapping[str, Change], every: Change) -> dict[str, Any]:
    log = foreign.log
    start, end = int(log.ts[0]), int(log.ts[-1]) + 1
    after = changed(log, chosen, every)
    return {
        "file": name, "from": foreign.moment(start), "to": foreign.moment(end),
        "before": brief_form(measure(log, start, end)), "after": brief_form(measure(after, start, end)),
        "comparison": comparison_form(compare(log, after, start, end)),
    }  # fmt: skip


def _matching(tags: set[str], pattern: str) -> frozenset[str]:
    if not pattern:
        return frozenset()
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"正则式 {pattern!r} 有误:{error}") from error
    return frozenset(tag for tag in tags if wanted.search(tag))


def _proposal(found: Proposal) -> dict[str, Any]:
    change = None if found.change is None else {k: v for k, v in asdict(found.change).items() if v is not None}
    return {
        "tag": found.source.tag, "nuisance": found.source.nuisance, "activations": found.source.activations,
        "change": change, "nuisance_after": found.nuisance_after, "why": found.why,
    }  # fmt: skip


def lines(form: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield f"{'文件':<34}{'报警前':>8}{'报警后':>8}{'减少':>9}{'泛滥前':>7}{'泛滥后':>7}{'首报推迟':>7}{'首报消失':>7}"
    for file in form["files"]:
        before, after, first = file["before"], file["after"], file["comparison"]["first_alarms"]
        share = 1 - after["activations"] / before["activations"] if before["activations"] else 0.0
        yield (
            f"{file['file']:<36}{before['activations']:>10}{after['activations']:>10}{100 * share:>9.2f} %"
            f"{before['flood_count']:>8}{after['flood_count']:>10}{first['later']:>10}{first['missing']:>10}"
        )
    yield f"合计:{form['before']} → {form['after']},减少 {100 * form['saved_share']:.2f} %"
    for item in form["proposals"]:
        change = item["change"]
        words = item["why"]
        if change:
            parts = {"on_ms": "报警延时", "off_ms": "恢复延时"}
            words = ",".join(f"{parts[key]} {value / 1000:g} s" for key, value in change.items())
        yield f"  {item['tag']}  扰人报警 {item['nuisance']} → {item['nuisance_after']}  {words}"
