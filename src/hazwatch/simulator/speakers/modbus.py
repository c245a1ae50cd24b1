"""The utilities' Modbus TCP server. The register map is the one that the registry hands out as addresses."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Final

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hazwatch.simulator.rows import PointRow

_UNIT: Final = 1
_ROOM: Final = 200
#: function codes under which a server's own store is reached
_CODES: Final = {"di": 2, "hr": 3, "ir": 4}


class ModbusSpeaker:
    """Serves values.

    Args:
        host, port: where to listen.
        points: with addresses ``di:n``, ``ir:n:i16`` and ``hr:n:f32:be``.
    """

    def __init__(self, host: str, port: int, points: Sequence[PointRow]) -> None:
        self._where = (host, port)
        self._points = points
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        """Listen."""
        bits = [SimData(0, values=[False] * _ROOM, datatype=DataType.BITS)]
        registers = [SimData(0, values=[0] * _ROOM, datatype=DataType.REGISTERS)]
        device = SimDevice(_UNIT, simdata=(bits, list(bits), registers, list(registers)))
        self._server = ModbusTcpServer(device, address=self._where)
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.shutdown()
            self._server = None

    async def say(self, _now: int, values: Mapping[str, float]) -> None:
        """Put new values into the registers; Modbus knows no times."""
        if self._server is None:
            return
        for point in self._points:
            table, at = point.address.split(":")[:2]
            raw = (values[point.tag] - point.offset) / point.scale
            await self._server.async_setValues(_UNIT, _CODES[table], int(at), _encode(table, raw))


def _encode(table: str, raw: float) -> list[int] | list[bool]:
    if table == "di":
        return [raw >= 0.5]  # noqa: PLR2004  # a switch
    if table == "ir":
        return [round(raw) & 0xFFFF if math.isfinite(raw) else 0x8000]
    return list(struct.unpack(">2H", struct.pack(">f", raw)))
