"""The check of the slips: the chain of steps, the slips that they add up to, and the attachments they name.

Every row that was changed, removed or put in is named: which slip, which step, whose, when.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.records.chain import GENESIS, link
from hazwatch.slips.model import Action, Slip, apply, begin
from hazwatch.slips.store import columns, content, step_of
from hazwatch.slips.tables import CLIMBED, SlipAttachment, SlipBlob, SlipHead, SlipRow, SlipStep
from hazwatch.vocabulary.moments import clock_text

#: Told how many rows were read.
Told = Callable[[int], None]
_BATCH = 1_000
#: Findings that are told one by one; a table that was emptied needs no more.
MOST = 1_000
_COLUMN_ZH = {
    "warning": "预警编号", "state": "状态", "colour": "颜色", "worst": "最高颜色", "opened_at": "生成时间",
    "due_at": "时限", "wake_at": "下次升级时间", **dict.fromkeys(CLIMBED.values(), "已升级的层级"),
    "cleared_at": "预警解除时间", "closed_at": "关闭时间", "version": "步数",
    "body": "表单与时钟", "kind": "对象类别", "object": "对象编码", "name": "对象名称", "cause": "原因",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit; ``number`` 0 is the slip itself."""

    slip: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class SlipReport:
    """What the check found."""

    steps: int
    slips: int
    attachments: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return not self.findings


class _Check:
    def __init__(self, session: Session, told: Told) -> None:
        self._session = session
        self._told = told
        self._done = 0
        self.findings: list[Finding] = []
        self.slips: dict[str, Slip] = {}
        self.first: dict[str, dict[str, str]] = {}
        self.last: dict[str, SlipStep] = {}
        self.files: set[tuple[str, int, str, str]] = set()
        self.steps = 0

    def tick(self) -> None:
        """One more row was read."""
        self._done += 1
        if self._done % _BATCH == 0:
            self._told(self._done)

    def say(self, slip: str, number: int, text: str) -> None:
        if len(self.findings) < MOST:
            self.findings.append(Finding(slip, number, text))

    def chain(self) -> None:
        """Every step against the one before it, and each slip's own numbers."""
        previous: str | None = GENESIS
        expected = 1
        before: SlipStep | None = None
        # scope: node-internal because the chain runs through all scopes
        rows = self._session.scalars(select(SlipStep).order_by(SlipStep.id).execution_options(yield_per=_BATCH))
        for row in rows:
            if row.id != expected:
                self.say(row.slip, row.number, f"链上第 {expected} 至 {row.id - 1} 条记录缺失({_next_to(before, row)})")
                previous = None
            if previous is not None and row.digest != link(content(row), previous):
                self.say(row.slip, row.number, f"{_named(row)}的内容被改动,或{_before(before)}被改写")
            self.follow(row)
            previous, expected, before = row.digest, row.id + 1, row
            self.steps += 1
            self.tick()
        head = self._session.scalars(select(SlipHead)).one()
        if head.length != expected - 1:
            self.say(before.slip if before else "", 0, f"链尾不符:应有 {head.length} 条,最后一条是第 {expected - 1} 条")
        elif head.digest != (previous or GENESIS):
            self.say(before.slip if before else "", before.number if before else 0, "链尾摘要不符:末条被改写")

    def follow(self, row: SlipStep) -> None:
        """The slip after this step."""
        known = self.slips.get(row.slip)
        wanted = known.steps + 1 if known else 1
        if row.number != wanted:
            self.say(row.slip, wanted, f"第 {wanted} 步缺失,其后是{_named(row)}")
        try:
            done = step_of(row)
            if done.action is Action.OPEN:
                slip = begin(done)
                self.first[row.slip] = {name: done.detail[name] for name in ("kind", "object", "name", "cause")}
            elif known is None:
                return
            else:
                slip = apply(known, done)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.say(row.slip, row.number, f"{_named(row)}无法读取")
            return
        if known is not None and done.before is not known.state:
            self.say(row.slip, row.number, f"{_named(row)}始于“{row.before}”,而其前为“{known.state.value}”")
        self.slips[row.slip], self.last[row.slip] = slip, row
        for file in done.detail.get("attachments", ()):
            self.files.add((row.slip, row.number, file["sha256"], file["file_name"]))

    def rows(self) -> int:
        """Every slip against what its steps add up to."""
        left = set(self.slips)
        count = 0
        # scope: node-internal because the check runs through all scopes
        for row in self._session.scalars(select(SlipRow).order_by(SlipRow.id).execution_options(yield_per=_BATCH)):
            count += 1
            self.tick()
            slip = self.slips.get(row.id)
            left.discard(row.id)
            if slip is None:
                self.say(row.id, 0, "报告单没有任何步骤记录,系自行插入,或其步骤被删除")
                continue
            wanted = {**columns(slip), **self.first.get(row.id, {})}
            wrong = [name for name, value in wanted.items() if getattr(row, name) != value]
            if wrong:
                words = "、".join(dict.fromkeys(_COLUMN_ZH[name] for name in wrong))
                self.say(row.id, 0, f"报告单的{words}与步骤不符;最后一步是{_named(self.last[row.id])}")
        for slip_id in sorted(left):
            self.say(slip_id, 0, f"报告单被删除;最后一步是{_named(self.last[slip_id])}")
        return count

    def attachments(self) -> int:
        """Every attachment that a step names is there, and its bytes are what they were."""
        good = set()
        for blob in self._session.scalars(select(SlipBlob).execution_options(yield_per=20)):
            if hashlib.sha256(blob.content).hexdigest() == blob.sha256:
                good.add(blob.sha256)
            self._session.expunge(blob)
            self.tick()
        # scope: node-internal because the check runs through all scopes
        held = set(self._session.execute(select(SlipAttachment.slip, SlipAttachment.sha256)).tuples())
        for slip, number, digest, name in sorted(self.files):
            if (slip, digest) not in held:
                self.say(slip, number, f"第 {number} 步的附件《{name}》缺失")
            elif digest not in good:
                self.say(slip, number, f"第 {number} 步的附件《{name}》的内容被改动")
        for slip, digest in sorted(held):
            if digest not in good and not any(f[0] == slip and f[2] == digest for f in self.files):
                self.say(slip, 0, f"附件 {digest[:12]} 的内容被改动")
        return len(held)


def verify_slips(session: Session, told: Told = lambda _done: None) -> SlipReport:
    """Check everything; reads the whole of the slips once. ``told`` hears how many steps and slips were read so far."""
    check = _Check(session, told)
    check.chain()
    count = check.rows()
    attachments = check.attachments()
    return SlipReport(check.steps, count, attachments, tuple(check.findings))


def _named(row: SlipStep) -> str:
    try:
        word = Action(row.action).zh
    except ValueError:
        word = row.action
    return f"第 {row.number} 步“{word}”({row.name} {row.username},{clock_text(row.at)})"


def _before(row: SlipStep | None) -> str:
    return f"其前一条({row.slip} {_named(row)})" if row else "其前一条"


def _next_to(before: SlipStep | None, after: SlipStep) -> str:
    if before is None:
        return f"在 {after.slip} {_named(after)}之前"
    return f"在 {before.slip} {_named(before)}与 {after.slip} {_named(after)}之间"
