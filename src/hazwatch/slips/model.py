"""Pure: the life of a slip. One table says what may follow what; a slip is the fold of its steps.

``TABLE`` is all there is: the service obeys it, the API serves it, the page draws it. ``step`` checks a deed against it
and gives the step; ``apply`` gives the slip after a step. What is stored beside the steps is only this fold, so the
check of the records can make it again and compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from hazwatch.slips.clocks import ClockKind, Rules
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import Tier, tier_of


class State(StrEnum):
    """States of a slip; ``MERGED`` is the end of one that goes on in another."""

    MADE = "made"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    HANDLING = "handling"
    ANSWERED = "answered"
    REVIEW = "review"
    CLOSED = "closed"
    MERGED = "merged"

    @property
    def zh(self) -> str:
        """The Chinese word."""
        return _STATE_ZH[self]


class Action(StrEnum):
    """Deeds. The first group people do, the second the system."""

    DELIVER = "deliver"
    CONFIRM = "confirm"
    START = "start"
    FEEDBACK = "feedback"
    FALSE_ALARM = "false_alarm"
    REPORT = "report"
    REVIEW = "review"
    CLOSE = "close"
    RETURN = "return"
    MERGE = "merge"
    SUPERVISE = "supervise"
    OPEN = "open"
    ESCALATE = "escalate"
    CHANGE = "change"
    CLEAR = "clear"
    APPEND = "append"

    @property
    def zh(self) -> str:
        """The Chinese word."""
        return _ACTION_ZH[self]


class Party(StrEnum):
    """Who may: the tier that owns the object, the tier that supervises it, any tier above, or the system itself."""

    OWNER = "owner"
    SUPERVISOR = "supervisor"
    ABOVE = "above"
    SYSTEM = "system"

    @property
    def zh(self) -> str:
        """The Chinese words."""
        return {"owner": "责任单位", "supervisor": "监管层级", "above": "任一上级", "system": "系统"}[self.value]


OPEN_STATES = (State.MADE, State.DELIVERED, State.CONFIRMED, State.HANDLING, State.ANSWERED, State.REVIEW)
#: 工艺波动/仪表故障/检维修/误报/真实险情.
CAUSES = {
    "process": "工艺波动", "instrument": "仪表故障", "maintenance": "检维修", "false_alarm": "误报", "real": "真实险情",
}  # fmt: skip
#: Fields of the forms: Chinese title and longest text.
FIELDS = {
    "note": ("备注", 500), "cause_class": ("原因类别", 20), "measures": ("处置措施", 2000),
    "result": ("处置结果", 2000),
    "prevention": ("防范措施", 2000), "signer": ("签字人", 40), "reason": ("理由", 1000), "opinion": ("审核意见", 1000),
    "text": ("内容", 2000), "into": ("并入的报告单", 24),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: in these states this party may do this; then the slip is in ``to`` (None = as before)."""

    action: Action
    states: tuple[State, ...]
    to: State | None
    party: Party
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    stops: tuple[ClockKind, ...] = ()
    starts: tuple[ClockKind, ...] = ()


