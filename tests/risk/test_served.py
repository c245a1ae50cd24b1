"""The models as a service of their own: a real server, a real client, and a caller that talks nonsense."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from hazwatch.risk.configuration import DEFAULT, parse
from hazwatch.risk.features import SERVICES
from hazwatch.risk.objects import Asked, answers, blank
from hazwatch.risk.remote import Remote
from hazwatch.risk.scorer import AwayError, InProcess
from hazwatch.risk.served import create_models_app

CALM = {
    "r": 12.0, "usable": 1.0, "first_other": -1, "first_combustible": -1, "first_toxic": -1, "second_other": -1,
    "second_combustible": -1, "second_toxic": -1,
}  # fmt: skip


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_models_app())


def asked(**inputs: object) -> dict:
    return {"object": "410900901001", "inputs": CALM | inputs}


def test_models_name_version_configuration_and_schema(client) -> None:
    items = client.get("/models").json()["items"]
    assert [m["id"] for m in items] == ["tank-farm", "production-unit", "warehouse", "enterprise", "park"]
    assert {m["configuration"] for m in items} == {DEFAULT.digest()}
    page = client.get("/models/tank-farm").json()
    inputs = page["schema"]["request"]["properties"]["inputs"]["properties"]
    assert set(inputs) == {f.id for f in SERVICES["tank-farm"].features}
    assert inputs["wind"]["x-unit"] == "m/s"
    assert page["parameters"]["weights"]["A"] == 0.8
    assert client.get("/health").json()["status"] == "ok"
    assert client.get("/models/nobody").status_code == 404


def test_an_object_is_answered_with_everything_that_explains_it(client) -> None:
    got = client.post(
        "/models/tank-farm/v1/score", json=asked(second_other={"value": 3, "note": "液位高高报警"})
    ).json()
    assert got["model"] == "HW-1"
    assert got["configuration"] == DEFAULT.digest()
    assert got["colour"] == "orange"
    assert [t["id"] for t in got["terms"]] == ["B", *SERVICES["tank-farm"].terms]
    assert "液位高高报警" in got["reason"]
    alarm = next(t for t in got["terms"] if t["id"] == "A")
    assert alarm["contribution"] > 40


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (asked(wind="strong"), "inputs.wind"), (asked(wind=-1), "inputs.wind"), (asked(wind=True), "inputs.wind"),
        (asked(storm=1), "inputs.storm"), (asked(wind={"value": 1, "age_s": -1}), "inputs.wind"),
        (asked(wind={"v": 1}), "inputs.wind"), ({"inputs": {}}, "object"), (asked() | {"more": 1}, "more"),
        (asked() | {"inputs": []}, "inputs"), (asked() | {"declared": "x"}, "declared"),
        (asked() | {"configuration": {"red": 900}}, "configuration.red"),
        (asked() | {"configuration": {"weights": {"A": 0.99}}}, "configuration.weights.A"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_field_and_the_reason(client, body, field) -> None:
    got = client.post("/models/tank-farm/v1/score", json=body)
    assert got.status_code == 422
    assert got.json()["error"]["fields"][field]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"object": 1e999}', '{"object": "x", "inputs": {"r": NaN}}'])
def test_what_is_no_json_object_is_refused(client, text) -> None:
    assert client.post("/models/tank-farm/v1/score", content=text).status_code == 422


def test_a_batch_goes_on_past_a_wrong_object(client) -> None:
    body = {"objects": [asked(), asked(wind="strong"), 7, asked(second_toxic=0)]}
    results = client.post("/models/warehouse/v1/batch", json=body).json()["results"]
    assert [("error" in r) for r in results] == [False, True, True, False]
    assert results[1]["error"]["fields"] == {"inputs.wind": results[1]["error"]["fields"]["inputs.wind"]}
    assert results[3]["floor"] == "orange"
    assert client.post("/models/warehouse/v1/batch", json={"objects": []}).status_code == 422
    many = {"objects": [1] * 10_001}
    assert client.post("/models/warehouse/v1/batch", json=many).status_code == 422


def test_ten_thousand_objects_in_one_call(client) -> None:
    body = {"objects": [asked(wind=float(n % 30)) for n in range(10_000)]}
    results = client.post("/models/tank-farm/v1/batch", json=body).json()["results"]
    assert len(results) == 10_000
    assert results[14]["score"] > results[13]["score"], "13.8 m/s lies between"


def test_aggregates(client) -> None:
    members = [{"score": 62, "colour": "orange"}, {"score": 60, "colour": "orange"}]
    got = client.post("/models/enterprise/v1/score", json={"object": "410900901", "members": members}).json()
    assert (got["score"], got["colour"]) == (70.0, "orange")
    park = client.post("/models/park/v1/score", json={"object": "P1", "members": members, "domino_share": 0.5}).json()
    assert park["counts"]["orange"] == 2
    wrong = client.post("/models/park/v1/score", json={"object": "P1", "members": [{"score": 101, "colour": "red"}]})
    assert wrong.json()["error"]["fields"] == {"members.0.score": "应为 0–100 的数值"}


def test_only_some_models_and_only_for_known_callers() -> None:
    one = TestClient(create_models_app(["park"], token="secret"))  # a test's
    assert one.get("/models").status_code == 401
    known = {"authorization": "Bearer secret"}
    assert [m["id"] for m in one.get("/models", headers=known).json()["items"]] == ["park"]
    assert one.post("/models/tank-farm/v1/score", json=asked(), headers=known).status_code == 404


@pytest.fixture(scope="module")
def server():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "hazwatch", "models", "serve", "--port", str(port), "--only", "tank-farm"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            httpx.get(f"{url}/health", trust_env=False)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    yield url, process
    process.terminate()
    process.wait(10)


def test_a_node_gets_the_same_bits_from_the_service_as_in_process(server) -> None:
    url, process = server
    service, strict = SERVICES["tank-farm"], parse({"weights": {"A": 0.7}})
    rng = np.random.default_rng(1)
    some = []
    for n in range(50):
        value, age = blank(service)
        value = np.where(np.isnan(value), 0.0, value)
        value[service.at("second_toxic")] = 10 * rng.random()
        value[service.at("wind")] = 30 * rng.random()
        some.append(Asked(f"o{n}", value, age, {"wind": "风"}, ("已申报",)))
    near, far = InProcess().score(service, some, strict), Remote(url).score(service, some, strict)
    assert far.refused == {}
    assert (near.score == far.score).all()
    assert near.active == far.active
    assert [near.answer(n) for n in range(50)] == [far.answer(n) for n in range(50)]
    process.terminate()
    process.wait(10)
    with pytest.raises(AwayError):
        Remote(url).score(service, some, strict)


def test_an_answer_that_is_nonsense_is_not_believed() -> None:
    service = SERVICES["tank-farm"]
    value, age = blank(service)
    one = Asked("o", value, age)
    good = answers(service, [one], DEFAULT)[0]
    wrong = [
        good | {"score": 101.0}, good | {"score": None}, good | {"colour": "pink"}, good | {"object": "p"},
        good | {"configuration": "0"}, good | {"terms": good["terms"][:3]}, good | {"unknown": 3}, [],
        {"error": {"fields": {"inputs.r": "应为数值"}}},
    ]  # fmt: skip
    for answer in wrong:
        remote = Remote("http://127.0.0.1:9")
        remote._ask = lambda *_, answer=answer: [answer]
        assert remote.score(service, [one], DEFAULT).refused, answer
    remote._ask = lambda *_: [good]
    assert remote.score(service, [one], DEFAULT).refused == {}
