"""The page's built canister behind the gateway: published, verified, upgraded, and only by its controller."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cdk.build import build
from devnet.node import Node
from leasehold.agent import Identity, Principal, RejectedError
from leasehold.errors import ConfigurationError
from leasehold.interfaces import load_interface
from leasehold.network import Network
from leasehold.roles.page import create_page, page_files, page_url, publish_page

OWNER = Identity.generate()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Node.start() as node:
        canisters = dict.fromkeys(("marketplace", "vault", "ledger"), "aaaaa-aa")
        yield Network(node.url, canisters, node.root_key, tmp_path / ".leasehold")


def published(network: Network, folder: Path) -> tuple[Network, Principal, int]:
    canister = create_page(network, OWNER)
    network, put = publish_page(network, OWNER, canister, build("frontend").module, folder)
    return network, canister, put


def fetch(network: Network, canister: Principal, path: str, encoding: str = "identity") -> httpx.Response:
    host = page_url(network, canister).removeprefix("http://")
    headers = {"host": host, "accept-encoding": encoding}
    return httpx.get(network.url + path, headers=headers, trust_env=False)


def test_the_page_is_served_verified_and_updated(network: Network, built_page: Path) -> None:
    network, canister, put = published(network, built_page)
    assert put == 7
    index = (built_page / "index.html").read_text()
    for encoding in ("identity", "gzip"):
        answer = fetch(network, canister, "/", encoding)
        assert (answer.status_code, answer.text) == (200, index)
        assert answer.headers.get("content-encoding", "identity") == encoding
    assert fetch(network, canister, "/assets/logo.png", "gzip").content.startswith(b"\x89PNG")
    assert fetch(network, canister, "/nothing").status_code == 404
    facts = json.loads(fetch(network, canister, "/config.json").text)
    assert facts["rootKey"] == (network.root_key or b"").hex()
    assert facts["identityProvider"] == f"http://id.ai.localhost:{network.url.rpartition(':')[2]}/authorize"

    (built_page / "index.html").write_text("changed")
    (built_page / "assets" / "logo.png").unlink()
    network, again, put = published(network, built_page)
    assert (again, put) == (canister, 2)
    assert fetch(network, canister, "/").text == "changed"
    assert fetch(network, canister, "/assets/logo.png").status_code == 404


def test_an_upgrade_keeps_the_page_and_its_certification(network: Network, built_page: Path) -> None:
    from leasehold.management import Management

    network, canister, _ = published(network, built_page)
    with network.agent(OWNER) as agent:
        Management(agent).upgrade(canister, build("frontend").module)
    assert fetch(network, canister, "/").status_code == 200


def test_only_a_controller_changes_the_page(network: Network, built_page: Path) -> None:
    network, canister, _ = published(network, built_page)
    body = b"forged"
    asset = {
        "path": "/index.html",
        "content_type": "text/html",
        "content_encoding": "identity",
        "body": body,
        "sha256": hashlib.sha256(body).digest(),
    }
    with network.agent(Identity.generate()) as agent:
        stranger = agent.canister(canister, load_interface("frontend"))
        for method, argument in (("put_asset", asset), ("keep_assets", [])):
            with pytest.raises(RejectedError, match="only a controller"):
                stranger.call(method, argument)
    with network.agent(OWNER) as agent:
        own = agent.canister(canister, load_interface("frontend"))
        refused = own.put_asset({**asset, "path": "no/slash"})
        assert refused["Err"]["InvalidArgument"]["field"] == "path"
    assert fetch(network, canister, "/").text != "forged"


def test_what_cannot_be_served_is_said_before_anything_is_sent(built_page: Path, tmp_path: Path) -> None:
    (built_page / "tool.exe").write_bytes(b"MZ")
    with pytest.raises(ConfigurationError, match="tool.exe cannot be served"):
        list(page_files(built_page))
    with pytest.raises(ConfigurationError, match="not built"):
        list(page_files(tmp_path / "nowhere"))
