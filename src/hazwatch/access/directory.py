"""The directory: names as the field writes them become dense point indices, once, here.

It is an immutable picture of the registry at one version. ``DirectoryHolder`` swaps the picture when the registry
changes; adapters look at ``holder.current`` for every message and keep nothing of an old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PointAddress:
    """Where a point stands behind its gateway.

    Attributes:
        index: dense point index.
        code: 22-character point code.
        address: the protocol's own name: OPC UA NodeId, Modbus register spec, Sparkplug metric name; the point code
            for the national gateway and recorded files.
        scale, offset: engineering value = raw · scale + offset.
    """

    index: int
    code: str
    address: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """One gateway: how it is reached and what it may send.

    Attributes:
        gateway: dense number, stable for ever.
        code: 11-digit gateway code.
        name: name on screen.
        protocol: ``opcua modbus sparkplug sparkplug-external national recorded``.
        enterprise: 9-digit code of the owner.
        address: URL to dial; empty for gateways that call us.
        options: protocol settings (documented in the adapter's module).
        secret: key material of the link, raw bytes; empty when it has none.
        stale_after_s: grace time after which silence makes its points stale.
        simulated: everything it sends is marked simulated.
        points: by protocol address.
    """

    gateway: int
    code: str
    name: str
    protocol: str
    enterprise: str
    address: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    secret: bytes = field(default=b"", repr=False)
    stale_after_s: float = 300.0
    simulated: bool = False
    points: Mapping[str, PointAddress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Directory:
    """All gateways at one version of the registry, by gateway code."""

    version: int
    links: Mapping[str, LinkConfig]


@dataclass(slots=True)
class DirectoryHolder:
    """Holds the directory that is in force."""

    current: Directory
