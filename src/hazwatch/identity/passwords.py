"""Passwords: Argon2id, and the same time for a name that does not exist."""

from __future__ import annotations

import secrets
from functools import cached_property

from argon2 import PasswordHasher, profiles
from argon2.exceptions import Argon2Error, InvalidHashError

#: Letters and digits that nobody mistakes for each other when reading a slip of paper.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GENERATED_LENGTH = 16


class Passwords:
    """Hashes and verifies. RFC 9106's second profile (64 MiB, 3 passes): about 0.1 s a try."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)

    def hash(self, password: str) -> str:
        """The text that is stored."""
        return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits. ``None`` stands for an unknown name and takes as long as a wrong password."""
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (Argon2Error, InvalidHashError):
            return False

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe())


def generate() -> str:
    """A password to hand out: 16 characters, 92 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GENERATED_LENGTH))
