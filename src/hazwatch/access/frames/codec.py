"""What lies in a raw frame. Pure: bytes in, columns out. Used by the listener and by whoever speaks to it.

    header   magic "HZD1" · flags u16 · spare u16 · samples u32 · length u32 (of the body) · sequence i64 · ts i64
    body     slot u32[n]      position in the list of the greeting   absent with ``DENSE``: slots are 0 … n-1
             delta i32[n]     ms after ``ts``                        absent with ``ONE_TIME``
             value f64[n]
             quality u8[n]    ``Quality`` codes                      absent with ``GOOD``

So a gateway that sends all its points at one moment needs 8 bytes a sample.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

GREETING: Final = b"HZF1"
MAGIC: Final = b"HZD1"
NONCE: Final = 16
MAC: Final = 16

#: Flags of a frame.
DENSE, ONE_TIME, GOOD, HISTORICAL = 1, 2, 4, 8
_KNOWN: Final = DENSE | ONE_TIME | GOOD | HISTORICAL

#: Codes of an acknowledgement: on disk · cannot be read, never send it again · not on disk, send it again.
DURABLE, MALFORMED, AWAY = 0, 1, 2

#: magic, flags, spare, samples, length, sequence, ts · magic, code, spare, refused, spare, sequence
HEADER: Final = struct.Struct("<4sHHIIqq")
ACK: Final = struct.Struct("<4sHHIIq")
_ACK_MAGIC: Final = b"HZA1"


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a frame: how many samples, how long its body is, which number it has, when it was measured."""

    flags: int
    samples: int
    length: int
    sequence: int
    ts: int

    @property
    def fits(self) -> bool:
        """Whether the body has the length that flags and samples ask for."""
        each = 8 + 4 * (not self.flags & DENSE) + 4 * (not self.flags & ONE_TIME) + (not self.flags & GOOD)
        return not self.flags & ~_KNOWN and self.length == each * self.samples and self.sequence >= 0


@dataclass(frozen=True, slots=True)
class Columns:
    """The body: slot int64[n], ts int64[n] epoch ms, value float64[n], quality uint8[n]."""

    slot: NDArray[np.int64]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


def proof(secret: bytes, nonce: bytes, gateway: str) -> str:
    """``mac`` of the greeting, hexadecimal."""
    return hmac.digest(secret, nonce + gateway.encode(), "sha256").hex()


def session_key(secret: bytes, nonce: bytes, gateway: str) -> bytes:
    """The key that seals the frames of one connection, 32 bytes."""
    return hmac.digest(secret, b"frames" + nonce + gateway.encode(), "sha256")


def seal(key: bytes, data: bytes | memoryview) -> bytes:
    """The seal of header and body, 16 bytes."""
    return hashlib.blake2b(data, key=key, digest_size=MAC).digest()


def read_header(data: bytes | bytearray | memoryview) -> Header:
    """Read 32 bytes.

    Raises:
        ValueError: no header of ours; the connection has lost its place.
    """
    magic, flags, _, samples, length, sequence, ts = HEADER.unpack(data)
    if magic != MAGIC:
        raise ValueError("帧头不是 HZD1")
    return Header(flags, samples, length, sequence, ts)


def read_body(header: Header, body: bytes | memoryview) -> Columns:
    """Take the columns out of a body whose ``header.fits``. The arrays are views of ``body`` where possible."""
    n, at = header.samples, 0
    if header.flags & DENSE:
        slot = np.arange(n)
    else:
        slot, at = np.frombuffer(body, "<u4", n).astype(np.int64), 4 * n
    if header.flags & ONE_TIME:
        ts = np.full(n, header.ts, np.int64)
    else:
        ts, at = header.ts + np.frombuffer(body, "<i4", n, at).astype(np.int64), at + 4 * n
    value = np.frombuffer(body, "<f8", n, at)
    quality = np.zeros(n, np.uint8) if header.flags & GOOD else np.frombuffer(body, "u1", n, at + 8 * n)
    return Columns(slot, ts, value, quality)


def frame(
    key: bytes, sequence: int, ts: int, value: NDArray[np.float64], *, slot: NDArray[np.integer] | None = None,
    delta: NDArray[np.integer] | None = None, quality: NDArray[np.uint8] | None = None, historical: bool = False,
) -> bytes:  # fmt: skip
    """A sealed frame, as a gateway sends it: n values measured at ``ts`` (epoch ms) plus ``delta``."""
    flags = DENSE * (slot is None) | ONE_TIME * (delta is None) | GOOD * (quality is None) | HISTORICAL * historical
    parts = []
    if slot is not None:
        parts.append(slot.astype("<u4").tobytes())
    if delta is not None:
        parts.append(delta.astype("<i4").tobytes())
    parts.append(value.astype("<f8", copy=False).tobytes())
    if quality is not None:
        parts.append(quality.tobytes())
    body = b"".join(parts)
    head = HEADER.pack(MAGIC, flags, 0, len(value), len(body), sequence, ts)
    return head + body + seal(key, head + body)


def acknowledgement(code: int, sequence: int, refused: int = 0) -> bytes:
    """The answer to a frame: its code, and how many of its samples were refused (they lie in the dead letters)."""
    return ACK.pack(_ACK_MAGIC, code, 0, refused, 0, sequence)


def read_acknowledgement(data: bytes | bytearray | memoryview) -> tuple[int, int, int]:
    """(code, sequence, refused) of 24 bytes.

    Raises:
        ValueError: no acknowledgement of ours.
    """
    magic, code, _, refused, _, sequence = ACK.unpack(data)
    if magic != _ACK_MAGIC:
        raise ValueError("应答不是 HZA1")
    return code, sequence, refused
