"""Fixtures: real modules, the real client, a SIMULATED machine, a tiny model in the genuine layout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from leasehold.agent import Identity
from leasehold.network import Network
from leasehold.roles.deployer import DeployOptions, deploy
from tests.e2e.market import ROLES, TOKEN, Market
from tests.network import open_network, remove_when_given
from tests.tiny_models import save_classifier


@pytest.fixture(scope="session")
def modules() -> dict[str, bytes]:
    """The canisters' modules, built from source."""
    from cdk.build import build

    return {name: build(name).packed for name in ("ledger", "vault", "marketplace")}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = []
    for i in range(24):
        word, label = (("good", "up"), ("fine", "up"), ("bad", "down"), ("poor", "down"))[i % 4]
        text = f"the {('day', 'movie')[i % 2]} is {('very', 'so')[i // 2 % 2]} {word}"
        rows.append({"text": text, "label": label, "split": "test" if i >= 20 else "train"})
    path = tmp_path_factory.mktemp("reviews") / "reviews.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def market(modules: dict[str, bytes], tiny_model: Path, reviews: Path, tmp_path: Path) -> Iterator[Market]:
    """A fresh, funded market."""
    people = {role: Identity.generate() for role in ROLES}
    with open_network() as host:
        network = Network(url=host.url, canisters={}, root_key=host.root_key, folder=tmp_path / ".leasehold")
        balances = {people[role].principal: 100 * TOKEN for role in ("renter", "operator", "stranger")}
        options = DeployOptions(initial_balances=balances)
        network, _ = deploy(network, people["deployer"], modules, options)
        with network.connect(people["deployer"]) as first:
            clients = {role: first.with_identity(identity) for role, identity in people.items()}
            opened = Market(host, network, clients, tiny_model, reviews, tmp_path)
            opened.open()
            yield opened
            opened.check_the_book()
        remove_when_given(network, people["deployer"])
