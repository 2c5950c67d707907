"""The page's built canister behind the gateway: published, verified, upgraded, and only by its controller."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from cdk.build import build
from leasehold.agent import Identity, Principal, RejectedError
from leasehold.cli import main
from leasehold.errors import ConfigurationError
from leasehold.interfaces import load_interface
from leasehold.network import Network
from leasehold.roles.page import create_page, page_files, page_url, publish_page
from tests.network import open_network

OWNER = Identity.generate()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with open_network() as host:
        canisters = dict.fromkeys(("marketplace", "vault", "ledger"), "aaaaa-aa")
        yield Network(host.url, canisters, host.root_key, tmp_path / ".leasehold")


def published(network: Network, folder: Path) -> tuple[Network, Principal, int]:
    canister = create_page(network, OWNER)
    network, put = publish_page(network, OWNER, canister, build("frontend").packed, folder)
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
    host = {"host": page_url(network, canister).removeprefix("http://")}
    head = httpx.head(network.url, headers=host, trust_env=False)
    assert (head.status_code, head.content) == (200, b"")
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
        Management(agent).upgrade(canister, build("frontend").packed)
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
    with pytest.raises(ConfigurationError, match=r"tool\.exe cannot be served"):
        list(page_files(built_page))
    with pytest.raises(ConfigurationError, match="not built"):
        list(page_files(tmp_path / "nowhere"))


def test_the_command_line_deploys_canisters_and_page(
    built_page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEASEHOLD_HOME", str(tmp_path / "home"))
    folder = tmp_path / ".leasehold"
    arguments = ["deploy", "--page", str(built_page), "--folder", str(folder), "--network"]
    with open_network() as host:
        assert CliRunner().invoke(main, ["identity", "new", "default", "-q"]).exit_code == 0
        done = CliRunner().invoke(main, [*arguments, host.url])
        assert done.exit_code == 0, done.output
        ids = json.loads((folder / "canisters.json").read_text())["local"]
        port = host.url.rpartition(":")[2]
        assert f"web page: http://{ids['frontend']}.localhost:{port} (7 files put)" in done.output
        network = Network(host.url, ids, None, folder)
        facts = json.loads(fetch(network, Principal.parse(ids["frontend"]), "/config.json").text)
        assert facts["canisters"]["marketplace"] == ids["marketplace"]
        assert facts["rootKey"] == host.root_key.hex()
        again = CliRunner().invoke(main, [*arguments, host.url])
        assert "(0 files put)" in again.output
        assert json.loads((folder / "canisters.json").read_text())["local"] == ids
