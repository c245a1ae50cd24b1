"""The sealed envelope of the national gateway: AES-CBC with PKCS#7, a fresh IV per message, HMAC-SHA256 over the text.

    report = base64(IV ‖ AES-CBC(key, PKCS7(inner JSON)))      sign = hex(HMAC-SHA256(key, report))

The fixed IV of public samples is weak and not supported. The signature is checked before anything is decrypted, so the
padding tells an attacker nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK: Final = 16
SIGN_KEY: Final = 32
_AES_KEYS: Final = (16, 24, 32)


class EnvelopeError(ValueError):
    """The envelope cannot be opened with this key."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Key material of one gateway.

    Attributes:
        aes: 16, 24 or 32 bytes.
        sign: 32 bytes for HMAC-SHA256; empty when the link goes unsigned.
    """

    aes: bytes = field(repr=False)
    sign: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, secret: bytes, *, signed: bool = True) -> Self:
        """Take a link's secret apart: the AES key, then 32 bytes of HMAC key when the link is signed.

        Raises:
            ValueError: the length fits no AES key.
        """
        aes, sign = (secret[:-SIGN_KEY], secret[-SIGN_KEY:]) if signed else (secret, b"")
        if not signed and len(aes) > max(_AES_KEYS):
            aes = aes[:-SIGN_KEY]  # the same secret serves a link whose signature was switched off
        if len(aes) not in _AES_KEYS:
            raise ValueError(f"AES 密钥应为 16/24/32 字节,收到 {len(aes)} 字节")
        return cls(aes, sign)


def seal(plain: bytes, keys: Keys) -> str:
    """Encrypt under a fresh random IV; base64 text."""
    iv = secrets.token_bytes(BLOCK)
    pad = padding.PKCS7(BLOCK * 8).padder()
    encryptor = Cipher(algorithms.AES(keys.aes), modes.CBC(iv)).encryptor()
    body = encryptor.update(pad.update(plain) + pad.finalize()) + encryptor.finalize()
    return base64.b64encode(iv + body).decode()


def unseal(text: str, keys: Keys) -> bytes:
    """Decrypt what ``seal`` made.

    Raises:
        EnvelopeError: not base64, wrong length, or the padding is wrong (in practice: the wrong key).
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EnvelopeError("密文不是有效的 base64") from error
    if len(data) < 2 * BLOCK or len(data) % BLOCK:
        raise EnvelopeError("密文长度不是 16 的整数倍")
    decryptor = Cipher(algorithms.AES(keys.aes), modes.CBC(data[:BLOCK])).decryptor()
    unpad = padding.PKCS7(BLOCK * 8).unpadder()
    try:
        return unpad.update(decryptor.update(data[BLOCK:]) + decryptor.finalize()) + unpad.finalize()
    except ValueError as error:
        raise EnvelopeError("无法解密,密钥不符") from error


def sign(text: str, keys: Keys) -> str:
    """Signature of a sealed text, lower-case hex."""
    return hmac.new(keys.sign, text.encode(), hashlib.sha256).hexdigest()


def verify(text: str, signature: object, keys: Keys) -> bool:
    """Whether the signature belongs to the text; takes the same time wherever they differ."""
    given = signature.strip().lower() if isinstance(signature, str) else ""
    return hmac.compare_digest(sign(text, keys).encode(), given.encode("utf-8", "replace"))
