"""Warning colours 红橙黄蓝.

A colour grades the dynamic risk of an object. It is neither the level of a hazard source (一级–四级, 一级 worst) nor
the priority of an alarm: three scales that are never mixed. On screen a colour always has its symbol and word.
"""

from __future__ import annotations

from enum import IntEnum


class Colour(IntEnum):
    """The colour of a grade, worst last."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def word(self) -> str:
        """The name in the API: ``none blue yellow orange red``."""
        return self.name.lower()

    @property
    def zh(self) -> str:
        """The Chinese word: 无/蓝/黄/橙/红."""
        return "无蓝黄橙红"[self.value]

    @property
    def symbol(self) -> str:
        """The symbol that stands beside the colour."""
        return "○●■▲◆"[self.value]
