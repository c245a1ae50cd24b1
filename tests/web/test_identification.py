"""Identification over HTTP: digit for digit, errors in the contract's form, a version with its PDF."""

from __future__ import annotations

import pytest
from tests.alarms.support import scratch
from tests.web.support import build

from hazwatch.identity.model import Role

SOURCE = "410902001001"
UNIT = '{"population_500m": 60, "substances": [{"name": "二氧化硫", "q_t": 200}, {"name": "光气", "q_t": 0.1}]}'


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with scratch() as sessions:
        yield build(sessions, tmp_path_factory.mktemp("home"))


def test_a_unit_is_judged_as_on_the_command_line(site) -> None:
    answer = site.client(Role.VIEWER).post("/api/v1/gb18218/identify", content=UNIT.encode())
    assert answer.status_code == 200
    assert '"ratio":0.3333333333333333333333333333' in answer.text
    told = answer.json()
    assert (told["S"], told["R"], told["level"], told["alpha"]) == (10.333333333333334, 40, "三级", 1.5)
    tables = site.client(Role.VIEWER).get("/api/v1/gb18218").json()
    assert (len(tables["table1"]), len(tables["table2"]), tables["beta_choice"]) == (85, 24, "class_of_q")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a": 1, "a": 2}', b"\xff", b"[" * 50_000])
def test_what_is_no_unit_is_refused_in_the_form_of_the_contract(site, body) -> None:
    client = site.client(Role.ENGINEER)
    for path in ("/api/v1/gb18218/identify", f"/api/v1/sources/{SOURCE}/identifications"):
        answer = client.post(path, content=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["message"]
    assert client.post("/api/v1/gb18218/identify", content=b" " * (2 << 20)).status_code == 413


def test_a_version_is_kept_and_printed(site) -> None:
    path = f"/api/v1/sources/{SOURCE}/identifications"
    body = f'{{"unit": {UNIT}, "unit_kind": "tanks", "boundary": "围堰\\u0000一"}}'.encode()
    assert site.client(Role.VIEWER).post(path, content=body).status_code == 403
    client = site.client(Role.ENGINEER)
    assert client.post(path, content=body).json() == {"source": SOURCE, "version": 1, "file_change": None}
    strange = client.post(path, content=body.replace(b'"tanks"', b'"tanks", "x": 1'))
    assert strange.json()["error"]["fields"] == {"x": "不认识的字段"}
    assert client.get(path).json()["items"][0]["level"] == "三级"
    assert client.get(f"{path}/1").json()["boundary"] == "围堰一"
    paper = client.get(f"{path}/1/filing.pdf")
    assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    assert client.get(f"{path}/2/filing.pdf").status_code == 404
    other = site.client(Role.ENGINEER, "410500")
    assert (other.get(f"{path}/1").status_code, other.post(path, content=body).status_code) == (404, 404)
