"""Roles, principals and scope as pure rules. No clock, no IO."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

ROOT = "/"

MIN_PASSWORD = 10
MAX_PASSWORD = 200

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class Role(IntEnum):
    """Each role holds the rights of those before it."""

    VIEWER = 1
    OPERATOR = 2
    ENGINEER = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        """The name in the API and in tables."""
        return self.name.lower()

    @property
    def zh(self) -> str:
        """The Chinese word on screen."""
        return _ROLE_ZH[self]

    @classmethod
    def parse(cls, word: str) -> Role:
        """Read a role by its word.

        Raises:
            ValueError: no such role.
        """
        for role in cls:
            if role.word == word:
                return role
        raise ValueError(f"角色应为 {'、'.join(role.word for role in cls)} 之一,收到 {word!r}")


_ROLE_ZH = {Role.VIEWER: "查看", Role.OPERATOR: "值守", Role.ENGINEER: "工程师", Role.ADMIN: "管理员"}


class NodeKind(StrEnum):
    """Kinds of nodes of the tree, top first."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    PARK = "park"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        username: account, ``token:<name>`` of a token, or ``system``.
        name: name of the person or token.
        role: what they may do.
        scope: path of the node below which they may see, e.g. ``/410000/410900/``.
        scope_code: code of that node; empty for the system itself.
        must_change_password: the password was set by somebody else.
        session: hash of the web session they came with, empty without one.
    """

    username: str
    name: str
    role: Role
    scope: str
    scope_code: str = ""
    must_change_password: bool = False
    session: str = ""


#: The program itself: first start, the simulator's seed, commands on the node's own console.
SYSTEM = Principal("system", "系统", Role.ADMIN, ROOT)


def may(role: Role, needed: Role) -> bool:
    """Whether a role holds the rights of another."""
    return role >= needed


def covers(scope: str, path: str) -> bool:
    """Whether ``path`` is the node of ``scope`` or below it. Paths end in ``/``, so 4109 never covers 41090."""
    return path.startswith(scope)


def may_grant(actor: Principal, role: Role, path: str) -> bool:
    """Whether the actor may give this role on this node: never more than they have themselves."""
    return may(actor.role, role) and covers(actor.scope, path)


def child_path(parent: str, code: str) -> str:
    """The path of a node below ``parent``."""
    return f"{parent}{code}/"


def common_path(paths: Iterable[str]) -> str:
    """The lowest node that holds all of these; the root when there are none."""
    parts = [path.split("/")[:-1] for path in paths]
    shared = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return "/".join(shared) + "/"


def check_username(username: str) -> str:
    """Return the name of an account if it has the right form, else raise ValueError."""
    if not _USERNAME.fullmatch(username):
        raise ValueError("用户名应为 2–32 位小写字母、数字或 . _ -,且以字母开头")
    return username


def check_password(new: str, *, old: str, username: str) -> str:
    """Return a new password if it is acceptable, else raise ValueError."""
    if not MIN_PASSWORD <= len(new) <= MAX_PASSWORD:
        raise ValueError(f"新密码应为 {MIN_PASSWORD}–{MAX_PASSWORD} 个字符")
    if new == old:
        raise ValueError("新密码不能与旧密码相同")
    if new.lower().startswith(username.lower()):
        raise ValueError("新密码不能以用户名开头")
    return new
