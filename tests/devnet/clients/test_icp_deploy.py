"""`icp deploy` with the repository's own `icp.yaml`, on a network that `icp network start` started."""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devnet.node import Node
from tests.devnet.clients.icp_cli import ROOT, Icp
from tests.devnet.whoami import field_id

pytestmark = pytest.mark.xdist_group("icp-deploy")

SOURCES = (".venv", "attestation", "canisters", "cdk", "pyproject.toml")
NAMES = ("ledger", "vault", "marketplace", "frontend")
PORT, URL = "port: 4943", "http://127.0.0.1:4943"


def project(folder: Path, url: str = URL) -> Icp:
    """A copy of the project, but for the port: another network may be running on the usual one."""
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("icp.yaml builds with .venv, which `make setup` makes")
    icp = Icp(folder)
    manifest = (ROOT / "icp.yaml").read_text()
    assert (manifest.count(PORT), manifest.count(URL)) == (1, 1)
    (icp.project / "icp.yaml").write_text(manifest.replace(PORT, "port: 0").replace(URL, url))
    for name in SOURCES:
        (icp.project / name).symlink_to(ROOT / name)
    icp.new_identity("alice")
    return icp


@pytest.fixture(scope="module")
def icp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Icp]:
    """The project with its network running."""
    icp = project(tmp_path_factory.mktemp("project"))
    try:
        icp("network", "start", "--background")
        yield icp
    finally:
        icp.run("network", "stop")


