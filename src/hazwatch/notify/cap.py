"""Pure: alarms as CAP 1.2 messages (OASIS Common Alerting Protocol), and the Atom feed that lists them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from xml.etree import ElementTree as ET  # written, never parsed

CAP, ATOM = "urn:oasis:names:tc:emergency:cap:1.2", "http://www.w3.org/2005/Atom"
_SEVERITY = {1: "Severe", 2: "Moderate"}


@dataclass(frozen=True, slots=True)
class CapAlarm:
    """An alarm as far as CAP goes. ``changed`` = its newest change; ``closed`` = over and seen, or revoked."""

    id: str
    begun: int
    changed: int
    closed: bool
    simulated: bool
    priority: int
    level: str
    point: str
    name: str
    source: str
    enterprise: str
    value: float | None
    limit: float | None
    unit: str


def _stamp(at: int, zone: tzinfo) -> str:
    """CAP's dateTime: a numeric offset, never Z, no fraction."""
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(zone).isoformat(timespec="seconds")


def _add(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{CAP}}}{name}")
    child.text = text
    return child


def identifier(alarm: CapAlarm) -> str:
    """One message for each state told: CAP allows no spaces, commas, < or & in it."""
    return f"hazwatch-{alarm.id}-{alarm.changed}"


def alert(alarm: CapAlarm, sender: str, zone: tzinfo) -> bytes:
    """One alarm as a CAP 1.2 document, elements in the order of its schema."""
    ET.register_namespace("", CAP)
    root = ET.Element(f"{{{CAP}}}alert")
    _add(root, "identifier", identifier(alarm))
    _add(root, "sender", sender)
    _add(root, "sent", _stamp(alarm.changed, zone))
    _add(root, "status", "Exercise" if alarm.simulated else "Actual")
    first = alarm.changed <= alarm.begun
    _add(root, "msgType", "Cancel" if alarm.closed else "Alert" if first else "Update")
    _add(root, "scope", "Restricted")
    _add(root, "restriction", "仅供危险化学品安全生产监管与企业值班使用")
    if alarm.closed or not first:
        _add(root, "references", f"{sender},hazwatch-{alarm.id}-{alarm.begun},{_stamp(alarm.begun, zone)}")
    info = ET.SubElement(root, f"{{{CAP}}}info")
    _add(info, "language", "zh-CN")
    _add(info, "category", "Safety")
    _add(info, "event", f"危险化学品监测报警({alarm.level})")
    _add(info, "urgency", "Past" if alarm.closed else "Immediate")
    _add(info, "severity", _SEVERITY.get(alarm.priority, "Minor"))
    _add(info, "certainty", "Observed")
    _add(info, "onset", _stamp(alarm.begun, zone))
    _add(info, "senderName", alarm.enterprise)
    _add(info, "headline", f"{alarm.enterprise} {alarm.source} {alarm.name} {alarm.level}")
    for name, value in (("point", alarm.point), ("value", _number(alarm.value)), ("limit", _number(alarm.limit))):
        if value:
            parameter = ET.SubElement(info, f"{{{CAP}}}parameter")
            _add(parameter, "valueName", name)
            _add(parameter, "value", f"{value} {alarm.unit}".strip() if name != "point" else value)
    area = ET.SubElement(info, f"{{{CAP}}}area")
    _add(area, "areaDesc", f"{alarm.enterprise} {alarm.source}")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:g}"


def feed(alarms: Sequence[CapAlarm], base: str, now: int, zone: tzinfo) -> bytes:
    """An Atom feed of CAP messages, newest first; each entry leads to its document."""
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")

    def add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
        child = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        child.text = text or None
        return child

    add(root, "id", "urn:hazwatch:cap")
    add(root, "title", "危险化学品监测报警(CAP 1.2)")
    add(root, "updated", _stamp(max([a.changed for a in alarms], default=now), zone))
    add(add(root, "author"), "name", "Hazwatch")
    for alarm in alarms:
        entry = add(root, "entry")
        add(entry, "id", f"urn:hazwatch:cap:{identifier(alarm)}")
        add(entry, "title", f"{alarm.enterprise} {alarm.source} {alarm.name} {alarm.level}")
        add(entry, "updated", _stamp(alarm.changed, zone))
        add(entry, "link", href=f"{base}/{alarm.id}.xml", type="application/cap+xml")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
