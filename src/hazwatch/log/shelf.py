"""Snapshots of shares in the log's object store, so that whoever takes a share over begins where its owner was.

One object a share; a new one replaces the old at once or not at all. What is lost with it is time, never data: an older
snapshot, or none, only means that more of the log is played again.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pyarrow as pa
from nats.errors import Error as NatsError
from nats.js.api import ObjectStoreConfig, StorageType
from nats.js.errors import NotFoundError
from nats.js.object_store import ObjectStore

from hazwatch.log.client import Log

_log = logging.getLogger(__name__)
BUCKET = "HZ_SNAPSHOTS"


class Shelf:
    """The place of one share's snapshot."""

    def __init__(self, log: Log, name: str, replicas: int) -> None:
        self._log = log
        self._name = name
        self._replicas = replicas

    async def _store(self) -> ObjectStore:
        try:
            return await self._log.jetstream.object_store(BUCKET)
        except NotFoundError:
            config = ObjectStoreConfig(bucket=BUCKET, storage=StorageType.FILE, replicas=self._replicas)
            return await self._log.jetstream.create_object_store(BUCKET, config=config)

    async def put(self, path: Path) -> None:
        """Put a snapshot file there. A failure is told and passed over: the next one comes soon."""
        try:
            packed = await asyncio.to_thread(_packed, path)
            store = await self._store()
            await store.put(self._name, packed)
        except (NatsError, TimeoutError, OSError) as error:
            _log.warning("snapshot %s stays here: %s", path.name, error)

    async def fetch(self, folder: Path) -> None:
        """Bring the snapshot into a folder under its own name, where there is one."""
        try:
            store = await self._store()
            data = (await store.get(self._name)).data or b""
        except NotFoundError:
            return
        except (NatsError, TimeoutError, OSError) as error:
            _log.warning("no snapshot from the log: %s", error)
            return
        await asyncio.to_thread(_unpack, data, folder)


def _packed(path: Path) -> bytes:
    """A file with its name, compressed."""
    data = path.read_bytes()
    return f"{path.name} {len(data)}\n".encode() + bytes(pa.compress(data, codec="zstd", asbytes=True))


def _unpack(data: bytes, folder: Path) -> None:
    head, _, packed = data.partition(b"\n")
    name, size = head.decode().split(" ")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / Path(name).name).write_bytes(pa.decompress(packed, int(size), codec="zstd", asbytes=True))
