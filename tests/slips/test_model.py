"""The life of a slip: what may follow what, by whom; clocks that climb; laws for any order of deeds."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.slips.support import ACT, ANSWER, IN_COUNTY, MINUTE, PARK, WORKS, shanghai

from hazwatch.slips.clocks import ClockKind, Rules
from hazwatch.slips.model import (
    DEEDS,
    OPEN_STATES,
    RULES,
    TABLE,
    Action,
    Party,
    RefusedStepError,
    Slip,
    State,
    apply,
    begin,
    expired,
    ladder,
    opening,
    step,
    tier_of,
)
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import Tier

NOON = shanghai("2026-11-23 12:00")
LINE = (State.MADE, State.DELIVERED, State.CONFIRMED, State.HANDLING, State.ANSWERED, State.REVIEW, State.CLOSED)
GIVEN = {**ANSWER, "reason": "探头漂移", "opinion": "属实", "text": "正在降温", "into": "BG2", "note": ""}


def made(colour: Colour = Colour.YELLOW, path: str = WORKS, at: int = NOON) -> Slip:
    facts = {"warning": "YJ1", "path": path, "colour": int(colour), "tiers": sorted(map(int, ACT[colour]))}
    return opening("BG1", facts, at, Rules())[0]


def do(slip: Slip, action: Action, minutes: float, tier: Tier | None = Tier.ENTERPRISE, **given) -> Slip:
    fields = {**GIVEN, **given} if tier is not None else given
    return apply(slip, step(slip, action, NOON + round(minutes * MINUTE), fields, Rules(), tier=tier))


def climbs(slip: Slip, minutes: float) -> tuple[Slip, list[tuple[str, Tier | None]]]:
    found = []
    while (late := expired(slip, NOON + round(minutes * MINUTE), Rules())) is not None:
        tier = late.detail["tier"]
        found.append((late.detail["clock"], None if tier is None else Tier(tier)))
        slip = apply(slip, late)
    return slip, found


def test_a_life_from_making_to_closing() -> None:
    slip = made()
    assert slip.due == NOON + 60 * MINUTE
    for action, minutes in ((Action.DELIVER, 1), (Action.CONFIRM, 5), (Action.START, 10), (Action.FEEDBACK, 300)):
        slip = do(slip, action, minutes)
    assert slip.state is State.ANSWERED
    assert slip.due == NOON + (300 + 1440) * MINUTE, "now the review is awaited"
    slip = do(do(slip, Action.REVIEW, 310, Tier.PARK), Action.CLOSE, 320, Tier.PARK)
    assert (slip.state, slip.due, slip.closed_at) == (State.CLOSED, None, NOON + 320 * MINUTE)
    assert (slip.form["measures"], slip.form["opinion"]) == (ANSWER["measures"], "属实")


def test_the_table_is_whole() -> None:
    assert set(RULES) == set(Action)
    assert len(TABLE) == len(RULES)
    nexts = {(state, r.to) for r in TABLE for state in r.states if r.to}
    reached = {State.MADE}
    for _ in LINE:
        reached |= {to for state, to in nexts if state in reached}
    assert reached == set(State), "every state can be reached"


@pytest.mark.parametrize(("state", "action"), itertools.product(State, DEEDS))
def test_what_the_table_does_not_allow_is_refused(state: State, action: Action) -> None:
    slip = replace(made(Colour.RED), state=state)
    party = RULES[action].party
    tier = Tier.ENTERPRISE if party is Party.OWNER else Tier.PARK
    if state in RULES[action].states:
        assert do(slip, action, 1, tier).state is (RULES[action].to or state)
    else:
        with pytest.raises(RefusedStepError) as refused:
            do(slip, action, 1, tier)
        assert refused.value.kind == "state"


@pytest.mark.parametrize(("action", "tier"), itertools.product(DEEDS, Tier))
def test_the_wrong_tier_is_refused(action: Action, tier: Tier) -> None:
    slip = replace(made(Colour.RED), state=RULES[action].states[-1])
    right = {
        Party.OWNER: tier is Tier.ENTERPRISE, Party.SUPERVISOR: tier is Tier.PARK, Party.ABOVE: tier > Tier.ENTERPRISE,
    }[RULES[action].party]  # fmt: skip
    if right:
        do(slip, action, 1, tier)
    else:
        with pytest.raises(RefusedStepError) as refused:
            do(slip, action, 1, tier)
        assert refused.value.kind == "party"


def test_a_form_says_all_that_is_missing() -> None:
    slip = replace(made(), state=State.HANDLING)
    given = {"measures": "  ", "cause_class": "false_alarm"}
    with pytest.raises(RefusedStepError) as refused:
        step(slip, Action.FEEDBACK, NOON, given, Rules(), tier=Tier.ENTERPRISE)
    assert set(refused.value.fields) == {"cause_class", "measures", "result", "prevention", "signer"}


def test_a_clock_climbs_one_tier_at_a_time_once_each() -> None:
    slip, found = climbs(made(), 59.99)
    assert found == []
    slip, found = climbs(slip, 60)
    assert found == [("confirm", Tier.CITY)], "企业 园区 县 act on 黄: one above is the city"
    slip, found = climbs(slip, 119.9)
    assert found == []
    slip, found = climbs(slip, 1000)
    assert found[0] == ("confirm", Tier.PROVINCE)
    told = [(k, t) for k, c in slip.clocks.items() for t in c.told]
    assert len(told) == len(set(told))
    assert max(slip.tiers) is Tier.PROVINCE, "黄 does not climb to the ministry"


def test_blue_climbs_to_the_park_and_red_to_the_ministry() -> None:
    assert climbs(made(Colour.BLUE), 240)[1] == [("confirm", Tier.PARK)]
    assert climbs(made(Colour.RED), 15)[1] == [("confirm", Tier.MINISTRY)]


def test_what_is_done_in_time_does_not_climb() -> None:
    slip = do(do(made(), Action.DELIVER, 30), Action.CONFIRM, 59.9)
    assert climbs(slip, 239)[1] == []
    assert climbs(slip, 240)[1] == [("start", Tier.CITY)]


def test_red_is_reported_every_two_hours_until_it_is_closed() -> None:
    slip = made(Colour.RED)
    for action, minutes in ((Action.DELIVER, 1), (Action.CONFIRM, 5), (Action.START, 10), (Action.FEEDBACK, 100)):
        slip = do(slip, action, minutes)
    assert slip.clocks[ClockKind.FEEDBACK].due == NOON + 220 * MINUTE
    slip = do(slip, Action.REPORT, 215)
    assert slip.clocks[ClockKind.FEEDBACK].due == NOON + 335 * MINUTE
    slip = do(do(slip, Action.REVIEW, 216, Tier.PARK), Action.CLOSE, 217, Tier.PARK)
    assert slip.due is None
    with pytest.raises(RefusedStepError, match="不要求续报"):
        do(replace(made(), state=State.HANDLING), Action.REPORT, 1)


def test_an_upgrade_tightens_and_a_downgrade_loosens_nothing() -> None:
    slip = do(made(), Action.CHANGE, 50, None, colour=4, tiers=[0, 1, 2, 3, 4], was=2, reason="")
    assert slip.clocks[ClockKind.CONFIRM].due == NOON + 60 * MINUTE, "10 min were left: 15 more would be later"
    assert slip.clocks[ClockKind.START].due == NOON + 80 * MINUTE
    assert slip.clocks[ClockKind.FEEDBACK].due == NOON + 170 * MINUTE
    down = do(slip, Action.CHANGE, 55, None, colour=1, tiers=[0], was=4, reason="")
    assert (down.colour, down.worst, down.clocks) == (Colour.BLUE, Colour.RED, slip.clocks)


def test_what_was_sent_back_is_due_again() -> None:
    slip = made()
    for action, minutes in ((Action.DELIVER, 1), (Action.CONFIRM, 5), (Action.START, 10), (Action.FEEDBACK, 300)):
        slip = do(slip, action, minutes)
    slip = do(do(slip, Action.REVIEW, 310, Tier.PARK), Action.RETURN, 320, Tier.PARK)
    assert (slip.state, slip.returns) == (State.HANDLING, 1)
    assert slip.due == NOON + (320 + 1440) * MINUTE


def test_a_cleared_warning_leaves_its_slip_open() -> None:
    slip = do(made(), Action.CLEAR, 5, None)
    assert slip.open
    assert slip.due == NOON + 60 * MINUTE


@pytest.mark.parametrize(
    ("path", "tier", "above"),
    [
        (WORKS, Tier.ENTERPRISE, [Tier.PARK, Tier.CITY, Tier.PROVINCE, Tier.MINISTRY]),
        (IN_COUNTY, Tier.ENTERPRISE, [Tier.COUNTY, Tier.CITY, Tier.PROVINCE, Tier.MINISTRY]),
        (PARK, Tier.PARK, [Tier.CITY, Tier.PROVINCE, Tier.MINISTRY]), ("/410000/", Tier.PROVINCE, [Tier.MINISTRY]),
        ("/", Tier.MINISTRY, []),
    ],
)  # fmt: skip
def test_tiers_of_a_path(path, tier, above) -> None:
    assert tier_of(path) is tier
    assert list(ladder(path)) == above


class AnyLife(RuleBasedStateMachine):
    """Whatever people, warnings and time do: nothing is lost, skipped, or closed by the wrong tier."""

    @initialize(colour=st.sampled_from(list(ACT)), path=st.sampled_from([WORKS, IN_COUNTY, PARK]))
    def make(self, colour: Colour, path: str) -> None:
        facts = {"warning": "YJ1", "path": path, "colour": int(colour), "tiers": sorted(map(int, ACT[colour]))}
        self.slip, first = opening("BG1", facts, NOON, Rules())
        self.steps, self.now, self.lazy = [first], NOON, self.slip

    def _take(self, done) -> None:
        before = self.slip
        self.slip = apply(before, done)
        self.steps.append(done)
        if self.slip.state is not before.state and self.slip.state is not State.MERGED:
            was, now = LINE.index(before.state), LINE.index(self.slip.state)
            assert now == was + 1 or (done.action is Action.RETURN and (was, now) == (5, 3)), "a state was jumped"

    def _climb(self) -> None:
        while (late := expired(self.slip, self.now, Rules())) is not None:
            self._take(late)

    @rule(minutes=st.integers(1, 3000), look=st.booleans())
    def wait(self, minutes: int, look: bool) -> None:
        self.now += minutes * MINUTE
        if look:
            self._climb()

    @rule(action=st.sampled_from(DEEDS), tier=st.sampled_from(list(Tier)))
    def act(self, action: Action, tier: Tier) -> None:
        self._climb()
        before = self.slip
        try:
            done = step(before, action, self.now, GIVEN, Rules(), tier=tier)
        except RefusedStepError:
            return
        own = tier_of(before.path)
        if done.after in {State.CLOSED, State.MERGED}:
            review = before.clocks.get(ClockKind.REVIEW)
            assert tier > own
            assert tier is ladder(before.path)[0] or tier in (review.told if review else ())
        elif RULES[action].party is Party.OWNER:
            assert tier is own
        self._take(done)

    @rule(action=st.sampled_from(DEEDS))
    def act_rightly(self, action: Action) -> None:
        own = tier_of(self.slip.path)
        self.act(action, own if RULES[action].party is Party.OWNER else ladder(self.slip.path)[0])

    @precondition(lambda self: self.slip.open)
    @rule(colour=st.sampled_from(list(ACT)))
    def recolour(self, colour: Colour) -> None:
        self._climb()
        before = self.slip
        given = {"colour": int(colour), "was": 0, "tiers": sorted(map(int, ACT[colour])), "reason": ""}
        self._take(step(before, Action.CHANGE, self.now, given, Rules(), tier=None))
        for kind, clock in before.clocks.items():
            if clock.running:
                assert self.slip.clocks[kind].due <= clock.due

    @rule()
    def clear(self) -> None:
        self._climb()
        open_before = self.slip.open
        self._take(step(self.slip, Action.CLEAR, self.now, {}, Rules(), tier=None))
        assert self.slip.open is open_before

    @invariant()
    def never_lost(self) -> None:
        if self.slip.state in OPEN_STATES:
            assert self.slip.due is not None, "an open slip always waits for somebody, by a clock"
        else:
            assert self.slip.closed_at is not None
            assert self.slip.due is None

    @invariant()
    def once_for_each_clock_and_tier(self) -> None:
        for clock in self.slip.clocks.values():
            assert len(set(clock.told)) == len(clock.told)

    @invariant()
    def the_fold_of_its_steps(self) -> None:
        again = begin(self.steps[0])
        for done in self.steps[1:]:
            again = apply(again, done)
        assert again == self.slip
        assert again.steps == len(self.steps)

    @invariant()
    def the_same_climbs_however_often_the_clockwork_looks(self) -> None:
        late, often = self.slip, self.slip
        horizon = self.now + 5000 * MINUTE
        for moment in (*range(self.now, horizon, 1700 * MINUTE), horizon):
            while (s := expired(often, moment, Rules())) is not None:
                often = apply(often, s)
        while (s := expired(late, horizon, Rules())) is not None:
            late = apply(late, s)
        assert {k: c.told for k, c in late.clocks.items()} == {k: c.told for k, c in often.clocks.items()}


AnyLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnyLife = AnyLife.TestCase
