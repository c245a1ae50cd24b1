"""Pure: search that forgives. Names, aliases, CAS, UN, English, pinyin; slips of one or two letters; then full text."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_IGNORED = re.compile(r"[\s()()\[\]{}·'\",,、。;;::/-]+")
#: A CAS or UN number with another digit is another substance.
_NUMBER = re.compile(r"(?:un)?[0-9]+")
_EXACT, _PREFIX, _SOUND, _INSIDE, _SLIP, _SOUND_PART, _TEXT = 100, 80, 75, 65, 60, 45, 30
_SHORTEST_SLIP = 3
_LONG = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found, how well (0–100), and by which of its names."""

    key: str
    score: float
    by: str
    how: str


@dataclass(frozen=True, slots=True)
class _Name:
    key: str
    shown: str
    text: str
    letters: frozenset[str]
    sound: str


def plain(text: str) -> str:
    """A text as it is compared: width, case, spaces, brackets and hyphens do not matter."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text).casefold())


class Index:
    """Names and texts of things that can be found by a key."""

    def __init__(self, sounds: Mapping[str, str]) -> None:
        self._sounds = sounds
        self._names: list[_Name] = []
        self._exact: dict[str, list[_Name]] = defaultdict(list)
        self._pairs: dict[str, set[str]] = defaultdict(set)
        self._order: dict[str, int] = {}

    def add(self, key: str, names: Iterable[str], text: str = "") -> None:
        """A thing with its names, the first of them its title, and a text to be searched in full."""
        self._order.setdefault(key, len(self._order))
        for name in names:
            folded = plain(name)
            if folded:
                entry = _Name(key, name, folded, frozenset(folded), self._sound(folded))
                self._names.append(entry)
                self._exact[folded].append(entry)
        for pair in _bigrams(plain(text)):
            self._pairs[pair].add(key)

    def exact(self, query: str) -> list[str]:
        """Keys that have exactly this name."""
        return list(dict.fromkeys(entry.key for entry in self._exact.get(plain(query), ())))

    def search(self, query: str, most: int = 20) -> list[Hit]:
        """The best hits, best first."""
        asked = plain(query)
        if not asked:
            return []
        best: dict[str, Hit] = {}
        sound, letters = self._sound(asked), frozenset(asked)
        for name in self._names:
            score, how = _compare(asked, sound, letters, name)
            if score > (best[name.key].score if name.key in best else 0):
                best[name.key] = Hit(name.key, score, name.shown, how)
        for key, share in self._in_text(asked):
            if key not in best:
                best[key] = Hit(key, _TEXT * share, "", "text")
        ranked = sorted(best.values(), key=lambda hit: (-hit.score, self._order[hit.key]))
        return ranked[:most]

    def _in_text(self, asked: str) -> Iterable[tuple[str, float]]:
        pairs = _bigrams(asked)
        if not pairs:
            return
        counts: dict[str, int] = defaultdict(int)
        for pair in pairs:
            for key in self._pairs.get(pair, ()):
                counts[key] += 1
        for key, count in counts.items():
            if count * 5 >= len(pairs) * 4:
                yield key, count / len(pairs)

    def _sound(self, text: str) -> str:
        return "".join(self._sounds.get(letter, letter) for letter in text)


def _compare(asked: str, sound: str, letters: frozenset[str], name: _Name) -> tuple[float, str]:
    text = name.text
    if asked == text:
        return _EXACT, "name"
    if text.startswith(asked):
        return _PREFIX - min(len(text) - len(asked), 14), "name"
    if len(asked) > 1 and asked in text:
        return _INSIDE - min(len(text) - len(asked), 14), "name"
    if len(asked) > 1 and sound == name.sound:
        return _SOUND, "sound"
    allowed = 0 if len(asked) < _SHORTEST_SLIP or _NUMBER.fullmatch(asked) else 1 if len(asked) < _LONG else 2
    near = abs(len(text) - len(asked)) <= allowed and len(letters - name.letters) <= allowed
    if allowed and near and (slips := _slips(asked, text, allowed)) <= allowed:
        return _SLIP - 5 * slips, "slip"
    if len(text) > 2 and text in asked:  # noqa: PLR2004  # a short name is inside of too much
        return _SLIP - min(len(asked) - len(text), 14), "name"
    if len(sound) > 3 and name.sound.startswith(sound):  # noqa: PLR2004  # one syllable is the start of too much
        return _SOUND_PART - min(len(name.sound) - len(sound), 14), "sound"
    return 0, ""


def _slips(a: str, b: str, most: int) -> int:
    """Letters to change, leave out, put in or swap with the neighbour (optimal string alignment); > most = too many."""
    before: Sequence[int] = []
    row: Sequence[int] = range(len(b) + 1)
    for i, letter in enumerate(a, 1):
        older, before, current = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, current[j - 1] + 1, before[j - 1] + (letter != other))
            if older and i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        row = current
    return row[-1]


def _bigrams(text: str) -> set[str]:
    return {text[n : n + 2] for n in range(len(text) - 1)}
