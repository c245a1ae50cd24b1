"""What every use case of identity needs at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hazwatch.identity.attempts import Attempts
from hazwatch.identity.passwords import Passwords
from hazwatch.records.engine import Sessions
from hazwatch.vocabulary.moments import DAY, HOUR, Clock


@dataclass(slots=True)
class Desk:
    """Session factory, clock, home folder and the rules of signing in.

    Attributes:
        sessions: factory of the records.
        clock: epoch ms of now.
        home: the node's home folder (first password, secrets).
        idle_ms: a web session ends this long after its last request.
        absolute_ms: and this long after signing in, whatever happens.
    """

    sessions: Sessions
    clock: Clock
    home: Path
    passwords: Passwords = field(default_factory=Passwords)
    attempts: Attempts = field(default_factory=Attempts)
    idle_ms: int = 12 * HOUR
    absolute_ms: int = 7 * DAY

    @property
    def first_password_file(self) -> Path:
        """Where the generated password of the first account is written."""
        return self.home / "first-password.txt"
