"""The demo's page: its renter is who the development sign-in offers there."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from leasehold.demo.page import RENTER, DemoPage
from leasehold.demo.stage import Stage
from leasehold.network import Network
from tests.network import skipped_when_given


@skipped_when_given("signs in with keys of the node's development sign-in")
def test_the_demos_renter_can_sign_in_on_its_page(tmp_path: Path, built_page: Path) -> None:
    with Stage(tmp_path / "demo") as stage:
        network = stage.start_network()
        page = DemoPage.prepare(stage, network, stage.identity("deployer"), built_page)
        ids = dict.fromkeys(("marketplace", "vault", "ledger"), "aaaaa-aa")
        network = page.publish(
            Network(network.url, ids, network.root_key, network.folder), tmp_path / "build"
        )
        port = network.url.rpartition(":")[2]
        offered = httpx.get(
            f"{network.url}/identities",
            params={"origin": page.url},
            headers={"host": f"id.ai.localhost:{port}"},
            trust_env=False,
        ).json()
        assert offered == [{"name": RENTER, "principal": str(page.renter.principal)}]
        assert stage.identities.load(RENTER).principal == page.renter.principal
        config = httpx.get(
            f"{network.url}/config.json", headers={"host": page.url.removeprefix("http://")}, trust_env=False
        )
        assert config.status_code == 200
        assert json.loads((network.folder / "canisters.json").read_text())["local"]["frontend"]
