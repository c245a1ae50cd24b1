"""The registry's gateways, as the access process and the log's listener know them."""

from __future__ import annotations

from hazwatch.access.directory import Directory, LinkConfig, PointTable
from hazwatch.log.server import MqttUser
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import directory as registry_directory


def load_directory(sessions: Sessions, key: bytes) -> Directory:
    """The registry's gateways as access knows them."""
    with reading(sessions) as session:
        record = registry_directory.directory(session, key)
    links = {}
    for code, link in record.links.items():
        own = link.points
        points = PointTable(own.address, own.code, own.index, own.scale, own.offset)
        fields = {name: getattr(link, name) for name in LinkConfig.__slots__ if name != "points"}
        links[code] = LinkConfig(**fields, points=points)
    return Directory(record.version, links)


def mqtt_users(sessions: Sessions, key: bytes) -> tuple[MqttUser, ...]:
    """The edge nodes that may sign in at the log's own MQTT listener."""
    with reading(sessions) as session:
        gateways = registry_directory.gateways(session, key, "sparkplug")
    return tuple(
        MqttUser(g.code, g.secret.decode(), g.options.get("group", ""), g.options.get("node", ""))
        for g in gateways
        if g.secret
    )
