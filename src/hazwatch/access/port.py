"""The interface between an adapter and the rest of access: one thing to call for samples, one for refusals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from hazwatch.access.directory import LinkConfig
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import DeadLetter


class Intake(Protocol):
    """Where adapters put what they received."""

    async def submit(self, frame: Frame) -> None:
        """Hand over a frame; returns only when the log has it on disk, so the caller may acknowledge its gateway.

        Raises:
            IntakeClosedError: the log is away; the gateway must not be acknowledged and will send again.
        """

    def refuse(self, letter: DeadLetter) -> None:
        """Keep what could not be accepted. Never blocks and never raises."""


class GroupIntake(Intake, Protocol):
    """An intake that also takes frames without a task that waits for each."""

    @property
    def full(self) -> bool:
        """Whether so much waits to be durable that callers should stop reading from their gateways."""

    def offer(self, frame: Frame) -> asyncio.Future[None]:
        """Hand over a frame that has samples; the future is done when it is durable, or has the error of ``submit``.

        Callers bound what they offer: they stop reading while the intake is ``full``.
        """


class IntakeClosedError(RuntimeError):
    """The frame was not made durable. Do not acknowledge."""


class Adapter(Protocol):
    """One protocol. Dialling adapters serve one link, listeners serve every link of their protocol."""

    async def run(self) -> None:
        """Work until cancelled. Reconnects by itself; raises only on a fault of configuration."""


@dataclass(slots=True)
class LinkStatus:
    """What a person sees of a link on the 接入 page. Written by the adapter, read once a second by the reporter.

    Attributes:
        connected: the transport stands and the peer answered.
        last_data_at: arrival of the newest sample, epoch ms, 0 = never.
        last_event_at: event time of the newest sample, epoch ms, 0 = never.
        samples: accepted samples since start.
        gaps: times that data was missing (sequence gap, reconnect, watchdog).
        duplicates: frames that came twice.
        rejected: refused samples or frames.
        last_error, last_error_at: newest fault in Chinese, with its time, epoch ms.
    """

    code: str
    connected: bool = False
    last_data_at: int = 0
    last_event_at: int = 0
    samples: int = 0
    gaps: int = 0
    duplicates: int = 0
    rejected: int = 0
    last_error: str = ""
    last_error_at: int = 0

    def fault(self, text: str, at: int) -> None:
        """Remember the newest fault."""
        self.last_error = text
        self.last_error_at = at

    def received(self, samples: int, at: int, newest_event: int) -> None:
        """Count accepted samples."""
        self.samples += samples
        self.last_data_at = at
        self.last_event_at = max(self.last_event_at, newest_event)


#: Protocols that report a value only when it changes: while their link lives, a silent point is an unchanged one.
BY_EXCEPTION = frozenset({"opcua", "sparkplug", "sparkplug-external"})


class StatusBoard:
    """The status of every link, by gateway code."""

    def __init__(self) -> None:
        self._by_code: dict[str, LinkStatus] = {}

    def of(self, link: LinkConfig) -> LinkStatus:
        """The status of a link, made on first use and kept over restarts of its adapter."""
        status = self._by_code.get(link.code)
        if status is None:
            status = self._by_code[link.code] = LinkStatus(link.code)
        return status

    def all(self) -> list[LinkStatus]:
        """Every status."""
        return list(self._by_code.values())
