"""CAP 1.2: the order of its schema, its words, its times; the feed leads to each message."""

from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

from defusedxml import ElementTree

from hazwatch.notify.cap import ATOM, CAP, CapAlarm, alert, feed

CHINA = ZoneInfo("Asia/Shanghai")
NOON = 1_795_417_200_123
ALARM = CapAlarm(
    "ab8c-1", NOON, NOON, closed=False, simulated=False, priority=1, level="高高", point="41090200101G0001YW001",
    name='液位 <1> & "二"', source="罐区", enterprise="甲", value=9.5, limit=9.0, unit="m",
)  # fmt: skip
ORDER = ["identifier", "sender", "sent", "status", "msgType", "scope", "restriction", "references", "info"]
INFO = [
    "language", "category", "event", "urgency", "severity", "certainty", "onset", "senderName", "headline", "parameter",
    "area",
]  # fmt: skip


def words(document: bytes) -> tuple[dict[str, str], list[str], list[str]]:
    root = ElementTree.fromstring(document)
    assert root.tag == f"{{{CAP}}}alert"
    local = [child.tag.removeprefix(f"{{{CAP}}}") for child in root]
    info = root.find(f"{{{CAP}}}info")
    inside = [child.tag.removeprefix(f"{{{CAP}}}") for child in info]
    said = {child.tag.removeprefix(f"{{{CAP}}}"): child.text or "" for child in [*root, *info]}
    return said, local, inside


def test_an_alarm_is_an_alert_with_the_words_of_the_standard() -> None:
    said, outside, inside = words(alert(ALARM, "hazwatch.example", CHINA))
    assert outside == [name for name in ORDER if name in outside], "the order of the schema"
    assert list(dict.fromkeys(inside)) == INFO
    assert (said["status"], said["msgType"], said["scope"], said["language"]) == (
        "Actual", "Alert", "Restricted", "zh-CN",
    )  # fmt: skip
    assert (said["urgency"], said["severity"], said["certainty"]) == ("Immediate", "Severe", "Observed")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", said["sent"]), "an offset, never Z"
    assert not re.search(r"[\s,<&]", said["identifier"])
    assert '液位 <1> & "二"' in said["headline"], "hostile names stay text"


def test_a_change_refers_to_the_first_message_and_the_end_cancels_it() -> None:
    first = words(alert(ALARM, "s", CHINA))[0]
    changed = replace(ALARM, changed=NOON + 60_000)
    said, outside, _ = words(alert(changed, "s", CHINA))
    assert said["msgType"] == "Update"
    assert said["references"] == f"s,{first['identifier']},{first['sent']}"
    assert outside == ORDER
    said, _, _ = words(alert(replace(changed, closed=True), "s", CHINA))
    assert (said["msgType"], said["urgency"]) == ("Cancel", "Past")


def test_what_is_simulated_is_an_exercise() -> None:
    assert words(alert(replace(ALARM, simulated=True), "s", CHINA))[0]["status"] == "Exercise"


def test_the_feed_leads_to_every_message() -> None:
    root = ElementTree.fromstring(feed([ALARM, replace(ALARM, id="zz")], "http://node/api/v1/notices/cap", NOON, CHINA))
    links = [entry.find(f"{{{ATOM}}}link").get("href") for entry in root.findall(f"{{{ATOM}}}entry")]
    assert links == [f"http://node/api/v1/notices/cap/{n}.xml" for n in ("ab8c-1", "zz")]
    assert (
        ElementTree.fromstring(feed([], "http://node", NOON, CHINA)).find(f"{{{ATOM}}}updated").text.endswith("+08:00")
    )
