"""Use cases of the command line on the log: who holds which share, and beginning anew after the log was lost."""

from __future__ import annotations

import asyncio
import os

from nats.js.errors import KeyNotFoundError, NotFoundError
from sqlalchemy import delete

from hazwatch.alarms.tables import StreamOffset
from hazwatch.app.node import open_log
from hazwatch.app.run import lock_home
from hazwatch.history.tables import HistoryOffset
from hazwatch.log.leases import BUCKET
from hazwatch.records.engine import make_engine, make_sessions, unit_of_work
from hazwatch.records.fence import forget_fences
from hazwatch.records.schema import migrate
from hazwatch.settings import Settings


def share_lines(settings: Settings) -> list[str]:
    """One line for each share: who holds it."""
    if settings.shares == 1:
        return ["没有分片:一个引擎承担全部企业(设置 shares = 1)"]
    return asyncio.run(_share_lines(settings))


async def _share_lines(settings: Settings) -> list[str]:
    log = await open_log(settings, "cli", patience_s=3.0)
    lines = []
    try:
        bucket = await log.jetstream.key_value(BUCKET)
        for number in range(settings.shares):
            try:
                entry = await bucket.get(f"share.{number}")
                lines.append(f"{number}  {(entry.value or b'').decode() or '(无)'}  令牌 {entry.revision}")
            except KeyNotFoundError:
                lines.append(f"{number}  (无)")
    except NotFoundError:
        lines.append("还没有引擎领取过分片")
    finally:
        await log.close()
    return lines


def forget_log(settings: Settings) -> list[str]:
    """Forget how far into the old log everything was: offsets, fences, snapshots. Records and history stay.

    Raises:
        AlreadyRunningError: a node runs in this home.
    """
    home = settings.home
    lock = lock_home(home)
    try:
        migrate(settings.records)
        sessions = make_sessions(make_engine(settings.records))
        with unit_of_work(sessions) as session:
            session.execute(delete(StreamOffset))
            session.execute(delete(HistoryOffset))
            forget_fences(session)
        kept = [path for path in (home / "history.offset", home / "snapshots") if path.exists()]
        for path in kept:
            aside = path.with_name(f"{path.name}.lost-{path.stat().st_mtime_ns}")
            path.rename(aside)
        return [
            "已忘记旧日志的读取位置;报警记录与历史不变",
            *(f"{path.name} 已改名留存" for path in kept),
            "现在可以启动引擎:从新日志的开头读起,首批样本到达后按现状判警",
        ]
    finally:
        os.close(lock)
