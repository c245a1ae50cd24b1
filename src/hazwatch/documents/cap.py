"""CAP 1.2 (OASIS Common Alerting Protocol): writing a message, an Atom feed of messages, and checking one by the rules.

The rules of ``problems`` are those of the standard's schema and of its text: order and number of elements, the words
allowed, times with a numeric offset, no space, comma, ``<`` or ``&`` in identifiers and senders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from xml.etree import ElementTree as ET  # written; parsed by defusedxml

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

CAP, ATOM = "urn:oasis:names:tc:emergency:cap:1.2", "http://www.w3.org/2005/Atom"
RESTRICTION = "仅供危险化学品安全生产监管与企业值班使用"
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class CapMessage:
    """One message. Times are epoch ms; ``references`` are (identifier, sent) of earlier ones; zh-CN, Safety."""

    identifier: str
    sender: str
    sent: int
    msg_type: str
    event: str
    urgency: str
    severity: str
    certainty: str
    onset: int
    sender_name: str
    headline: str
    area: str
    exercise: bool = False
    references: Sequence[tuple[str, int]] = ()
    description: str = ""
    parameters: Sequence[tuple[str, str]] = ()
    geocodes: Sequence[tuple[str, str]] = ()


def stamp(at: int, zone: tzinfo) -> str:
    """CAP's dateTime: a numeric offset, never Z, no fraction."""
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(zone).isoformat(timespec="seconds")


def _add(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{CAP}}}{name}")
    # XML cannot carry control characters, however they got into a name.
    child.text = _CONTROL.sub("", text) or None
    return child


