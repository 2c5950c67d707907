"""Canisters as web sites, through a real node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cdk.build import build
from devnet.gateway.app import MAX_REQUEST_BYTES
from devnet.node import Node
from leasehold.agent import Agent, Identity, Principal
from leasehold.management import Management

HERE = Path(__file__).parent
ANONYMOUS = "2vxsx-fae"


class Browser:
    """Asks the node under a host name, as a browser does."""

    def __init__(self, node: Node, host: str) -> None:
        self.host = f"{host}.localhost:{node.port}"
        self.http = httpx.Client(base_url=node.url, headers={"host": self.host}, trust_env=False)

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.http.get(path, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the node looks for names of canisters; there is no such file at first."""
    return tmp_path_factory.mktemp("domains") / "custom-domains.txt"


@pytest.fixture(scope="module")
def node(domains: Path) -> Iterator[Node]:
    with Node.start(domains=domains) as node:
        yield node


@pytest.fixture(scope="module")
def canister(node: Node) -> Principal:
    with Agent(node.url, Identity.generate(), root_key=node.root_key) as agent:
        management = Management(agent)
        created = management.create()
        management.install(created, build(str(HERE / "canisters" / "site")).module)
        return created


@pytest.fixture
def verified(node: Node, canister: Principal) -> Iterator[Browser]:
    browser = Browser(node, str(canister))
    with browser.http:
        yield browser


@pytest.fixture
def raw(node: Node, canister: Principal) -> Iterator[Browser]:
    browser = Browser(node, f"{canister}.raw")
    with browser.http:
        yield browser


def test_an_answer_that_is_not_certified_is_withheld(verified: Browser, canister: Principal) -> None:
    response = verified.get("/anything")
    assert response.status_code == 503
    assert response.text == f"Canister {canister}: the canister's answer has no IC-Certificate header\n"


def test_raw_hosts_pass_on_what_comes(raw: Browser, canister: Principal) -> None:
    response = raw.get("/a%20b?q=1", headers={"accept": "text/plain"})
    assert response.text == "0 GET /a%20b?q=1 ['text/plain'] "
    assert response.headers["x-own"] == "1"
    assert response.headers["x-ic-canister-id"] == str(canister)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "connection" not in response.headers
    assert raw.get("/teapot").status_code == 418


def test_an_upgrade_to_an_update_call_needs_no_certificate_and_changes_state(verified: Browser) -> None:
    first = verified.http.post("/update", content=b"one")
    second = verified.http.request("DELETE", "/update?x", content=b"two")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.text.startswith("1 POST /update [")
    assert second.text.startswith("2 DELETE /update?x [")
    assert second.text.endswith(" two")


def test_a_streamed_body_is_put_together(raw: Browser) -> None:
    assert raw.get("/stream").text.endswith(", part 1, part 2, part 3")


def test_a_body_in_parts_is_put_together(raw: Browser) -> None:
    """As asset canisters give large assets: 206 to a request without a range."""
    response = raw.get("/parts")
    assert (response.status_code, response.text) == (200, "abcdefghijklmnopqrstuvwxy")
    assert "content-range" not in response.headers


def test_a_range_that_the_client_asked_for_is_passed_on(raw: Browser) -> None:
    response = raw.get("/parts", headers={"range": "bytes=20-"})
    assert (response.status_code, response.text) == (206, "uvwxy")
    assert response.headers["content-range"] == "bytes 20-24/25"
    assert "Content-Range" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/parts-lost", "did not give what follows byte 10"), ("/parts-short", "does not fit")],
)
def test_parts_that_do_not_fit_are_refused(raw: Browser, path: str, reason: str) -> None:
    response = raw.get(path)
    assert response.status_code == 503
    assert reason in response.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_plain_host_takes_the_canister_from_the_query(node: Node, canister: Principal, host: str) -> None:
    with httpx.Client(base_url=f"http://{host}:{node.port}", trust_env=False) as browser:
        page = f"/update?canisterId={canister}"
        assert browser.post(page, content=b"x").status_code == 201
        assert browser.get(f"/?canisterId={canister}").status_code == 503, "it must be verified"
        referer = {"referer": f"{browser.base_url}{page}"}
        assert browser.post("/update", headers=referer).status_code == 201
        assert browser.post("/update", headers={"referer": f"http://other.example{page}"}).status_code == 404
        assert browser.post("/update", headers={"referer": "http://[/"}).status_code == 404
        for wrong in ("", "2vxsx-fae", "nobody", f"{canister}x"):
            assert browser.post(f"/update?canisterId={wrong}").status_code == 404


