"""The development identity page's requests, and what their delegations are worth to the node."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from devnet.cli import devnet
from devnet.crypto.node_keys import NodeKeys
from devnet.errors import StateFolderError
from devnet.identity_page.app import MAX_BODY_BYTES
from devnet.identity_page.delegation import MAX_TTL_NS
from devnet.identity_page.errors import IdentityError
from devnet.identity_page.identities import MAX_IDENTITIES, MAX_NAME_CHARACTERS, Identities
from devnet.node import Node
from devnet.principal import principal_from_text, principal_text
from tests.devnet import whoami
from tests.devnet.agent import Agent, Identity, der

KEYS = NodeKeys.from_seed(b"identity" * 4)
ORIGIN = "http://aaaaa-aa.localhost:4943"
OTHER = "http://other.localhost:4943"


class Page:
    """Asks the node as the page itself does."""

    def __init__(self, node: Node) -> None:
        self.origin = f"http://id.ai.localhost:{node.port}"
        headers = {"host": self.origin.removeprefix("http://"), "origin": self.origin}
        self.http = httpx.Client(base_url=node.url, headers=headers, trust_env=False)

    def delegation(self, session: Any, **changes: Any) -> httpx.Response:
        key = session.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        given = {"name": "Alice", "origin": ORIGIN, "publicKey": base64.b64encode(key).decode()}
        return self.http.post("/delegation", json={**given, **changes})


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start() as node:
        yield node


@pytest.fixture
def page(node: Node) -> Iterator[Page]:
    page = Page(node)
    with page.http:
        assert page.http.post("/identities", json={"name": "Alice"}).status_code == 201
        yield page


@pytest.mark.parametrize("path", ["/authorize", "/authorize.js", "/style.css"])
def test_the_page_and_its_files_are_served(page: Page, path: str) -> None:
    response = page.http.get(path)
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "cross-origin-opener-policy" not in response.headers


def test_the_page_says_that_it_is_for_development(page: Page) -> None:
    assert "DEVELOPMENT" in page.http.get("/authorize").text
    assert page.http.get("/").headers["location"] == "/authorize"


def test_identities_are_listed_with_the_principal_that_an_origin_sees(page: Page) -> None:
    assert page.http.post("/identities", json={"name": "Bob"}).status_code == 201
    seen = {
        one["name"]: one["principal"]
        for one in page.http.get("/identities", params={"origin": ORIGIN}).json()
    }
    other = {
        one["name"]: one["principal"] for one in page.http.get("/identities", params={"origin": OTHER}).json()
    }
    assert seen.keys() == other.keys() == {"Alice", "Bob"}
    assert len({*seen.values(), *other.values()}) == 4
    assert all(principal_from_text(one)[-1] == 2 for one in seen.values())
    assert {one["principal"] for one in page.http.get("/identities").json()} == {""}


@pytest.mark.parametrize("curve", ["ed25519", "p256"])
def test_the_node_accepts_calls_under_a_delegation(node: Node, page: Page, curve: str) -> None:
    session: Any = (
        ed25519.Ed25519PrivateKey.generate()
        if curve == "ed25519"
        else ec.generate_private_key(ec.SECP256R1())
    )
    root = Identities(node.keys, None)
    root.create("Alice")
    with Agent(node.url, node.root_key) as agent:
        canister = whoami.deploy(agent)
    for targets in (None, [principal_text(canister)]):
        answer = page.delegation(session, maxTimeToLive=str(60 * 10**9), targets=targets).json()
        (link,) = answer["signerDelegation"]
        delegation = {
            "pubkey": base64.b64decode(link["delegation"]["pubkey"]),
            "expiration": int(link["delegation"]["expiration"]),
        }
        if targets:
            delegation["targets"] = [canister]
        signed = {"delegation": delegation, "signature": base64.b64decode(link["signature"])}
        identity = Identity(root.key("Alice", ORIGIN), session, [signed])
        assert base64.b64decode(answer["publicKey"]) == der(identity.root)
        with Agent(node.url, node.root_key, identity) as agent:
            assert agent.update(canister, "caller").endswith(identity.principal)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "Nobody"}, "no identity 'Nobody'"),
        ({"origin": "not an origin"}, "not the origin of a page"),
        ({"origin": "http://a.localhost/path"}, "not the origin of a page"),
        ({"publicKey": "!"}, "no base64"),
        ({"publicKey": ""}, "0 bytes"),
        ({"publicKey": 7}, "must be a text"),
        ({"maxTimeToLive": 5}, "decimal digits"),
        ({"maxTimeToLive": "0"}, "must be 1 to"),
        ({"maxTimeToLive": str(MAX_TTL_NS + 1)}, "must be 1 to"),
        ({"targets": "aaaaa-aa"}, "array of canister ids"),
        ({"targets": []}, "1 to 1000 canisters, got 0"),
        ({"targets": ["nonsense"]}, "`targets`"),
    ],
)
def test_a_bad_request_is_explained(page: Page, changes: dict[str, Any], reason: str) -> None:
    response = page.delegation(ed25519.Ed25519PrivateKey.generate(), **changes)
    assert response.status_code == 400
    assert reason in response.text


def test_the_longest_lifetime_is_accepted(page: Page) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    assert page.delegation(key, maxTimeToLive=str(MAX_TTL_NS)).status_code == 200


def test_other_pages_can_neither_sign_nor_create_nor_look(page: Page) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    page.http.headers["origin"] = ORIGIN
    assert page.delegation(key).status_code == 400
    assert page.http.post("/identities", json={"name": "Eve"}).status_code == 400
    assert "access-control-allow-origin" not in page.http.get("/identities").headers


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 5000, b" " * (MAX_BODY_BYTES + 1)])
def test_a_malformed_body_is_refused(page: Page, body: bytes) -> None:
    assert page.http.post("/identities", content=body).status_code == 400


@pytest.mark.parametrize("name", ["", " a", "a\n", "a" * (MAX_NAME_CHARACTERS + 1)])
def test_names_are_visible_and_short(name: str) -> None:
    with pytest.raises(IdentityError):
        Identities(KEYS, None).create(name)


def test_the_number_of_identities_is_bounded() -> None:
    identities = Identities(KEYS, None)
    for number in range(MAX_IDENTITIES):
        identities.create(str(number))
    identities.create("0")
    with pytest.raises(IdentityError, match="already"):
        identities.create("one more")


def test_identities_outlive_the_node_and_differ_between_networks(tmp_path: Path) -> None:
    first = Identities(KEYS, tmp_path)
    first.create("Alice")
    again = Identities(KEYS, tmp_path)
    assert again.names() == ["Alice"]
    assert again.principal("Alice", ORIGIN) == first.principal("Alice", ORIGIN)
    other = Identities(NodeKeys.generate(), tmp_path)
    assert other.principal("Alice", ORIGIN) != first.principal("Alice", ORIGIN)
    (tmp_path / "identities.json").write_text("{")
    with pytest.raises(StateFolderError, match=r"identities\.json"):
        again.names()


def test_the_command_line_gives_the_key_that_the_page_signs_with(tmp_path: Path) -> None:
    arguments = ["identity", "Carol", "--origin", ORIGIN, "--state", str(tmp_path)]
    printed = CliRunner().invoke(devnet, arguments)
    assert printed.exit_code == 0, printed.output
    key = load_pem_private_key(printed.output.encode(), None)
    identities = Identities(NodeKeys.open(tmp_path), tmp_path)
    assert identities.names() == ["Carol"]
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    assert key.private_bytes_raw() == identities.key("Carol", ORIGIN).private_bytes_raw()
    refused = CliRunner().invoke(devnet, ["identity", "Carol", "--origin", "x", "--state", str(tmp_path)])
    assert refused.exit_code == 1
