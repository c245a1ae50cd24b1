"""The two doors with real clients: HTTPS over TLS, TCP with ``@@`` frames."""

from __future__ import annotations

import asyncio
import json
import ssl
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hazwatch.access.national.desk import NationalDesk
from hazwatch.access.national.envelope import Keys, seal, sign
from hazwatch.access.national.http import PATH, create_app
from hazwatch.access.national.message import Limits
from hazwatch.access.national.tcp import NationalTcpListener, TcpLimits
from hazwatch.vocabulary.moments import CHINA

A, B = "410900902001C0001WD001", "410900902001C0001SD001"
SECRET = bytes(range(64))
KEYS = Keys.of(SECRET)


def now_text(ahead_s: float = 0) -> str:
    return (datetime.now(CHINA) + timedelta(seconds=ahead_s)).strftime("%Y%m%d%H%M%S")


def inner(data_id: str | None = None, **changes: Any) -> dict[str, Any]:
    base = {
        "collectTime": now_text(),
        "dataId": data_id or str(uuid.uuid4()),
        "datas": [{"quotaId": A, "value": "21.5"}, {"quotaId": B, "value": "55"}],
        "enterpriseId": "410900902",
        "gatewayId": "41090090201",
        "isConnectDataSource": "true",
        "reportType": "report",
    }
    return {**base, **changes}


def outer(message: dict[str, Any] | bytes, keys: Keys = KEYS, **changes: Any) -> bytes:
    plain = message if isinstance(message, bytes) else json.dumps(message).encode()
    text = seal(plain, keys)
    body = {"enterpriseId": "410900902", "gatewayId": "41090090201", "report": text, "sign": sign(text, keys)}
    return json.dumps({k: v for k, v in {**body, **changes}.items() if v is not None}).encode()


@pytest.fixture
def gateway(link: Any) -> Any:
    return link([A, B], "national", code="41090090201", enterprise="410900902", secret=SECRET)


@pytest.fixture
def desk(gateway: Any, holder: Any, intake: Any, board: Any, clock: Any) -> NationalDesk:
    return NationalDesk(holder(gateway), intake, board, clock, Limits())


async def ask(desk: NationalDesk, data: bytes) -> tuple[int, dict[str, Any]]:
    answer = await desk.handle(data)
    return answer.status, json.loads(answer.body)


async def test_a_good_message_is_acknowledged_after_it_is_durable(desk: Any, intake: Any, board: Any) -> None:
    intake.gate.clear()
    task = asyncio.create_task(ask(desk, outer(inner("m-1"))))
    await asyncio.sleep(0.05)
    assert not task.done()
    intake.gate.set()
    status, body = await task
    assert (status, body["success"], body["code"], body["dataId"]) == (200, True, "ok", "m-1")
    assert body["data"] == {"accepted": 2, "rejected": []}
    assert intake.frames[0].origin.sequence >= 0
    assert board.all()[0].samples == 2


async def test_a_repetition_is_acknowledged_and_inserted_once(desk: Any, intake: Any, board: Any) -> None:
    message = inner("m-2")
    await ask(desk, outer(message))
    status, body = await ask(desk, outer(message))
    assert (status, body["success"], body["code"]) == (200, True, "duplicate")
    assert len(intake.frames) == 1
    assert board.all()[0].duplicates == 1


