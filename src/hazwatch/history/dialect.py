"""The SQL of the stores: what the tables are, and in which words each kind of server understands it.

Three servers are spoken to: chDB in our own process; a ClickHouse cluster of today; and a cluster of old servers
(before 22.2; Debian's is 18.16), which know no column codecs, no TTL and no insert tokens. Whatever differs between
them stands here. Questions (``query``) are written in words that all three know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_TOKENS_SINCE = (22, 2)

#: name, type, codec.
_SAMPLES = (
    ("point", "UInt32", "ZSTD(1)"),
    ("ts", "Int64", "Delta, ZSTD(1)"),
    ("value", "Float64", "ZSTD(3)"),
    ("quality", "UInt8", "ZSTD(1)"),
)
_MINUTES = (
    ("point", "UInt32", "ZSTD(1)"),
    ("minute", "Int64", "DoubleDelta, ZSTD(1)"),
    ("low", "Float64", "ZSTD(1)"),
    ("high", "Float64", "ZSTD(1)"),
    ("total", "Float64", "ZSTD(1)"),
    ("last", "Float64", "ZSTD(1)"),
    ("last_ts", "Int64", "Delta, ZSTD(1)"),
    ("count", "UInt32", "ZSTD(1)"),
)
#: How long rollups are kept when nothing else is said: three years (access.md §5).
MINUTE_DAYS = 1_095
_SAMPLES_ORDER, _MINUTES_ORDER = "ORDER BY (point, ts)", "ORDER BY (point, minute)"
#: Blocks whose token or content is remembered, so that one that comes again is dropped: hours of flushes.
_REMEMBERED = 10_000
_DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1"


def _columns(columns: Sequence[tuple[str, str, str]], *, codecs: bool) -> str:
    return ", ".join(f"{name} {kind} CODEC({codec})" if codecs else f"{name} {kind}" for name, kind, codec in columns)


def _ttl(days: int, column: str = "ts") -> str:
    return f"toDateTime(intDiv({column}, 1000), 'UTC') + INTERVAL {int(days)} DAY"


def embedded_schema(raw_days: int, minute_days: int = MINUTE_DAYS) -> list[str]:
    """Statements that bring chDB to the state this program needs; doing them again changes nothing."""
    options = f"SETTINGS non_replicated_deduplication_window = 1000, {_DURABLE}"
    samples = (
        f"CREATE TABLE IF NOT EXISTS hazwatch.samples ({_columns(_SAMPLES, codecs=True)}) ENGINE = ReplacingMergeTree "
        f"PARTITION BY toYYYYMMDD(fromUnixTimestamp64Milli(ts, 'UTC')) {_SAMPLES_ORDER} TTL {_ttl(raw_days)} "
        f"{options}, ttl_only_drop_parts = 1"
    )
    minutes = (
        f"CREATE TABLE IF NOT EXISTS hazwatch.minutes ({_columns(_MINUTES, codecs=True)}) ENGINE = MergeTree "
        f"PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(minute, 'UTC')) {_MINUTES_ORDER} "
        f"TTL {_ttl(minute_days, 'minute')} {options}, ttl_only_drop_parts = 1"
    )
    raised = [
        f"ALTER TABLE hazwatch.samples MODIFY TTL {_ttl(raw_days)}",
        f"ALTER TABLE hazwatch.minutes MODIFY TTL {_ttl(minute_days, 'minute')}",
    ]
    return ["CREATE DATABASE IF NOT EXISTS hazwatch ENGINE = Atomic", samples, minutes, *raised]


@dataclass(frozen=True, slots=True)
class ClusterDialect:
    """The words of a cluster's servers.

    Attributes:
        tokens: inserts may carry a token, and everything else that came before tokens did. Without them the content
            of a block is its token, so a block that comes again must be the same to the byte.
    """

    tokens: bool

    @classmethod
    def of(cls, version: str) -> ClusterDialect:
        """The dialect of a server by what ``SELECT version()`` says.

        Raises:
            ValueError: no version.
        """
        major, minor = (int(part) for part in version.strip().split(".")[:2])
        return cls((major, minor) >= _TOKENS_SINCE)

    def schema(self, cluster: str, raw_days: int, minute_days: int = MINUTE_DAYS) -> list[str]:
        """Statements that bring one server of the cluster to the state this program needs.

        ``samples_local`` and ``minutes_local`` hold the rows of the server's own shard; ``samples`` and ``minutes``
        are the same tables over all shards. ``{shard}`` and ``{replica}`` are macros of the server.
        """
        options, ttl = f"SETTINGS replicated_deduplication_window = {_REMEMBERED}", ""
        if self.tokens:
            options, ttl = f"{options}, {_DURABLE}", f"TTL {_ttl(raw_days)} "
        where = "'/clickhouse/tables/{shard}/hazwatch/%s', '{replica}'"
        samples = (
            f"CREATE TABLE IF NOT EXISTS hazwatch.samples_local ({_columns(_SAMPLES, codecs=self.tokens)}) "
            f"ENGINE = ReplicatedReplacingMergeTree({where % 'samples'}) "
            f"PARTITION BY toYYYYMMDD(toDateTime(intDiv(ts, 1000), 'UTC')) {_SAMPLES_ORDER} {ttl}{options}"
        )
        minutes = (
            f"CREATE TABLE IF NOT EXISTS hazwatch.minutes_local ({_columns(_MINUTES, codecs=self.tokens)}) "
            f"ENGINE = ReplicatedMergeTree({where % 'minutes'}) "
            f"PARTITION BY toYYYYMM(toDateTime(intDiv(minute, 1000), 'UTC')) {_MINUTES_ORDER} {options}"
        )
        over_all = [
            f"CREATE TABLE IF NOT EXISTS hazwatch.{name} ({_columns(columns, codecs=False)}) "
            f"ENGINE = Distributed({cluster}, hazwatch, {name}_local, point)"
            for name, columns in (("samples", _SAMPLES), ("minutes", _MINUTES))
        ]
        raised = [
            f"ALTER TABLE hazwatch.{table}_local MODIFY TTL {_ttl(days, column)}"
            for table, days, column in (("samples", raw_days, "ts"), ("minutes", minute_days, "minute"))
            if self.tokens
        ]
        return ["CREATE DATABASE IF NOT EXISTS hazwatch", samples, minutes, *raised, *over_all]

    def insert_settings(self, token: str, quorum: int) -> dict[str, str]:
        """Settings of an insert that must happen once."""
        settings = {"insert_deduplicate": "1"} if self.tokens else {}
        if quorum:
            settings |= {"insert_quorum": str(quorum), "insert_quorum_timeout": "10000"}
        if self.tokens:
            # A gateway that was away for long brings many days in one block; the limit of 100 would stop all.
            settings |= {"insert_deduplication_token": token, "max_partitions_per_insert_block": "0"}
        return settings

    def select_settings(self) -> dict[str, str]:
        """Settings of a question: the same replica each time, and no shard that cannot know the answer."""
        settings = {"load_balancing": "in_order"}
        return settings | {"optimize_skip_unused_shards": "1"} if self.tokens else settings

    def expired(self, raw_days: int) -> str | None:
        """A question for the partitions of samples that are over; None where the server drops them by itself."""
        if self.tokens:
            return None
        return (
            "SELECT toUInt32(partition) AS day FROM system.parts WHERE database = 'hazwatch' "  # noqa: S608  # a number
            "AND table = 'samples_local' AND active "
            f"AND toUInt32(partition) < toYYYYMMDD(today() - {int(raw_days)}) GROUP BY day ORDER BY day"
        )

    def settle(self, table: str) -> str:
        """The statement that makes a replica drop parts of which its keeper knows nothing.

        A server that lost its keeper in the middle of an insert keeps the part for minutes, to be sure, while the same
        block has come again and stands there.
        """
        return f"SYSTEM RESTART REPLICA hazwatch.{table}_local"

    def drop(self, day: int) -> str:
        """The statement that drops a partition of samples (``YYYYMMDD``)."""
        return f"ALTER TABLE hazwatch.samples_local DROP PARTITION {int(day)}"
