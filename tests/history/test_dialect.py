"""The SQL of the stores: old servers are asked for nothing they do not know, new ones parse every word."""

from __future__ import annotations

import pytest

from hazwatch.history.dialect import ClusterDialect, embedded_schema

NEW = ["CODEC", "TTL", "ttl_only", "fsync", "fromUnixTimestamp64"]


@pytest.mark.parametrize(
    ("version", "tokens"),
    [("18.16.1", False), ("21.8.15.7", False), ("22.1.4", False), ("22.2.2.1", True), ("25.3.1.2703\n", True)],
)
def test_a_server_is_known_by_its_version(version, tokens) -> None:
    assert ClusterDialect.of(version).tokens is tokens


def test_old_servers_are_spared_what_they_do_not_know() -> None:
    old = ClusterDialect.of("18.16.1")
    for statement in old.schema("hazwatch", 90):
        assert not [word for word in NEW if word in statement]
    assert old.insert_settings("t", 0) == {}
    assert old.insert_settings("t", 2)["insert_quorum"] == "2"
    assert "today() - 90" in (old.expired(90) or "")


def test_new_servers_drop_old_days_themselves_and_know_a_block_by_its_token() -> None:
    new = ClusterDialect.of("24.8.1")
    assert new.expired(90) is None
    assert new.insert_settings("5-9:0-0", 0)["insert_deduplication_token"] == "5-9:0-0"


async def test_a_server_of_today_parses_every_statement(store) -> None:
    """ChDB is one; without a keeper it cannot make replicated tables, but its parser is that of the servers."""
    new = ClusterDialect.of("25.3.1")
    for statement in [*new.schema("hazwatch", 90), *embedded_schema(90), new.drop(20260101)]:
        if "DROP PARTITION" not in statement:
            assert (await store.select(f"EXPLAIN AST {statement}")).num_rows > 0, statement
