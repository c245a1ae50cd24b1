"""Fences: of several processes that could write the same thing, only the one that came last may.

Whoever takes a share over raises its fence to a token that is higher than every one before. From then on a writing
unit of the former owner, who may not know yet that it was replaced, is refused at its start. The units of all owners
also take turns: what is numbered in them is numbered in the order in which it becomes visible.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hazwatch.records.base import Base
from hazwatch.records.engine import Guard, Sessions, unit_of_work

_TURN = "*"


class Fence(Base):
    """The newest token by name."""

    __tablename__ = "fence"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)


class FencedError(RuntimeError):
    """Another process has taken over; this one must stop writing."""


def raise_fence(sessions: Sessions, name: str, token: int) -> None:
    """Take over: wait for a unit that has begun, then refuse everybody with a lower token.

    Raises:
        FencedError: somebody with a higher token was here already.
    """
    with unit_of_work(sessions) as session:
        row = session.get(Fence, name, with_for_update=True)
        if row is None:
            row = Fence(name=name, token=token)
            session.add(row)
        if row.token > token:
            raise FencedError(f"{name}: 令牌 {row.token} 已在 {token} 之后接管")
        row.token = token


def forget_fences(session: Session) -> None:
    """Tokens begin at 1 again, because what gives them out was lost."""
    session.execute(delete(Fence).where(Fence.name != _TURN))


def guard(name: str, token: int) -> Guard:
    """For ``make_sessions``: units with this token, one at a time, until the fence is raised above it.

    Raises:
        FencedError: by the guard, when it was.
    """
    turns = select(Fence).where(Fence.name.in_([_TURN, name])).order_by(Fence.name).with_for_update()

    def check(session: Session) -> None:
        fence = {row.name: row.token for row in session.scalars(turns)}
        if fence.get(name) != token:
            raise FencedError(f"{name}: 令牌 {token} 已失效,现为 {fence.get(name)}")

    return check
