"""Alarm levels of a measured point.

A level says on which side of which limit a point stands. Levels of one side are nested: a point at HH is above H as
well. The number orders them along the axis of the measured value, so that low levels are negative.
"""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """低低/低/正常/高/高高."""

    LL = -2
    L = -1
    NORMAL = 0
    H = 1
    HH = 2

    @property
    def word(self) -> str:
        """The name used in files and the API: ``LL L normal H HH``."""
        return "normal" if self is Level.NORMAL else self.name

    @property
    def zh(self) -> str:
        """The Chinese word on screen."""
        return _ZH[self]

    @property
    def severity(self) -> int:
        """Distance from normal: 0 normal, 1 first set point, 2 second set point."""
        return abs(self.value)

    @classmethod
    def parse(cls, word: str) -> Level:
        """Read a level by its word.

        Raises:
            ValueError: the word is no level.
        """
        for level in cls:
            if level.word.upper() == word.upper():
                return level
        raise ValueError(f"unknown alarm level {word!r}, expected one of LL, L, normal, H, HH")


_ZH: dict[Level, str] = {Level.LL: "低低", Level.L: "低", Level.NORMAL: "正常", Level.H: "高", Level.HH: "高高"}