def document(m: CapMessage, zone: tzinfo) -> bytes:
    """A message, elements in the order of the schema."""
    ET.register_namespace("", CAP)
    root = ET.Element(f"{{{CAP}}}alert")
    head = {
        "identifier": m.identifier, "sender": m.sender, "sent": stamp(m.sent, zone),
        "status": "Exercise" if m.exercise else "Actual", "msgType": m.msg_type, "scope": "Restricted",
        "restriction": RESTRICTION,
    }  # fmt: skip
    for name, text in head.items():
        _add(root, name, text)
    if m.references:
        _add(root, "references", " ".join(f"{m.sender},{i},{stamp(at, zone)}" for i, at in m.references))
    info = ET.SubElement(root, f"{{{CAP}}}info")
    told = {
        "language": "zh-CN", "category": "Safety", "event": m.event, "urgency": m.urgency, "severity": m.severity,
        "certainty": m.certainty, "onset": stamp(m.onset, zone), "senderName": m.sender_name, "headline": m.headline,
    }  # fmt: skip
    for name, text in told.items():
        _add(info, name, text)
    if m.description:
        _add(info, "description", m.description)
    for name, value in m.parameters:
        parameter = ET.SubElement(info, f"{{{CAP}}}parameter")
        _add(parameter, "valueName", name)
        _add(parameter, "value", value)
    area = ET.SubElement(info, f"{{{CAP}}}area")
    _add(area, "areaDesc", m.area)
    for name, value in m.geocodes:
        geocode = ET.SubElement(area, f"{{{CAP}}}geocode")
        _add(geocode, "valueName", name)
        _add(geocode, "value", value)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in a feed; ``link`` = the last part of its address."""

    identifier: str
    title: str
    updated: int
    link: str


def feed(entries: Sequence[Entry], name: str, title: str, base: str, now: int, zone: tzinfo) -> bytes:
    """An Atom feed, in the order given; each entry leads to its document at ``base/link.xml``."""
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")

    def add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
        child = ET.SubElement(parent, f"{{{ATOM}}}{tag}", attributes)
        child.text = _CONTROL.sub("", text) or None
        return child

    add(root, "id", f"urn:hazwatch:{name}")
    add(root, "title", title)
    add(root, "updated", stamp(max([e.updated for e in entries], default=now), zone))
    add(add(root, "author"), "name", "Hazwatch")
    for one in entries:
        entry = add(root, "entry")
        add(entry, "id", f"urn:hazwatch:{name}:{one.identifier}")
        add(entry, "title", one.title)
        add(entry, "updated", stamp(one.updated, zone))
        add(entry, "link", href=f"{base}/{one.link}.xml", type="application/cap+xml")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


# --- the rules -----------------------------------------------------------------------------------------------------

#: Element → (fewest, most); most 0 = any number. In the order of the schema.
_ALERT = {
    "identifier": (1, 1), "sender": (1, 1), "sent": (1, 1), "status": (1, 1), "msgType": (1, 1), "source": (0, 1),
    "scope": (1, 1), "restriction": (0, 1), "addresses": (0, 1), "code": (0, 0), "note": (0, 1), "references": (0, 1),
    "incidents": (0, 1), "info": (0, 0),
}  # fmt: skip
_INFO = {
    "language": (0, 1), "category": (1, 0), "event": (1, 1), "responseType": (0, 0), "urgency": (1, 1),
    "severity": (1, 1), "certainty": (1, 1), "audience": (0, 1), "eventCode": (0, 0), "effective": (0, 1),
    "onset": (0, 1), "expires": (0, 1), "senderName": (0, 1), "headline": (0, 1), "description": (0, 1),
    "instruction": (0, 1), "web": (0, 1), "contact": (0, 1), "parameter": (0, 0), "resource": (0, 0), "area": (0, 0),
}  # fmt: skip
_AREA = {
    "areaDesc": (1, 1), "polygon": (0, 0), "circle": (0, 0), "geocode": (0, 0), "altitude": (0, 1), "ceiling": (0, 1),
}  # fmt: skip
_PAIR = {"valueName": (1, 1), "value": (1, 1)}
_WORDS = {
    "status": "Actual Exercise System Test Draft", "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown", "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_NAME = re.compile(r"[^\s,<&]+")
_REFERENCE = re.compile(rf"[^\s,<&]+,[^\s,<&]+,{_TIME.pattern}")
_TIMES = ("sent", "effective", "onset", "expires")


def parse(xml: bytes) -> ET.Element:
    """A CAP document, with nothing in it that a hostile XML file could do.

    Raises:
        ValueError: no XML, with a DOCTYPE or entities, or no CAP 1.2 alert.
    """
    try:
        root: ET.Element = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise ValueError(f"不是可以接受的 XML:{str(error)[:200]}") from error
    if root.tag != f"{{{CAP}}}alert":
        raise ValueError(f"根元素应为 CAP 1.2 的 alert,收到 {root.tag[:80]}")
    return root


def problems(xml: bytes) -> list[str]:
    """What in a document is not CAP 1.2; nothing when it is."""
    try:
        root = parse(xml)
    except ValueError as error:
        return [str(error)]
    found = list(_children(root, _ALERT, "alert"))
    for name in ("identifier", "sender"):
        text = root.findtext(f"{{{CAP}}}{name}") or ""
        if not _NAME.fullmatch(text):
            found.append(f"{name} {text!r}")
    kind = root.findtext(f"{{{CAP}}}msgType")
    references = (root.findtext(f"{{{CAP}}}references") or "").split()
    if kind in ("Update", "Cancel", "Ack", "Error") and not references:
        found.append(f"{kind} without references")
    found += [f"reference {one!r}" for one in references if not _REFERENCE.fullmatch(one)]
    if root.findtext(f"{{{CAP}}}scope") == "Restricted" and not root.findtext(f"{{{CAP}}}restriction"):
        found.append("Restricted without restriction")
    for info in root.findall(f"{{{CAP}}}info"):
        found += _children(info, _INFO, "info")
        for area in info.findall(f"{{{CAP}}}area"):
            found += _children(area, _AREA, "area")
        for pair in [*info.iter(f"{{{CAP}}}parameter"), *info.iter(f"{{{CAP}}}geocode")]:
            found += _children(pair, _PAIR, "pair")
    return found


def _children(parent: ET.Element, allowed: dict[str, tuple[int, int]], where: str) -> Iterator[str]:
    names = [child.tag.removeprefix(f"{{{CAP}}}") for child in parent]
    order = list(allowed)
    known = [order.index(name) for name in names if name in allowed]
    if known != sorted(known):
        yield f"{where}: order {names}"
    for name in names:
        if name not in allowed:
            yield f"{where}: unknown {name}"
    for name, (fewest, most) in allowed.items():
        if names.count(name) < fewest or (most and names.count(name) > most):
            yield f"{where}: {names.count(name)} × {name}"
    for child in parent:
        name, text = child.tag.removeprefix(f"{{{CAP}}}"), child.text or ""
        if name in _WORDS and text not in _WORDS[name].split():
            yield f"{name} {text!r}"
        if name in _TIMES and not _TIME.fullmatch(text):
            yield f"{name} {text!r}"
