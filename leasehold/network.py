"""Which network is talked to, and where our canisters are on it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from leasehold.agent import Agent, Identity, Principal
from leasehold.agent.boundary import is_loopback
from leasehold.errors import ConfigurationError
from leasehold.ledger import Ledger
from leasehold.marketplace import Marketplace
from leasehold.vault import Vault

FOLDER_VARIABLE = "LEASEHOLD_FOLDER"
DEFAULT_FOLDER = Path(os.environ.get(FOLDER_VARIABLE) or ".leasehold")
CANISTERS_FILE = "canisters.json"
DEVNET_STATUS = Path("devnet") / "status.json"
NETWORK_VARIABLE = "LEASEHOLD_NETWORK"
ROOT_KEY_VARIABLE = "LEASEHOLD_ROOT_KEY"

MAINNET_URL = "https://icp-api.io"
_NAMES = {"mainnet": MAINNET_URL, "ic": MAINNET_URL}
LOCAL = "local"


class _DevnetStatus(BaseModel):
    # What a local node writes about itself once it answers.
    model_config = ConfigDict(extra="ignore")
    url: str
    root_key: str


class _CanisterIds(RootModel[dict[str, dict[str, str]]]):
    # Network name, canister name, principal.
    pass


@dataclass(frozen=True)
class Client:
    """Our canisters, as one identity sees them. Close it, or use it in `with`."""

    agent: Agent
    marketplace: Marketplace
    vault: Vault
    ledger: Ledger

    @property
    def identity(self) -> Identity:
        """Who calls."""
        return self.agent.identity

    @property
    def principal(self) -> Principal:
        """The caller's principal."""
        return self.agent.identity.principal

    def with_identity(self, identity: Identity) -> "Client":
        """The same canisters over the same connections, as another identity."""
        return _client(self.agent.with_identity(identity), self.marketplace.id, self.vault.id, self.ledger.id)

    def close(self) -> None:
        """Close the connections."""
        self.agent.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Network:
    """A network.

    Args:
        url: where it is.
        canisters: principals of our canisters on it, by name, as text.
        root_key: DER; `None` to use mainnet's own or ask a node on this machine.
        folder: where `canisters.json` lies.
    """

    url: str
    canisters: Mapping[str, str]
    root_key: bytes | None = None
    folder: Path = DEFAULT_FOLDER

    @classmethod
    def load(
        cls, url: str | None = None, folder: Path | None = None, environment: Mapping[str, str] = os.environ
    ) -> "Network":
        """The network that was asked for: argument, `$LEASEHOLD_NETWORK`, or the running devnet.

        Args:
            url: a URL, `mainnet`, or `local` for the devnet.
            folder: of `canisters.json` and the devnet's status, `.leasehold` by default.

        Raises:
            ConfigurationError: there is none, or a file is malformed.
        """
        folder = folder or DEFAULT_FOLDER
        wanted = url or environment.get(NETWORK_VARIABLE) or LOCAL
        root_key = _root_key(environment.get(ROOT_KEY_VARIABLE))
        if wanted == LOCAL:
            status = _devnet_status(folder)
            wanted = status.url
            root_key = root_key or bytes.fromhex(status.root_key)
        wanted = _NAMES.get(wanted, wanted).rstrip("/")
        if "://" not in wanted:
            known = ", ".join((LOCAL, *_NAMES))
            raise ConfigurationError(f"{wanted!r} is no network; give a URL or one of {known}")
        ids = _read_ids(folder / CANISTERS_FILE).get(name_of(wanted), {})
        return cls(wanted, ids, root_key, folder)

    def with_canisters(self, canisters: Mapping[str, str]) -> "Network":
        """The same network with these canisters, recorded in `canisters.json`."""
        path = self.folder / CANISTERS_FILE
        ids = _read_ids(path)
        ids[name_of(self.url)] = dict(canisters)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(ids, indent=2, sort_keys=True) + "\n")
        partial.replace(path)
        return Network(self.url, dict(canisters), self.root_key, self.folder)

    def agent(self, identity: Identity = Identity.ANONYMOUS) -> Agent:
        """An agent on this network."""
        return Agent(self.url, identity, self.root_key)

    def connect(self, identity: Identity = Identity.ANONYMOUS) -> Client:
        """Our canisters on this network.

        Raises:
            ConfigurationError: they are not deployed, or it is not known where.
        """
        try:
            ids = {name: Principal.parse(self.canisters[name]) for name in ("marketplace", "vault", "ledger")}
        except KeyError as error:
            raise ConfigurationError(
                f"no {error.args[0]} canister is known on {self.url}; run `leasehold deploy`, or put its id "
                f"into {self.folder / CANISTERS_FILE}"
            ) from error
        return _client(self.agent(identity), ids["marketplace"], ids["vault"], ids["ledger"])


def name_of(url: str) -> str:
    """The name under which a network's canisters are recorded: `local`, or its URL."""
    return LOCAL if is_loopback(url) else url


def _client(agent: Agent, marketplace: Principal, vault: Principal, ledger: Principal) -> Client:
    return Client(agent, Marketplace(agent, marketplace), Vault(agent, vault), Ledger(agent, ledger))


def _devnet_status(folder: Path) -> _DevnetStatus:
    path = folder / DEVNET_STATUS
    try:
        return _DevnetStatus.model_validate_json(path.read_text())
    except FileNotFoundError as error:
        raise ConfigurationError(
            "no local devnet is running here; start one with `leasehold devnet start --detach`, "
            f"or name a network with --network or ${NETWORK_VARIABLE}"
        ) from error
    except (OSError, ValidationError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def _read_ids(path: Path) -> dict[str, dict[str, str]]:
    try:
        return _CanisterIds.model_validate_json(path.read_text()).root
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def _root_key(text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ConfigurationError(f"${ROOT_KEY_VARIABLE} is not hexadecimal") from error