_ALL_CLOCKS = tuple(ClockKind)
_ANSWER = (ClockKind.FEEDBACK,)
#: The state machine, whole.
TABLE: tuple[Rule, ...] = (
    Rule(Action.OPEN, (), State.MADE, Party.SYSTEM, starts=(ClockKind.CONFIRM, ClockKind.START, ClockKind.FEEDBACK)),
    Rule(Action.DELIVER, (State.MADE,), State.DELIVERED, Party.OWNER),
    Rule(
        Action.CONFIRM, (State.DELIVERED,), State.CONFIRMED, Party.OWNER, optional=("note",), stops=(ClockKind.CONFIRM,)
    ),
    Rule(Action.START, (State.CONFIRMED,), State.HANDLING, Party.OWNER, optional=("note",), stops=(ClockKind.START,)),
    Rule(
        Action.FEEDBACK, (State.HANDLING,), State.ANSWERED, Party.OWNER,
        ("cause_class", "measures", "result", "prevention", "signer"), stops=_ANSWER, starts=(ClockKind.REVIEW,),
    ),
    Rule(
        Action.FALSE_ALARM, (State.HANDLING,), State.ANSWERED, Party.OWNER, ("reason", "signer"), ("measures",),
        stops=_ANSWER, starts=(ClockKind.REVIEW,),
    ),
    Rule(Action.REPORT, (State.HANDLING, State.ANSWERED, State.REVIEW), None, Party.OWNER, ("text",), stops=_ANSWER),
    Rule(Action.REVIEW, (State.ANSWERED,), State.REVIEW, Party.SUPERVISOR, optional=("note",)),
    Rule(Action.CLOSE, (State.REVIEW,), State.CLOSED, Party.SUPERVISOR, ("opinion",), stops=_ALL_CLOCKS),
    Rule(
        Action.RETURN, (State.REVIEW,), State.HANDLING, Party.SUPERVISOR, ("reason",), stops=(ClockKind.REVIEW,),
        starts=(ClockKind.FEEDBACK,),
    ),
    Rule(Action.MERGE, OPEN_STATES, State.MERGED, Party.SUPERVISOR, ("into", "reason"), stops=_ALL_CLOCKS),
    Rule(Action.SUPERVISE, OPEN_STATES, None, Party.ABOVE, ("text",)),
    Rule(Action.ESCALATE, OPEN_STATES, None, Party.SYSTEM),
    Rule(Action.CHANGE, OPEN_STATES, None, Party.SYSTEM),
    Rule(Action.CLEAR, tuple(State), None, Party.SYSTEM),
    Rule(Action.APPEND, tuple(State), None, Party.SYSTEM),
)  # fmt: skip
RULES: Mapping[Action, Rule] = {rule.action: rule for rule in TABLE}
#: What a person may ask for.
DEEDS = tuple(rule.action for rule in TABLE if rule.party is not Party.SYSTEM)


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that was started.

    Attributes:
        started, due: epoch ms.
        wake: when it climbs next; None when it stands or is at the top.
        stopped: when it was stopped; None while it runs.
        told: tiers it has climbed to.
    """

    started: int
    due: int
    wake: int | None
    stopped: int | None = None
    told: tuple[Tier, ...] = ()

    @property
    def running(self) -> bool:
        """Whether something is still awaited."""
        return self.stopped is None


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip as it stands: the fold of its steps.

    Attributes:
        id, warning: numbers of the slip and of its warning.
        path: of the object on the tree; its last node's tier owns the slip.
        tiers: who acts; grows by escalation.
        form: what the owner and the supervisor filled in, newest first wins.
    """

    id: str
    warning: str
    path: str
    state: State
    colour: Colour
    opened_at: int
    tiers: frozenset[Tier]
    worst: Colour = Colour.NONE
    steps: int = 1
    clocks: Mapping[ClockKind, Clock] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)
    cleared_at: int | None = None
    closed_at: int | None = None
    merged_into: str | None = None
    returns: int = 0
    supervised: int = 0
    escalations: int = 0

    @property
    def open(self) -> bool:
        """Whether somebody still has to act."""
        return self.state in OPEN_STATES

    @property
    def due(self) -> int | None:
        """When the first running clock runs out, or ran out."""
        return min((clock.due for clock in self.clocks.values() if clock.running), default=None)

    @property
    def wake(self) -> int | None:
        """When the clockwork has to look at it next."""
        wakes = [clock.wake for clock in self.clocks.values() if clock.running and clock.wake is not None]
        return min(wakes, default=None)


@dataclass(frozen=True, slots=True)
class Step:
    """One deed: what the chain keeps. ``detail`` is JSON; clocks are worked out at the deed and kept in it."""

    action: Action
    at: int
    before: State | None
    after: State
    detail: Mapping[str, Any]


