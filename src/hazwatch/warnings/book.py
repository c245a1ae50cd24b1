"""Pure: the warnings of a node in memory, fed with one grade after the other.

Grades come in the order in which they were written. How they are cut into batches changes nothing, and grades of
different sources may change places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import WarningKind
from hazwatch.warnings.model import Change, Deed, Standing, apply, begun, decide, own

_OF_ENTERPRISE = (WarningKind.SOURCE, WarningKind.ENTERPRISE)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a warning: the warning as it stands after it, what, by which grade, and its colour before."""

    warning: Standing
    deed: Deed
    change: Change
    was: Colour


class Book:
    """Warnings that stand or were cleared within the window, by object.

    Args:
        number: gives the id of a new warning, told its event time.
        window_ms: see ``model.decide``.
    """

    def __init__(self, number: Callable[[int], str], window_ms: int) -> None:
        self._number = number
        self.window_ms = window_ms
        self.warnings: dict[str, Standing] = {}
        self.places: dict[str, Change] = {}
        self.reduced: dict[str, str] = {}
        self._worst: dict[str, tuple[str, Colour]] = {}
        self._of_enterprise: dict[str, dict[str, Standing]] = {}

    def recall(self, warnings: Iterable[Standing], places: Iterable[Change], reduced: dict[str, str]) -> None:
        """Take up what was known at the last offset.

        Args:
            warnings: the newest of each object.
            places: the newest grade of each park and region.
            reduced: sources whose newest grade was scored without the model service, with their paths.
        """
        self.warnings = {w.object: w for w in warnings}
        self.places = {p.path: p for p in places}
        self.reduced = reduced
        for warning in self.warnings.values():
            self._note(warning)

    def take(self, change: Change, *, reduced: bool = False) -> Iterator[Step]:
        """What a grade does, in order.

        Args:
            change: the grade.
            reduced: it was scored without the model service.
        """
        if change.kind is WarningKind.SOURCE:
            if reduced:
                self.reduced[change.object] = change.path
            else:
                self.reduced.pop(change.object, None)
        elif self.reduced and any(path.startswith(change.path) for path in self.reduced.values()):
            change = replace(change, sure=False)
        if change.kind is None:
            return
        if change.kind not in _OF_ENTERPRISE:
            self.places[change.path] = change
        yield from self._decide(change)

    def _decide(self, change: Change) -> Iterator[Step]:
        if change.kind is None:
            return
        last = self.warnings.get(change.object)
        place = change.kind not in _OF_ENTERPRISE
        standing = [c for path, c in self._worst.values() if path.startswith(change.path)] if place else []
        deed = decide(last, change, self.window_ms, own_cause=own(change, standing))
        if deed is None:
            return
        was = last.colour if last is not None and deed is not Deed.RAISED else Colour.NONE
        if last is None or deed is Deed.RAISED:
            last = begun(self._number(change.at), change, change.kind)
            self.warnings[change.object] = last
        else:
            apply(last, deed, change)
        yield Step(replace(last), deed, change, was)
        if not place and self._note(last):
            yield from self._places_above(change)

    def _note(self, warning: Standing) -> bool:
        """Keep the worst standing warning of an enterprise and its sources; whether it became worse."""
        if warning.kind not in _OF_ENTERPRISE:
            return False
        enterprise = warning.object[:ENTERPRISE_LENGTH]
        before = self._worst.get(enterprise, ("", Colour.NONE))[1]
        mine = self._of_enterprise.setdefault(enterprise, {})
        mine[warning.object] = warning
        now = max((w.colour for w in mine.values() if w.cleared_at is None), default=Colour.NONE)
        if now is Colour.NONE:
            self._worst.pop(enterprise, None)
        else:
            self._worst[enterprise] = (warning.path, now)
        return now > before

    def _places_above(self, change: Change) -> Iterator[Step]:
        """Parks and regions around an enterprise that became worse: a second one may make it their own cause."""
        at = change.path.find("/", 1)
        while at >= 0:
            place = self.places.get(change.path[: at + 1])
            if place is not None:
                yield from self._decide(replace(place, at=max(place.at, change.at)))
            at = change.path.find("/", at + 1)
