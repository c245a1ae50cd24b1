"""Secrets of a node: made here, kept in ``home/secrets`` with mode 0600, never a setting.

The master key encrypts key material of gateways in the records (AES-256-GCM), so that a copy of the database alone
opens no link. Web sessions need no key: they are random and stored hashed.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


def master_key(home: Path) -> bytes:
    """The node's master key; made at the first call.

    Raises:
        ValueError: the file is there but holds no key of the right length.
    """
    path = home / "secrets" / "master.key"
    if not path.exists():
        _create(path, secrets.token_bytes(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} 应为 {KEY_BYTES} 字节,实为 {len(key)} 字节;请从备份恢复,否则网关密钥无法解密")
    return key


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only the owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def seal(key: bytes, plain: bytes, label: str) -> bytes:
    """Encrypt; ``label`` (the gateway's code) is bound to the result, so that it cannot be moved to another row."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, label.encode())


def unseal(key: bytes, sealed: bytes, label: str) -> bytes:
    """Decrypt what ``seal`` made.

    Raises:
        ValueError: another key, another label, or damaged.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label.encode())
    except InvalidTag as error:
        raise ValueError(f"{label} 的密钥无法解密:主密钥不符或数据损坏") from error


def fingerprint(secret: str) -> str:
    """What is stored of a random secret. It has 256 bits of its own, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _create(path: Path, content: bytes) -> None:
    """Write a private file unless another process was first: linking is the one step that only one can do."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_private(draft, content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
