"""Deploying our canisters: build, create, install or upgrade, and record where they are."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leasehold.agent import Agent, Identity, Principal, RejectedError
from leasehold.agent.boundary import is_loopback
from leasehold.errors import ConfigurationError
from leasehold.interfaces import CANISTERS, load_interface
from leasehold.management import EMPTY_ARGUMENTS, Management
from leasehold.models import Model
from leasehold.network import DEFAULT_FOLDER, Network

_NO_SUCH_CANISTER = 3

BUILD_FOLDER = DEFAULT_FOLDER / "build"

# Called with a canister's name, what is being done, bytes done and bytes in all.
DeployProgress = Callable[[str, str, int, int], None]


class BuildError(ConfigurationError):
    """The canister compiler failed."""


@dataclass(frozen=True)
class DeployOptions:
    """Choices that are made once, when a canister is installed first.

    Args:
        token_name, token_symbol, decimals, transfer_fee: of the local ledger, in its base unit.
        platform_basis_points: the platform's share of a rental.
        vetkd_key_name: `test_key_1` locally, `key_1` on mainnet.
        allow_simulated: whether policies may accept simulated TEEs.
        review_window_s: how long a renter may dispute a result.
        arbiter, treasury: the deployer by default.
    """

    token_name: str = "Leasehold Test Token"
    token_symbol: str = "LHT"
    decimals: int = 8
    transfer_fee: int = 10_000
    platform_basis_points: int = 250
    vetkd_key_name: str = "test_key_1"
    allow_simulated: bool = True
    review_window_s: int = 24 * 3600
    arbiter: Principal | None = None
    treasury: Principal | None = None
    initial_balances: Mapping[Principal, int] = field(default_factory=dict)


class Deployed(Model):
    """A canister after deployment; `action` is `installed`, `upgraded` or `unchanged`."""

    name: str
    canister_id: Principal
    action: str
    module_sha256: str
    module_bytes: int


def build_module(name: str, out: Path = BUILD_FOLDER) -> Path:
    """Compile a canister with cdk.

    Raises:
        BuildError: with what the compiler said.
    """
    command = [sys.executable, "-m", "cdk", "build", name, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    module = out / f"{name}.wasm.gz"
    if done.returncode != 0 or not module.is_file():
        raise BuildError(f"building {name!r} failed:\n{(done.stderr or done.stdout).strip()}")
    return module


def deploy(
    network: Network,
    identity: Identity,
    modules: Mapping[str, bytes],
    options: DeployOptions | None = None,
    progress: DeployProgress | None = None,
) -> tuple[Network, list[Deployed]]:
    """Bring our canisters onto a network. Running it again changes nothing, or upgrades what differs.

    Args:
        identity: becomes controller, governor and, on the local ledger, the minter.
        modules: Wasm, gzipped or not, of `ledger`, `vault` and `marketplace`.

    Returns:
        the network with the canisters' ids, which are also written to `canisters.json`.

    Raises:
        ConfigurationError: a module is missing, or canisters cannot be created on that network.
    """
    if missing := [name for name in CANISTERS if name not in modules]:
        raise ConfigurationError(f"no module of {', '.join(missing)} was given")
    options = options or DeployOptions()
    with network.agent(identity) as agent:
        deployment = _Deployment(agent, progress or (lambda name, action, done, total: None))
        known = {name: deployment.existing(network.canisters.get(name)) for name in CANISTERS}
        ids = {name: known[name] or deployment.create(name) for name in CANISTERS}
        # Recorded before anything is installed, so that an interrupted deployment goes on with the same ids.
        network = network.with_canisters(
            {**network.canisters, **{name: str(canister) for name, canister in ids.items()}}
        )
        arguments = init_arguments(ids, identity.principal, options)
        results = [deployment.bring(name, ids[name], modules[name], arguments[name]) for name in CANISTERS]
    return network, results


def init_arguments(
    ids: Mapping[str, Principal], deployer: Principal, options: DeployOptions
) -> dict[str, dict[str, Any]]:
    """Install arguments of each canister, as `leasehold.agent` takes them."""
    ledger = {
        "minting_account": {"owner": deployer, "subaccount": None},
        "token_name": options.token_name,
        "token_symbol": options.token_symbol,
        "decimals": options.decimals,
        "transfer_fee": options.transfer_fee,
        "initial_balances": [
            ({"owner": owner, "subaccount": None}, amount)
            for owner, amount in options.initial_balances.items()
        ],
    }
    marketplace = {
        "ledger": ids["ledger"],
        "vault": ids["vault"],
        "governors": [deployer],
        "arbiter": options.arbiter or deployer,
        "treasury": options.treasury or deployer,
        "platform_basis_points": options.platform_basis_points,
        "vetkd_key_name": options.vetkd_key_name,
        "allow_simulated": options.allow_simulated,
        "review_window_s": options.review_window_s,
    }
    return {"ledger": ledger, "vault": {"marketplace": ids["marketplace"]}, "marketplace": marketplace}


class _Deployment:
    def __init__(self, agent: Agent, progress: DeployProgress) -> None:
        self._agent = agent
        self._management = Management(agent)
        self._progress = progress

    def existing(self, recorded: str | None) -> Principal | None:
        # A recorded id counts only if this network still knows it: a local one may have been wiped.
        if recorded is None:
            return None
        canister = Principal.parse(recorded)
        try:
            self._management.status(canister)
        except RejectedError as error:
            if error.code == _NO_SUCH_CANISTER and is_loopback(self._agent.url):
                return None
            who = self._agent.identity.principal
            raise ConfigurationError(
                f"{who} does not control canister {canister}; choose its controller with --identity, or "
                "remove it from canisters.json"
            ) from error
        return canister

    def create(self, name: str) -> Principal:
        if not is_loopback(self._agent.url):
            raise ConfigurationError(
                f"creating canisters on {self._agent.url} costs cycles: create {name!r} with `icp canister "
                "create`, put its id into canisters.json, and deploy again"
            )
        self._progress(name, "creating", 0, 1)
        return self._management.create()

    def bring(self, name: str, canister: Principal, module: bytes, arguments: dict[str, Any]) -> Deployed:
        digest = hashlib.sha256(module).digest()
        installed = self._management.status(canister).module_hash

        def report(done: int, total: int) -> None:
            self._progress(name, "installing" if installed is None else "upgrading", done, total)

        if installed == digest:
            action = "unchanged"
        elif installed is None:
            encoded = load_interface(name).encode_init(arguments) if arguments else EMPTY_ARGUMENTS
            self._management.install(canister, module, encoded, progress=report)
            action = "installed"
        else:
            self._management.upgrade(canister, module, progress=report)
            action = "upgraded"
        return Deployed(
            name=name,
            canister_id=canister,
            action=action,
            module_sha256=digest.hex(),
            module_bytes=len(module),
        )
