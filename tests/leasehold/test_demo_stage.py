"""The demo on a network that somebody else started: used as it is, and left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from leasehold.demo.stage import Stage
from leasehold.errors import ConfigurationError

ROOT_KEY = bytes(133)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEASEHOLD_ROOT_KEY", ROOT_KEY.hex())
    return tmp_path / "demo"


def test_a_given_network_is_neither_started_nor_stopped(folder: Path) -> None:
    with Stage(folder, given="http://localhost:1/") as stage:
        network = stage.start_network()
    assert (network.url, network.root_key, network.canisters) == ("http://localhost:1", ROOT_KEY, {})
    assert network.folder == stage.data
    assert not stage.devnet_state.exists()


@pytest.mark.parametrize("url", ["mainnet", "https://icp0.io"])
def test_a_network_elsewhere_is_refused(folder: Path, url: str) -> None:
    with Stage(folder, given=url) as stage, pytest.raises(ConfigurationError, match="on this machine"):
        stage.start_network()