class RefusedStepError(ValueError):
    """The deed is not allowed; ``kind`` is ``state``, ``party`` or ``fields`` (then ``fields`` name them)."""

    def __init__(self, kind: str, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.fields = dict(fields or {})


def ladder(path: str) -> tuple[Tier, ...]:
    """Tiers that exist above an object, lowest first. An enterprise in a park has no county between park and city."""
    parts = path.strip("/").split("/") if path.strip("/") else []
    own = tier_of(path)
    above = [tier_of("/" + "/".join(parts[:n]) + "/") for n in range(len(parts) - 1, 0, -1)]
    return tuple(sorted({tier for tier in (*above, Tier.MINISTRY) if tier > own}))


def may(slip: Slip, party: Party, tier: Tier) -> bool:
    """Whether a person of a tier, in whose scope the slip lies, is this party."""
    own, above = tier_of(slip.path), ladder(slip.path)
    if party is Party.OWNER:
        return tier == own
    if party is Party.ABOVE:
        return tier > own
    review = slip.clocks.get(ClockKind.REVIEW)
    climbed = review.told if review else ()
    return party is Party.SUPERVISOR and bool(above) and (tier == above[0] or tier in climbed)


def step(slip: Slip, action: Action, at: int, given: Mapping[str, Any], rules: Rules, *, tier: Tier | None) -> Step:
    """Check a deed against the table.

    Args:
        slip: as it stands.
        action: the deed.
        at: epoch ms.
        given: fields of the form; texts are taken without spaces around them.
        rules: clocks of the region.
        tier: of the person; None is the system.

    Raises:
        RefusedStepError: wrong state, wrong party, or fields are missing.
    """
    rule = RULES[action]
    if slip.state not in rule.states:
        raise RefusedStepError("state", f"报告单现为“{slip.state.zh}”,不能{action.zh}")
    if tier is None and rule.party is not Party.SYSTEM and action is not Action.DELIVER:
        raise RefusedStepError("party", f"{action.zh}应由{rule.party.zh}进行")
    if tier is not None and not may(slip, rule.party, tier):
        raise RefusedStepError("party", f"{action.zh}应由{_who(slip, rule.party)}进行,当前账号属于{tier.zh}级")
    if action is Action.REPORT and rules.spans[slip.worst].again is None:
        raise RefusedStepError("state", f"{slip.worst.zh}色预警不要求续报")
    fields = dict(given) if tier is None else _fields(rule, given)
    again = rules.spans[slip.worst].again
    dues = {kind.value: rules.due(slip.worst, kind, at) for kind in rule.starts}
    if again is not None and action in {Action.FEEDBACK, Action.FALSE_ALARM, Action.REPORT}:
        dues[ClockKind.FEEDBACK.value] = rules.calendar.after(at, again)
    if action is Action.CHANGE:
        fields |= _tightened(slip, Colour(fields["colour"]), at, rules)
    elif dues:
        fields["due"] = dues
    return Step(action, at, slip.state, rule.to or slip.state, fields)


def _who(slip: Slip, party: Party) -> str:
    above = ladder(slip.path)
    own = tier_of(slip.path)
    first = above[0].zh if above else Tier.MINISTRY.zh
    return {"owner": f"{own.zh}级", "supervisor": f"{first}级", "above": f"{own.zh}级以上"}.get(party.value, party.zh)


def _fields(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    wrong, found = {}, {}
    for name in (*rule.required, *rule.optional):
        text = str(given.get(name) or "").strip()
        title, most = FIELDS[name]
        if not text and name in rule.required:
            wrong[name] = f"请填写{title}"
        elif len(text) > most:
            wrong[name] = f"{title}最多 {most} 字"
        elif text:
            found[name] = text
    if rule.action is Action.FEEDBACK and "cause_class" in found:
        if found["cause_class"] == "false_alarm":
            wrong["cause_class"] = "误报请用“误报”提交,需写明理由"
        elif found["cause_class"] not in CAUSES:
            wrong["cause_class"] = f"原因类别应为 {'、'.join(CAUSES)} 之一"
    if wrong:
        raise RefusedStepError("fields", "报告单内容不全", wrong)
    return found


def _tightened(slip: Slip, colour: Colour, at: int, rules: Rules) -> dict[str, dict[str, int]]:
    """New deadlines of an upgrade: as if the clock began now, never later than it was. A downgrade loosens nothing.

    ``due``: of running clocks, and of the next report when the new colour asks for reports. ``wake``: when they climb.
    """
    if colour <= slip.worst:
        return {"due": {}, "wake": {}}
    due, wake = {}, {}
    for kind, clock in slip.clocks.items():
        if clock.running:
            anew = rules.due(colour, kind, at)
            due[kind.value] = min(clock.due, anew)
            wake[kind.value] = min(clock.wake if clock.wake is not None else anew, anew)
    again = rules.spans[colour].again
    if again is not None and slip.state in {State.ANSWERED, State.REVIEW} and ClockKind.FEEDBACK.value not in due:
        due[ClockKind.FEEDBACK.value] = wake[ClockKind.FEEDBACK.value] = rules.calendar.after(at, again)
    return {"due": due, "wake": wake}


def opening(slip_id: str, facts: Mapping[str, Any], at: int, rules: Rules) -> tuple[Slip, Step]:
    """A slip of a warning, and its first step. ``facts``: what the form shows of the warning, as JSON."""
    colour = Colour(facts["colour"])
    dues = {kind.value: rules.due(colour, kind, at) for kind in RULES[Action.OPEN].starts}
    first = Step(Action.OPEN, at, None, State.MADE, {"slip": slip_id, **facts, "due": dues})
    return begin(first), first


def begin(first: Step) -> Slip:
    """The slip after its opening step."""
    d = first.detail
    clocks = {ClockKind(k): Clock(first.at, due, due) for k, due in d["due"].items()}
    return Slip(
        d["slip"], d["warning"], d["path"], State.MADE, Colour(d["colour"]), first.at,
        frozenset(Tier(t) for t in d["tiers"]), Colour(d["colour"]), clocks=clocks,
    )  # fmt: skip


def apply(slip: Slip, done: Step) -> Slip:
    """The slip after a step that ``step`` or ``expired`` gave."""
    after = replace(slip, state=done.after, steps=slip.steps + 1, clocks=_clocks_after(slip, done))
    return replace(after, **_fields_after(slip, done))


def _clocks_after(slip: Slip, done: Step) -> dict[ClockKind, Clock]:
    rule, d = RULES[done.action], done.detail
    clocks = {k: _stopped(c, done.at) if k in rule.stops else c for k, c in slip.clocks.items()}
    for word, due in d.get("due", {}).items():
        kind = ClockKind(word)
        if done.action is Action.CHANGE and clocks[kind].running:
            clocks[kind] = replace(clocks[kind], due=due, wake=d["wake"][word])
        else:
            clocks[kind] = Clock(done.at, due, due)
    if done.action is Action.ESCALATE:
        clock = clocks[ClockKind(d["clock"])]
        clocks[ClockKind(d["clock"])] = replace(clock, wake=d["wake"], told=(*clock.told, *_climbed(d)))
    return clocks


def _climbed(detail: Mapping[str, Any]) -> tuple[Tier, ...]:
    return () if detail["tier"] is None else (Tier(detail["tier"]),)


def _fields_after(slip: Slip, done: Step) -> dict[str, Any]:
    d = done.detail
    match done.action:
        case Action.ESCALATE:
            told = _climbed(d)
            return {"tiers": slip.tiers.union(told), "escalations": slip.escalations + len(told)}
        case Action.CHANGE:
            colour = Colour(d["colour"])
            tiers = slip.tiers.union(Tier(t) for t in d["tiers"])
            return {"colour": colour, "worst": max(slip.worst, colour), "tiers": tiers}
        case Action.CLEAR:
            return {"cleared_at": done.at}
        case Action.CLOSE:
            return {"closed_at": done.at, "form": {**slip.form, **_form(d)}}
        case Action.MERGE:
            return {"closed_at": done.at, "merged_into": d["into"]}
        case Action.RETURN | Action.SUPERVISE:
            name = "returns" if done.action is Action.RETURN else "supervised"
            return {name: getattr(slip, name) + 1}
        case Action.FEEDBACK | Action.FALSE_ALARM:
            cause = {"cause_class": "false_alarm"} if done.action is Action.FALSE_ALARM else {}
            return {"form": {**cause, **_form(d), "attachments": d.get("attachments", [])}}
        case _:
            return {}


def _stopped(clock: Clock, at: int) -> Clock:
    return replace(clock, stopped=at, wake=None) if clock.running else clock


def _form(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: detail[name] for name in FIELDS if name in detail}


def expired(slip: Slip, now: int, rules: Rules) -> Step | None:
    """The next escalation that is due by now, or None.

    A clock that runs out climbs one tier above those that act on the slip, and one more each time its span passes
    again, up to the top of its colour: once for each clock and tier. The earliest comes first, so a node that was away
    climbs as one that was not. ``tier`` None: nobody is left to climb to.
    """
    waiting = [
        (c.wake, list(ClockKind).index(k), k) for k, c in slip.clocks.items() if c.running and c.wake is not None
    ]
    if not slip.open or not waiting:
        return None
    wake, _, kind = min(waiting)
    if wake > now:
        return None
    left = _left(slip, kind, rules)
    spans = rules.spans[slip.worst]
    detail = {
        "clock": kind.value, "was_due": slip.clocks[kind].due, "tier": int(left[0]) if left else None,
        "wake": rules.calendar.after(wake, spans.of(kind)) if len(left) > 1 else None,
    }  # fmt: skip
    return Step(Action.ESCALATE, now, slip.state, slip.state, detail)


def _left(slip: Slip, kind: ClockKind, rules: Rules) -> list[Tier]:
    """Tiers that a clock may still climb to, next one first; at the top, the top is told of each clock.

    The supervisor is told whatever the top of the colour says.
    """
    above, own = ladder(slip.path), slip.clocks[kind].told
    top = max((rules.spans[slip.worst].top, *above[:1]))
    acting = max((tier for tier in slip.tiers if tier not in own), default=tier_of(slip.path))
    if kind is ClockKind.REVIEW:
        acting = max((acting, *above[:1]))
    left = [tier for tier in above if acting < tier <= top and tier not in own]
    return left or ([acting] if acting in above and not own else [])


_STATE_ZH = {
    State.MADE: "生成", State.DELIVERED: "送达", State.CONFIRMED: "确认", State.HANDLING: "处置中",
    State.ANSWERED: "已反馈", State.REVIEW: "审核", State.CLOSED: "关闭", State.MERGED: "已合并",
}  # fmt: skip
_ACTION_ZH = {
    Action.DELIVER: "签收", Action.CONFIRM: "确认", Action.START: "开始处置", Action.FEEDBACK: "反馈",
    Action.FALSE_ALARM: "报误报", Action.REPORT: "续报", Action.REVIEW: "受理审核", Action.CLOSE: "审核通过并关闭",
    Action.RETURN: "退回", Action.MERGE: "合并", Action.SUPERVISE: "督办", Action.OPEN: "生成",
    Action.ESCALATE: "超时升级", Action.CHANGE: "预警变级", Action.CLEAR: "预警解除", Action.APPEND: "追加",
}  # fmt: skip