def first_deployment() -> str:
    """The commands of the documentation."""
    found = re.search(r"```sh deploy\n(.*?)```", (ROOT / "docs" / "devnet.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def upgrades(icp: Icp, canister: str) -> int:
    """How often a canister's history says that it was upgraded."""
    proxy = icp.json("network", "status")["proxy_canister_principal"]
    argument = (
        f'(record {{ canister_id = principal "{canister}"; num_requested_changes = opt (20 : nat64) }})'
    )
    shown = icp("canister", "call", "aaaaa-aa", "canister_info", argument, "--proxy", proxy, identity="alice")
    # The command line knows no names of this interface, so it shows their hashes.
    return shown.count(f"{field_id('upgrade'):_}")


def test_the_first_deploy_takes_no_arguments_and_the_second_keeps_the_state(icp: Icp) -> None:
    icp("identity", "default", "alice")
    (icp.project / "bin").mkdir()
    (icp.project / "bin" / "icp").symlink_to(icp.program)
    path = f"{icp.project / 'bin'}:{icp.environment['PATH']}"
    deployed = subprocess.run(
        ["bash", "-euc", first_deployment()],
        cwd=icp.project,
        env=icp.environment | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert deployed.returncode == 0, deployed.stderr
    ids = {name: icp("canister", "status", name, "--id-only") for name in NAMES}
    alice = icp.principal("alice")
    for told in (f'ledger = principal "{ids["ledger"]}"', f'vault = principal "{ids["vault"]}"'):
        assert told in deployed.stdout
    assert f'treasury = principal "{alice}"' in deployed.stdout and "simulated = true" in deployed.stdout

    friend = 'record { owner = principal "aaaaa-aa" }'
    ledger = ("canister", "call", "ledger")
    minted = icp(*ledger, "icrc1_transfer", f"(record {{ to = {friend}; amount = 40 }})", identity="alice")
    assert "Ok" in minted
    assert "listings" in icp("canister", "metadata", "marketplace", "candid:service")

    answer = icp("deploy", "--yes", *ids, identity="alice")
    assert all(ids[name] in answer for name in ids if name != "frontend"), answer
    # The gateway knows a site by the name that the command line shows.
    found = re.search(r"http://(frontend\.local\.localhost:(\d+))/", answer)
    assert found, answer
    page = httpx.get(f"http://127.0.0.1:{found[2]}/", headers={"host": found[1]}, trust_env=False)
    assert page.headers["x-ic-canister-id"] == ids["frontend"]
    for name, canister in ids.items():
        status = icp.json("canister", "status", name, identity="alice")
        artifact = (icp.project / ".icp" / "cache" / "artifacts" / name).read_bytes()
        assert status["id"] == canister
        assert status["module_hash"].removeprefix("0x") == hashlib.sha256(artifact).hexdigest()
        assert upgrades(icp, canister) == 1
    assert icp(*ledger, "icrc1_balance_of", f"({friend})", "--query") == "(40 : nat)"
    assert icp(*ledger, "icrc1_symbol", "()", "--query") == '("LHT")'


def test_tokens_of_our_ledger_are_moved_by_the_token_commands(icp: Icp) -> None:
    icp("identity", "default", "alice")
    icp("deploy", "--yes")
    bob = icp.new_identity("bob")
    token = ("token", icp("canister", "status", "ledger", "--id-only"))
    # Alice installed it, so that what she sends is minted.
    assert "Transferred 1.50000000 LHT" in icp(*token, "transfer", "1.5", bob)
    assert icp(*token, "balance", "--quiet", identity="bob") == "1.50000000 LHT"
    icp(*token, "transfer", "0.25", "aaaaa-aa", identity="bob")
    assert icp(*token, "balance", "--quiet", identity="bob") == "1.24990000 LHT"
    refused = icp.fails(*token, "transfer", "2", "aaaaa-aa", identity="bob")
    assert "insufficient funds" in refused.lower()


def test_settings_of_the_project_file_are_restored(icp: Icp) -> None:
    icp("identity", "default", "alice")
    icp("deploy", "--yes")
    manifest = icp.project / "icp.yaml"
    before = manifest.read_text()
    named = "  - name: vault\n    build:"
    assert before.count(named) == 1
    wanted = "  - name: vault\n    settings: { freezing_threshold: 3456000 }\n    build:"
    manifest.write_text(before.replace(named, wanted))
    try:
        icp("canister", "settings", "sync", "vault")
    finally:
        manifest.write_text(before)
    shown = icp.json("canister", "settings", "show", "vault")
    assert shown["freezing_threshold"] == [3_456_000]


def test_the_marketplace_is_installed_by_one_message(icp: Icp) -> None:
    icp("identity", "default", "alice")
    icp("deploy", "--yes", identity="alice")
    again = icp.run("deploy", "marketplace", "--mode", "reinstall", "--yes", "--debug")
    assert again.returncode == 0
    assert "Installing wasm for marketplace using install_code" in again.stderr
    assert "chunk" not in again.stderr


def test_an_argument_takes_the_place_of_a_default(icp: Icp) -> None:
    icp("deploy", "--yes", identity="alice")
    argument = '(opt record { treasury = opt principal "aaaaa-aa"; allow_simulated = opt false })'
    deploy = ("deploy", "marketplace", "--mode", "reinstall", "--yes", "--args", argument)
    icp(*deploy, identity="alice")
    status = icp("canister", "call", "marketplace", "status", "()", "--query")
    assert 'treasury = principal "aaaaa-aa"' in status and "simulated = false" in status


def test_the_project_is_deployed_to_a_node_that_runs_already(tmp_path: Path) -> None:
    """Identities that this node does not know yet are funded by the anonymous one."""
    with Node.start() as node:
        icp = project(tmp_path, node.url)
        there = ("-e", "devnet")
        refused = icp.fails("canister", "create", "vault", *there, identity="alice")
        assert "Insufficient cycles" in refused
        icp("cycles", "transfer", "20t", icp.principal("alice"), *there, identity="anonymous")
        icp("deploy", *there, identity="alice")
        status = icp("canister", "call", "marketplace", "status", "()", "--query", *there)
        assert f'treasury = principal "{icp.principal("alice")}"' in status and "simulated = true" in status
        told = '(record { marketplace = principal "aaaaa-aa" })'  # as before arguments were optional
        deploy = ("deploy", "vault", "--mode", "reinstall", "--yes", "--args", told)
        icp(*deploy, *there, identity="alice")
        found = icp("canister", "metadata", "vault", "candid:service", *there)
        assert "begin_upload" in found


def test_a_vault_that_nobody_told_its_marketplace_is_not_installed(tmp_path: Path) -> None:
    with Node.start() as node:
        icp = project(tmp_path, node.url)
        there = ("-e", "devnet")
        icp("cycles", "transfer", "5t", icp.principal("alice"), *there, identity="anonymous")
        icp("canister", "create", "vault", *there, identity="alice")
        icp("build", "vault")
        refused = icp.fails("canister", "install", "vault", *there, identity="alice")
        assert "the vault must know its marketplace" in refused
