"""The tank farm's OPC UA server: one variable a tag, ``ns=2;s=TAG``, written at 1 Hz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from asyncua import Server, ua

from hazwatch.vocabulary.moments import from_ms

_NAMESPACE = "urn:hazwatch:simulator"


class OpcUaSpeaker:
    """Serves values.

    Args:
        host, port: where to listen.
        tags: of the variables.
    """

    def __init__(self, host: str, port: int, tags: Sequence[str]) -> None:
        self._url = f"opc.tcp://{host}:{port}/hazwatch/simulator"
        self._tags = tags
        self._server: Server | None = None
        self._nodes: dict[str, Any] = {}

    async def start(self) -> None:
        """Listen."""
        server = Server()
        await server.init()
        server.set_endpoint(self._url)
        server.set_server_name("Hazwatch simulated tank farm")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await server.register_namespace(_NAMESPACE)
        folder = await server.nodes.objects.add_folder(ua.NodeId("TankFarm", 2), "TankFarm")
        for tag in self._tags:
            self._nodes[tag] = await folder.add_variable(ua.NodeId(tag, 2), tag, 0.0, ua.VariantType.Double)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def say(self, now: int, values: Mapping[str, float]) -> None:
        """Show new values with the time ``now`` (epoch ms) as source time."""
        if self._server is None:
            return
        moment = from_ms(now).astimezone(UTC)
        good = ua.StatusCode(ua.StatusCodes.Good)
        for tag, node in self._nodes.items():
            variant = ua.Variant(values[tag], ua.VariantType.Double)
            data = ua.DataValue(variant, good, SourceTimestamp=moment, ServerTimestamp=datetime.now(UTC))
            await self._server.write_attribute_value(node.nodeid, data)
