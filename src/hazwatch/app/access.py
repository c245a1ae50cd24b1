"""The access process: every protocol adapter, one intake, one durable append for many gateways."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson
import uvicorn

from hazwatch.access import dead_letters
from hazwatch.access.dealt import DealtIntake
from hazwatch.access.directory import DirectoryHolder, LinkConfig
from hazwatch.access.frames.listener import FramesListener
from hazwatch.access.intake import GroupCommit
from hazwatch.access.national.desk import NationalDesk
from hazwatch.access.national.http import create_app
from hazwatch.access.national.message import Limits
from hazwatch.access.national.tcp import NationalTcpListener, TcpLimits
from hazwatch.access.port import Adapter, Intake, StatusBoard
from hazwatch.access.recorded import RecordedAdapter
from hazwatch.access.report import LinkReport, Turns
from hazwatch.access.sparkplug.listener import Broker, SparkplugListener, broker_of
from hazwatch.access.supervisor import AccessRoom
from hazwatch.app.links import load_directory
from hazwatch.app.node import clock, give_back_memory, open_log, run_process, secret, settle_memory
from hazwatch.app.tls import certificate
from hazwatch.app.warm import warm_access
from hazwatch.identity.secrets import master_key
from hazwatch.log.client import Log
from hazwatch.log.server import NODE_USER
from hazwatch.log.shares import Share, all_shares, share_of
from hazwatch.records.engine import make_engine, make_sessions, reading
from hazwatch.registry import facts as registry_facts
from hazwatch.settings import Settings
from hazwatch.stream import wire
from hazwatch.vocabulary.faults import DeadLetter
from hazwatch.vocabulary.lanes import Lane

_log = logging.getLogger(__name__)
#: Letters that wait while the records are away; older ones go first.
_LETTERS = 10_000
_ROOT = "/"
#: Options that name files, and the word that names none.
_FILES = frozenset({"certificate", "private_key", "server_certificate", "ca"})
_SYSTEM_CA = "system"


def _is(code: str, link: LinkConfig) -> bool:
    return link.code == code


def confined(link: LinkConfig, home: Path) -> LinkConfig:
    """The link with its file names below the node's own folders: who edits the registry must not reach beyond them.

    Recordings lie in ``recordings/``, certificates and keys in ``pki/``.

    Raises:
        ValueError: a name that leads outside.
    """
    options = {
        name: str(_below(home / "pki", value)) if name in _FILES and value != _SYSTEM_CA else value
        for name, value in link.options.items()
    }
    address = str(_below(home / "recordings", link.address)) if link.protocol == "recorded" else link.address
    return replace(link, options=options, address=address)


def _below(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"文件 {name!r} 不在 {folder} 之内")
    return path


def _opcua(link: LinkConfig, intake: Intake, board: StatusBoard) -> Adapter:
    """Loads the client of the protocol with the first link that needs it."""
    from hazwatch.access.opcua import OpcUaAdapter

    return OpcUaAdapter(link, intake, board, clock)


def _modbus(link: LinkConfig, intake: Intake, board: StatusBoard) -> Adapter:
    """As above."""
    from hazwatch.access.modbus import ModbusAdapter

    return ModbusAdapter(link, intake, board, clock)


class Access:
    """Everything of the access process, wired."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._key = master_key(settings.home)
        self._sessions = make_sessions(make_engine(settings.records))
        self._letters: asyncio.Queue[DeadLetter] = asyncio.Queue(_LETTERS)
        self._paths: dict[str, str] = {}
        self.holder = DirectoryHolder(load_directory(self._sessions, self._key))
        self._share_of: dict[int, int] = {}
        self._deal_out()
        self.board = StatusBoard()
        self.intake = self._make_intake()
        self.national = NationalDesk(
            self.holder, self.intake, self.board, clock, Limits(future_ms=settings.future_s * 1000)
        )
        self.room = self._make_room()
        self._reports: list[LinkReport] = []
        self._turns = Turns()

    def _make_room(self) -> AccessRoom:
        holder, intake, board = self.holder, self.intake, self.board
        home = self._settings.home
        own = Broker(
            host="127.0.0.1", port=self._settings.mqtt_port, host_id="hazwatch", user=NODE_USER,
            password=secret(self._settings.home, "log.password"),
        )  # fmt: skip
        tcp = NationalTcpListener(
            self.national, self._settings.host, self._settings.national_tcp_port, TcpLimits(), tls=None
        )
        frames = FramesListener(
            holder, intake, board, clock, self._settings.host, self._settings.frames_port,
            future_ms=self._settings.future_s * 1000,
        )  # fmt: skip
        return AccessRoom(
            holder,
            factories={
                "opcua": lambda link: _opcua(confined(link, home), intake, board),
                "modbus": lambda link: _modbus(link, intake, board),
                "recorded": lambda link: RecordedAdapter(confined(link, home), intake, board, clock),
                "sparkplug-external": lambda link: SparkplugListener(
                    broker_of(confined(link, home)), holder, intake, board, clock, partial(_is, link.code)
                ),
            },
            listeners={
                "sparkplug": SparkplugListener(own, holder, intake, board, clock),
                "national-tcp": tcp,
                "frames": frames,
            },
            board=board,
            clock=clock,
            on_reports=self._on_reports,
        )

    def _make_intake(self) -> GroupCommit | DealtIntake:
        """One group commit, or one for each share that enterprises are dealt out in."""
        count = self._settings.shares
        commits = [
            GroupCommit(partial(self._append, share), self._letter, commit_ms=self._settings.commit_ms)
            for share in all_shares(count)
        ]
        return commits[0] if count == 1 else DealtIntake(commits, lambda gateway: self._share_of[gateway])

    def _deal_out(self) -> None:
        links = self.holder.current.links.values()
        # Gateways that are gone keep their share: their last frames may be on the way.
        self._share_of |= {link.gateway: share_of(link.enterprise, self._settings.shares).number for link in links}

    async def _append(self, share: Share, data: bytes, lane: Lane) -> None:
        await self._log.append(share.lane(lane), data)

    def _letter(self, letter: DeadLetter) -> None:
        if self._letters.full():
            self._letters.get_nowait()
        self._letters.put_nowait(letter)

    def _on_reports(self, reports: list[LinkReport]) -> None:
        self._reports = reports

    async def begin(self) -> None:
        """Follow the registry."""
        await self._load_paths()
        await self._log.listen(wire.SUBJECT_REGISTRY, self._on_registry)

    async def _on_registry(self, _: bytes) -> None:
        fresh = await asyncio.to_thread(load_directory, self._sessions, self._key)
        self.holder.current = fresh
        self._deal_out()
        await self._load_paths()

    async def _load_paths(self) -> None:
        def read() -> dict[str, str]:
            with reading(self._sessions) as session:
                return {e.code: e.path for e in registry_facts.all_enterprises(session)}

        owners = await asyncio.to_thread(read)
        self._paths = {code: owners.get(link.enterprise, _ROOT) for code, link in self.holder.current.links.items()}

    async def tell_links(self) -> None:
        """Once a second, tell the pages how every link is."""
        while True:
            await asyncio.sleep(1.0)
            reports, whole = self._turns.next(self._reports)
            rows = [report.as_dict() for report in reports]
            waiting = {"pending_bytes": self.intake.pending_bytes, "full": int(self.intake.full)}
            await self._log.tell(wire.SUBJECT_LINKS, orjson.dumps({"links": rows, "whole": whole, "intake": waiting}))

    async def keep_letters(self) -> None:
        """Write refusals to the records; while these are away, the letters wait."""
        while True:
            letters = [await self._letters.get()]
            while not self._letters.empty() and len(letters) < 500:  # noqa: PLR2004  # one transaction's worth
                letters.append(self._letters.get_nowait())
            try:
                await asyncio.to_thread(
                    dead_letters.keep, self._sessions, letters, lambda link: self._paths.get(link, _ROOT)
                )
            except Exception:  # noqa: BLE001  # whatever is wrong with the records, letters wait and access goes on
                _log.exception("%d dead letters could not be written, trying again", len(letters))
                for letter in letters:
                    self._letter(letter)
                await asyncio.sleep(2.0)


async def _main(settings: Settings) -> None:
    warm_access()
    log = await open_log(settings, "access")
    access = Access(settings, log)
    await access.begin()
    settle_memory()
    cert, key = certificate(settings.home, settings.host)
    config = uvicorn.Config(
        create_app(access.national), host=settings.host, port=settings.national_https_port, ssl_certfile=cert,
        ssl_keyfile=key, log_level="warning", lifespan="off", server_header=False, timeout_graceful_shutdown=1,
        access_log=False,
    )  # fmt: skip
    work = (
        access.intake.run(), access.room.run(), access.tell_links(), access.keep_letters(), give_back_memory(),
    )  # fmt: skip
    tasks = [asyncio.create_task(piece) for piece in work]
    server = uvicorn.Server(config)
    for task in tasks:
        # A piece that fails ends the process; the supervisor starts it again, whole.
        task.add_done_callback(lambda _: setattr(server, "should_exit", True))
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    _log.error("access ended: %r", outcome)
        await log.close()


def main(settings: Settings) -> None:
    """Entry point of the child process."""
    run_process("access", lambda: _main(settings))
