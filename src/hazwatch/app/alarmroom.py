"""The alarm room inside the engine: commands of people, suppression by design, and what the passing of time brings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import orjson

from hazwatch.alarms import hold_store
from hazwatch.alarms.commands import Commands, Outcome, RuleTarget, summary_of
from hazwatch.alarms.model import Record
from hazwatch.alarms.rules import Reading, Rule, suppresses
from hazwatch.alarms.service import AlarmDesk
from hazwatch.log.client import RpcError
from hazwatch.records.engine import reading
from hazwatch.stream import packed
from hazwatch.vocabulary.levels import Level

if TYPE_CHECKING:
    from hazwatch.app.watch import Watch

#: Commands that a page may send; each is a method of ``Commands``.
COMMANDS = frozenset(
    {
        "acknowledge", "reset", "silence", "shelve", "unshelve", "request_out_of_service", "decide_out_of_service",
        "restore",
    }
)  # fmt: skip


class AlarmRoom:
    """Answers commands and keeps holds in step with rules and time. Everything goes through the desk's lock."""

    def __init__(self, desk: AlarmDesk, lock: asyncio.Lock, watch: Watch) -> None:
        self._desk = desk
        self._lock = lock
        self._watch = watch
        self.commands = Commands(desk)
        self._rules: list[Rule] = []
        self._index: dict[str, int] = {}
        self._indexed: object = None

    async def reload(self) -> None:
        """Rules of suppression or ways of annunciation were changed."""
        async with self._lock:
            await asyncio.to_thread(self._reload)

    def _reload(self) -> None:
        with reading(self._desk.sessions) as session:
            self._rules = hold_store.rules_in_force(session)
        self._desk.know_policies()
        self._indexed = None

    async def answer(self, data: bytes) -> bytes:
        """``{do, …}`` → ``{done, holds, refused}``.

        Raises:
            RpcError: there is no such command.
        """
        asked = orjson.loads(data)
        do = asked.pop("do", "")
        if do not in COMMANDS:
            raise RpcError("unknown_command", f"没有命令 {do}")
        async with self._lock:
            outcome: Outcome = await asyncio.to_thread(lambda: getattr(self.commands, do)(**asked))
        await self._watch.announce(outcome.records)
        return orjson.dumps(summary_of(outcome))

    async def on_tick(self, until: int) -> None:
        """Event time has passed up to ``until``: what ends, what rings again, what the rules say."""
        verdicts = self._verdicts()
        async with self._lock:
            records = await asyncio.to_thread(self._step, verdicts, until)
        await self._watch.announce(records)

    def _step(self, verdicts: list[tuple[Rule, list[RuleTarget], bool]], until: int) -> list[Record]:
        changed = self.commands.pass_time(until).records
        return changed + self.commands.suppress(verdicts, until).records

    def _verdicts(self) -> list[tuple[Rule, list[RuleTarget], bool]]:
        """Every rule in force, its targets by index, and whether it suppresses now."""
        watch = self._watch
        state, picture = watch.state, watch.picture
        if not self._rules or state is None or picture is None:
            return []
        if self._indexed is not picture:
            # Only the points that a rule names: a nation has half a million.
            named = {code.encode() for rule in self._rules for code in rule.points}
            rows = np.flatnonzero(np.isin(picture.points.code, np.array(list(named), "S22")))
            self._index = {picture.points.code[n].decode(): int(picture.points.index[n]) for n in rows.tolist()}
            self._indexed = picture
        fresh, latest = watch.usable(), state.latest

        def known(code: str) -> Reading | None:
            index = self._index.get(code)
            if index is None or index >= len(latest.ts) or latest.ts[index] == 0:
                return None
            level = Level(int(packed.levels(state.judge, np.array([index]))[0]))
            stands = bool(index < len(fresh) and fresh[index])
            return Reading(float(latest.value[index]), int(latest.quality[index]), level, stands)

        return [
            (rule, [(self._index[t.point], t.levels) for t in rule.targets if t.point in self._index],
             suppresses(rule, known))
            for rule in self._rules
        ]  # fmt: skip