async def test_a_repetition_in_flight_waits_for_the_first(desk: Any, intake: Any) -> None:
    intake.gate.clear()
    message = inner("m-3")
    tasks = [asyncio.create_task(ask(desk, outer(message))) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert not any(t.done() for t in tasks)
    intake.gate.set()
    codes = sorted([(await t)[1]["code"] for t in tasks])
    assert codes == ["duplicate", "duplicate", "ok"]
    assert len(intake.frames) == 1


async def test_what_could_not_be_made_durable_is_not_acknowledged_and_may_come_again(desk: Any, intake: Any) -> None:
    intake.closed = True
    message = inner("m-4")
    status, body = await ask(desk, outer(message))
    assert (status, body["success"], body["code"]) == (503, False, "unavailable")
    intake.closed = False
    assert (await ask(desk, outer(message)))[1]["code"] == "ok"


async def test_a_part_is_accepted_and_the_rest_listed(desk: Any, intake: Any) -> None:
    datas = [
        {"quotaId": A, "value": 1},
        {"quotaId": "410900901001G0001YW001", "value": 2},
        {"quotaId": B, "value": "x"},
    ]
    status, body = await ask(desk, outer(inner(datas=datas)))
    assert (status, body["success"], body["code"]) == (200, True, "unknown_quota")
    assert body["data"] == {
        "accepted": 1,
        "rejected": [
            {"quotaId": "410900901001G0001YW001", "reason": "unknown_point"},
            {"quotaId": B, "reason": "wrong_type"},
        ],
    }
    assert sorted(intake.reasons()) == ["unknown_point", "wrong_type"]


async def test_a_message_of_which_nothing_was_accepted_may_come_again(desk: Any, intake: Any) -> None:
    message = inner("m-5", datas=[{"quotaId": "410900901001G0001YW001", "value": 2}])
    for _ in range(2):
        status, body = await ask(desk, outer(message))
        assert (status, body["success"], body["code"]) == (400, False, "unknown_quota")
    assert not intake.frames


@pytest.mark.parametrize(
    ("data", "status", "code", "reason"),
    [
        (outer(inner(), Keys.of(b"x" * 64)), 401, "bad_signature", "bad_signature"),
        (outer(inner(), sign=None), 401, "bad_signature", "bad_signature"),
        (outer(inner(), sign="00"), 401, "bad_signature", "bad_signature"),
        (outer(inner(), Keys(b"y" * 32, KEYS.sign)), 401, "bad_signature", "bad_key"),
        (outer(inner(), gatewayId="41090090299"), 401, "unknown_gateway", "unknown_gateway"),
        (outer(inner(gatewayId="41090090301")), 401, "unknown_gateway", "unknown_gateway"),
        (outer(inner(collectTime=now_text(3600))), 400, "bad_time", "bad_time"),
        (outer(b"no json at all"), 400, "malformed", "malformed"),
        (b"{", 400, "malformed", "malformed"),
        (b"[" * 100_000, 400, "malformed", "malformed"),
        (b"", 400, "malformed", "malformed"),
        (b"\xff\xfe", 400, "malformed", "malformed"),
    ],
)
async def test_refusals(desk: Any, intake: Any, data: bytes, status: int, code: str, reason: str) -> None:
    got, body = await ask(desk, data)
    assert (got, body["success"], body["code"]) == (status, False, code)
    assert intake.reasons() == [reason]
    assert not intake.frames


async def test_the_old_form_names_only_the_enterprise(desk: Any) -> None:
    assert (await ask(desk, outer(inner(), gatewayId=None)))[1]["code"] == "ok"


async def test_an_unsigned_link_must_be_allowed_to_be(
    gateway: Any, holder: Any, intake: Any, board: Any, clock: Any
) -> None:
    from dataclasses import replace

    open_link = replace(gateway, options={"sign": "off"})
    desk = NationalDesk(holder(open_link), intake, board, clock)
    assert (await ask(desk, outer(inner(), sign=None)))[1]["code"] == "ok"
    wrong = await ask(desk, outer(inner(), Keys.of(b"x" * 64), sign=None))
    assert wrong[1]["code"] == "bad_signature"
    assert intake.reasons() == ["bad_key"]


async def test_the_letter_excerpt_never_shows_the_plain_message(desk: Any, intake: Any) -> None:
    await ask(desk, outer(inner(datas=[{"quotaId": A, "value": "GEHEIM"}])))
    assert intake.letters
    assert all("GEHEIM" not in letter.excerpt for letter in intake.letters)


# --- HTTPS ---


def certificate(folder: Any) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(cert.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture
async def https(desk: Any, tmp_path: Any, free_port: Any, eventually: Any) -> Any:
    cert, key = certificate(tmp_path)
    port = free_port()
    app = create_app(desk, cap=20_000, body_s=1.0)
    config = uvicorn.Config(
        app, "127.0.0.1", port, ssl_certfile=cert, ssl_keyfile=key, log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    async with httpx.AsyncClient(
        base_url=f"https://localhost:{port}", verify=ssl.create_default_context(cafile=cert)
    ) as client:
        yield client
    server.should_exit = True
    await task


async def test_https(https: Any, intake: Any) -> None:
    response = await https.post(PATH, content=outer(inner("h-1")))
    assert response.status_code == 200
    assert response.json()["code"] == "ok"
    assert (await https.post(PATH, content=outer(inner(), sign="00"))).status_code == 401
    large = await https.post(PATH, content=b"x" * 30_000)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert len(intake.frames) == 1
    assert "too_large" in intake.reasons()


async def test_a_body_that_never_ends_is_given_up(https: Any, intake: Any) -> None:
    async def slow() -> Any:
        yield b"{"
        await asyncio.sleep(3)
        yield b"}"

    response = await https.post(PATH, content=slow())
    assert response.status_code == 400
    assert intake.reasons() == ["truncated"]


# --- TCP ---


@pytest.fixture
async def tcp(desk: Any, running: Any) -> Any:
    limits = TcpLimits(cap=20_000, skip=100_000, idle_s=1.0, frame_s=0.7, send_s=1.0, clients=20)
    listener = NationalTcpListener(desk, "127.0.0.1", 0, limits)
    async with running(listener):
        await asyncio.wait_for(listener.listening.wait(), 2)
        yield listener


async def dial(listener: NationalTcpListener) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", listener.port)


async def answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    raw = await asyncio.wait_for(reader.readuntil(b"@@"), 2)
    return json.loads(raw[:-2])  # type: ignore[no-any-return]  # tests know what they sent


async def test_frames_may_come_in_any_pieces(tcp: Any, intake: Any) -> None:
    reader, writer = await dial(tcp)
    stream = outer(inner("t-1")) + b"@@" + outer(inner("t-2")) + b"@@"
    for start in range(0, len(stream), 97):
        writer.write(stream[start : start + 97])
        await writer.drain()
        await asyncio.sleep(0)
    assert [(await answer(reader))["dataId"] for _ in range(2)] == ["t-1", "t-2"]
    assert len(intake.frames) == 2


async def test_a_terminator_cut_in_two_is_one(tcp: Any) -> None:
    reader, writer = await dial(tcp)
    writer.write(outer(inner("t-3")) + b"@")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.write(b"@")
    assert (await answer(reader))["code"] == "ok"


async def test_an_oversized_frame_is_refused_and_the_next_one_read(tcp: Any, intake: Any) -> None:
    reader, writer = await dial(tcp)
    writer.write(b"x" * 60_000 + b"@@" + outer(inner("t-4")) + b"@@")
    assert (await answer(reader))["code"] == "too_large"
    assert (await answer(reader))["code"] == "ok"
    assert intake.reasons() == ["too_large"]


async def test_an_endless_frame_ends_the_connection(tcp: Any, intake: Any) -> None:
    reader, writer = await dial(tcp)
    with suppress(OSError):
        for _ in range(100):
            writer.write(b"x" * 10_000)
            await writer.drain()
    with suppress(OSError):
        assert (await answer(reader))["code"] == "too_large"
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await answer(reader)
    assert intake.reasons().count("too_large") == 1


async def test_a_frame_cut_off_is_a_dead_letter(tcp: Any, intake: Any, eventually: Any) -> None:
    _, writer = await dial(tcp)
    writer.write(outer(inner())[:100])
    await writer.drain()
    writer.close()
    await eventually(lambda: intake.reasons() == ["truncated"])


async def test_a_frame_that_drips_is_given_up_in_time(tcp: Any, intake: Any) -> None:
    _, writer = await dial(tcp)
    began = asyncio.get_running_loop().time()
    while "truncated" not in intake.reasons() and asyncio.get_running_loop().time() - began < 3:
        writer.write(b"{")
        await asyncio.sleep(0.05)
    assert "truncated" in intake.reasons()
    assert asyncio.get_running_loop().time() - began < 1.5


async def test_silence_ends_the_connection(tcp: Any, intake: Any) -> None:
    reader, _ = await dial(tcp)
    assert await asyncio.wait_for(reader.read(), 3) == b""
    assert not intake.letters


async def test_hostile_neighbours_cost_a_good_client_nothing(tcp: Any) -> None:
    async def hostile(kind: int) -> None:
        try:
            _, writer = await dial(tcp)
            while True:
                writer.write((b"x" * 5000, b"{}@@" * 500, b"\xff@@@@@")[kind % 3])
                await writer.drain()  # replies are never read
        except OSError:
            pass

    attackers = [asyncio.create_task(hostile(i)) for i in range(9)]
    await asyncio.sleep(0.2)
    reader, writer = await dial(tcp)
    delays = []
    for i in range(10):
        began = asyncio.get_running_loop().time()
        writer.write(outer(inner(f"good-{i}")) + b"@@")
        assert (await answer(reader))["code"] == "ok"
        delays.append(asyncio.get_running_loop().time() - began)
        await asyncio.sleep(0.05)
    for task in attackers:
        task.cancel()
    await asyncio.gather(*attackers, return_exceptions=True)
    assert sorted(delays)[5] < 0.5


async def test_a_line_cut_at_any_byte_loses_nothing_and_inserts_nothing_twice(
    tcp: Any, intake: Any, eventually: Any
) -> None:
    """The gateway sends again until it is acknowledged, wherever the line was cut before (users' complaint no. 1)."""
    frame = outer(inner("cut")) + b"@@"
    for at in [*range(0, len(frame), 7), len(frame) - 1, len(frame)]:
        _, writer = await dial(tcp)
        writer.write(frame[:at])
        await writer.drain()
        writer.transport.abort() if at % 2 else writer.close()
    reader, writer = await dial(tcp)
    writer.write(frame)
    reply = await answer(reader)
    assert reply["success"]
    assert len(intake.frames) == 1
    await eventually(lambda: set(intake.reasons()) <= {"truncated"})


async def test_a_reply_that_was_lost_is_given_again(tcp: Any, intake: Any, eventually: Any) -> None:
    frame = outer(inner("lost-reply")) + b"@@"
    intake.gate.clear()
    _, writer = await dial(tcp)
    writer.write(frame)
    await eventually(lambda: intake.submitted == 1)
    writer.transport.abort()  # gone before the reply
    await asyncio.sleep(0.05)
    intake.gate.set()
    reader, writer = await dial(tcp)
    writer.write(frame)
    assert (await answer(reader))["code"] in ("duplicate", "ok")
    assert len(intake.frames) == 1
