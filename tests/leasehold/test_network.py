import json
from pathlib import Path

import pytest

from leasehold.errors import ConfigurationError
from leasehold.network import MAINNET_URL, Network

ID = "rrkah-fqaaa-aaaaa-aaaaq-cai"
IDS = {"ledger": ID, "vault": ID, "marketplace": ID}


def devnet_in(folder: Path, **status: object) -> None:
    (folder / "devnet").mkdir()
    (folder / "devnet" / "status.json").write_text(json.dumps(status))


def test_the_running_devnet_is_found(tmp_path: Path) -> None:
    devnet_in(tmp_path, pid=1, port=5000, url="http://127.0.0.1:5000", root_key="aabb", state="x")
    network = Network.load(folder=tmp_path, environment={})
    assert (network.url, network.root_key) == ("http://127.0.0.1:5000", b"\xaa\xbb")


def test_the_argument_goes_before_the_environment(tmp_path: Path) -> None:
    environment = {"LEASEHOLD_NETWORK": "https://one.example", "LEASEHOLD_ROOT_KEY": "0102"}
    assert Network.load(folder=tmp_path, environment=environment).url == "https://one.example"
    network = Network.load("https://two.example/", tmp_path, environment)
    assert (network.url, network.root_key) == ("https://two.example", b"\x01\x02")
    assert Network.load("mainnet", tmp_path, {}).url == MAINNET_URL


def test_canisters_are_recorded_by_network(tmp_path: Path) -> None:
    Network.load("http://127.0.0.1:1", tmp_path, {}).with_canisters(IDS)
    assert Network.load("http://localhost:2", tmp_path, {}).canisters == IDS
    assert Network.load("mainnet", tmp_path, {}).canisters == {}
    Network.load("mainnet", tmp_path, {}).with_canisters({"ledger": ID})
    assert set(json.loads((tmp_path / "canisters.json").read_text())) == {"local", MAINNET_URL}


def test_without_a_network_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="leasehold devnet start --detach"):
        Network.load(folder=tmp_path, environment={})
    with pytest.raises(ConfigurationError, match="'nonsense' is no network"):
        Network.load("nonsense", tmp_path, {})


def test_without_canisters_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no marketplace canister is known .* `leasehold deploy`"):
        Network.load("http://127.0.0.1:1", tmp_path, {}).connect()


@pytest.mark.parametrize("content", ["", "[]", '{"local": 5}', '{"local": {"ledger": 5}}'])
def test_a_malformed_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "canisters.json").write_text(content)
    with pytest.raises(ConfigurationError, match=r"canisters\.json cannot be read"):
        Network.load("http://127.0.0.1:1", tmp_path, {})


def test_a_malformed_status_or_root_key_is_named(tmp_path: Path) -> None:
    devnet_in(tmp_path, url=5)
    with pytest.raises(ConfigurationError, match=r"status\.json cannot be read"):
        Network.load(folder=tmp_path, environment={})
    with pytest.raises(ConfigurationError, match="LEASEHOLD_ROOT_KEY is not hexadecimal"):
        Network.load("mainnet", tmp_path, {"LEASEHOLD_ROOT_KEY": "xyz"})