def test_a_name_leads_to_its_canister_as_long_as_the_file_says_so(
    node: Node, canister: Principal, domains: Path
) -> None:
    browser = Browser(node, "shop.local")
    with browser.http:
        assert browser.http.post("/update").status_code == 404
        lines = ["", "no line of the file", f"user.localhost:{ANONYMOUS}", f"Shop.local.localhost:{canister}"]
        domains.write_text("\n".join(lines) + "\n")
        assert browser.http.post("/update").status_code == 201
        assert browser.get("/").status_code == 503, "it must be verified"
        assert browser.get("/api/v2/status").status_code == 200
        domains.write_bytes(b"\xff")
        assert browser.http.post("/update").status_code == 201, "a file that cannot be read changes nothing"
        domains.unlink()
        assert browser.http.post("/update").status_code == 404


def test_an_unknown_host_is_told_where_canisters_are(node: Node) -> None:
    response = httpx.get(f"{node.url}/page", headers={"host": "nobody.localhost"}, trust_env=False)
    assert response.status_code == 404
    assert response.text.startswith("There is no page at nobody.localhost/page. Canisters are at http://")


def test_a_callback_of_another_canister_is_not_called(raw: Browser) -> None:
    response = raw.get("/foreign")
    assert response.status_code == 503
    assert "not of the canister itself" in response.text


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/trap", "on purpose"),
        ("/update-trap", "http_request_update failed: "),
        ("/status", "must be a status of HTTP, got 7"),
        ("/header", "printable ASCII"),
    ],
)
def test_a_canister_that_fails_is_explained(raw: Browser, path: str, reason: str) -> None:
    response = raw.get(path)
    assert response.status_code == 503
    assert reason in response.text
    assert "set-cookie" not in response.headers


def test_a_canister_that_is_not_there_is_not_found(node: Node) -> None:
    browser = Browser(node, "vizcg-th777-77774-qaaea-cai")
    with browser.http:
        assert browser.get("/").status_code == 404


def test_the_largest_body_is_taken_and_one_byte_more_is_refused(raw: Browser) -> None:
    body = b"x" * MAX_REQUEST_BYTES
    assert raw.http.post("/", content=body).status_code == 200
    response = raw.http.post("/", content=body + b"x")
    assert response.status_code == 413


def test_the_api_answers_on_every_host_with_cors(verified: Browser, node: Node) -> None:
    response = verified.get("/api/v2/status", headers={"origin": "http://other.localhost"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    preflight = verified.http.options(
        "/api/v4/canister/aaaaa-aa/call",
        headers={"origin": "http://other.localhost", "access-control-request-method": "POST",
                 "access-control-request-headers": "content-type"},
    )  # fmt: skip
    assert preflight.status_code == 200
    assert httpx.get(f"{node.url}/api/v2/status", trust_env=False).status_code == 200


def test_preflights_of_a_site_are_answered_without_the_canister(verified: Browser) -> None:
    response = verified.http.options("/trap")
    assert response.status_code == 204
    assert "POST" in response.headers["access-control-allow-methods"]


def test_other_hosts_have_no_pages(node: Node) -> None:
    for host in ("localhost", "127.0.0.1", "nobody.localhost"):
        response = httpx.get(f"{node.url}/", headers={"host": f"{host}:{node.port}"}, trust_env=False)
        assert response.status_code == 404
