"""Sending: Apprise speaks to mail servers, robots of WeCom, DingTalk and Feishu, SMS gateways and webhooks."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

#: Services that may be used: scheme of the URL → its kind. Local services of Apprise (programs, files) are not here.
SCHEMES = {
    "mailto": "mail", "mailtos": "mail", "wecombot": "wecom", "dingtalk": "dingtalk", "feishu": "feishu",
    "lark": "feishu", "twilio": "sms", "vonage": "sms", "clicksend": "sms", "sns": "sms", "smseagle": "sms",
    "smseagles": "sms", "httpsms": "sms", "json": "webhook", "jsons": "webhook", "form": "webhook",
    "forms": "webhook", "xml": "webhook", "xmls": "webhook",
}  # fmt: skip


class NotSentError(RuntimeError):
    """The service did not take the message; the text says what it answered, without the URL."""


def kind_of(url: str) -> str:
    """Kind of a channel by its Apprise URL.

    Raises:
        ValueError: not a URL that Apprise understands, or a service that is not allowed.
    """
    from apprise import Apprise

    scheme = urlsplit(url).scheme.lower()
    if scheme not in SCHEMES:
        raise ValueError(f"不支持 {scheme or '空'}://;可用:{'、'.join(sorted(SCHEMES))}")
    if not Apprise().add(url):
        raise ValueError("地址不完整或写法有误,请参照 Apprise 对该服务的说明")
    return SCHEMES[scheme]


def send(url: str, title: str, text: str) -> None:
    """Send one message; blocks until the service has answered.

    Raises:
        NotSentError: it did not take it.
    """
    from apprise import Apprise, LogCapture

    target = Apprise()
    if urlsplit(url).scheme.lower() not in SCHEMES or not target.add(url):
        raise NotSentError("通道地址无效")
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
        if not target.notify(title=title, body=text):
            lines = [line for line in said.getvalue().splitlines() if line and "://" not in line]
            raise NotSentError((lines[-1] if lines else "服务没有接受,也没有说明原因")[:300])
