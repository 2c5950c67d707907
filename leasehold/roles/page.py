"""Publishing the web page: its canister, its files, and the configuration that tells it what is where."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from leasehold.agent import Canister, Identity, Principal
from leasehold.agent.boundary import is_loopback
from leasehold.errors import ConfigurationError
from leasehold.interfaces import load_interface
from leasehold.management import EMPTY_ARGUMENTS, Management
from leasehold.network import Network

CANISTER = "frontend"
CONFIGURATION = "/config.json"
MAINNET_IDENTITY_PROVIDER = "https://id.ai/authorize"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
# What Internet Identity and gateways look for; they have no ending.
_WELL_KNOWN = {
    "/.well-known/ic-domains": "text/plain; charset=utf-8",
    "/.well-known/ii-alternative-origins": "application/json",
}
_COMPRESSED = (".html", ".js", ".css", ".json", ".svg")
_GZIP_LEVEL = 9


@dataclass(frozen=True)
class PageFile:
    """One encoding of one path, ready to be put."""

    path: str
    content_type: str
    encoding: str
    body: bytes

    @property
    def sha256(self) -> bytes:
        """Of the body as it is sent."""
        return hashlib.sha256(self.body).digest()


def page_url(network: Network, canister: Principal) -> str:
    """Where the page of a canister is seen."""
    if not is_loopback(network.url):
        return f"https://{canister}.icp0.io"
    return f"http://{canister}.localhost:{urlsplit(network.url).port}"


def identity_provider(network: Network) -> str:
    """The sign-in page of a network: the development one locally, Internet Identity elsewhere."""
    if not is_loopback(network.url):
        return MAINNET_IDENTITY_PROVIDER
    return f"http://id.ai.localhost:{urlsplit(network.url).port}/authorize"


def create_page(network: Network, identity: Identity) -> Principal:
    """The page's canister, made if the network does not know one yet; it holds nothing before `publish_page`.

    Raises:
        ConfigurationError: canisters cannot be created on that network.
    """
    if known := network.canisters.get(CANISTER):
        return Principal.parse(known)
    if not is_loopback(network.url):
        raise ConfigurationError(
            f"creating canisters on {network.url} costs cycles: create {CANISTER!r} with `icp canister "
            "create` and put its id into canisters.json"
        )
    with network.agent(identity) as agent:
        return Management(agent).create()


def publish_page(
    network: Network, identity: Identity, canister: Principal, module: bytes, folder: Path
) -> tuple[Network, int]:
    """Install the page's canister and put what differs from `folder`.

    Args:
        identity: a controller of the canister.
        folder: the built page; `/config.json` is made here.

    Returns:
        the network with the canister recorded, and how many files were put.

    Raises:
        ConfigurationError: the page is not built, or holds a file that cannot be served.
    """
    files = list(page_files(folder))
    with network.agent(identity) as agent:
        files += _encodings(CONFIGURATION, configuration(network, agent.root_key))
        management = Management(agent)
        installed = management.status(canister).module_hash
        if installed is None:
            management.install(canister, module, EMPTY_ARGUMENTS)
        elif installed != hashlib.sha256(module).digest():
            management.upgrade(canister, module)
        put = _put(agent.canister(canister, load_interface(CANISTER)), files)
    return network.with_canisters({**network.canisters, CANISTER: str(canister)}), put


def configuration(network: Network, root_key: bytes) -> bytes:
    """What the page must know, as JSON; the root key only where it is not mainnet's."""
    facts = {
        "canisters": {name: network.canisters[name] for name in ("marketplace", "vault", "ledger")},
        "identityProvider": identity_provider(network),
    }
    if is_loopback(network.url):
        facts["rootKey"] = root_key.hex()
    return json.dumps(facts, indent=2).encode() + b"\n"


def page_files(folder: Path) -> Iterator[PageFile]:
    """Every file of a built page, plain and compressed.

    Raises:
        ConfigurationError: there is no `index.html`, or a file of a type that is not served.
    """
    if not (folder / "index.html").is_file():
        raise ConfigurationError(f"the page is not built: {folder} has no index.html; run `make page`")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield from _encodings("/" + file.relative_to(folder).as_posix(), file.read_bytes())


def _encodings(path: str, body: bytes) -> Iterator[PageFile]:
    suffix = Path(path).suffix
    content_type = _WELL_KNOWN.get(path) or _TYPES.get(suffix)
    if content_type is None:
        raise ConfigurationError(f"{path} cannot be served; known endings are {', '.join(sorted(_TYPES))}")
    yield PageFile(path, content_type, "identity", body)
    if suffix in _COMPRESSED:
        yield PageFile(path, content_type, "gzip", gzip.compress(body, _GZIP_LEVEL, mtime=0))


def _put(page: Canister, files: list[PageFile]) -> int:
    there = {(one["path"], one["content_encoding"]): one["sha256"] for one in page.assets()}
    changed = [file for file in files if there.get((file.path, file.encoding)) != file.sha256]
    for file in changed:
        answer = page.put_asset(
            {
                "path": file.path,
                "content_type": file.content_type,
                "content_encoding": file.encoding,
                "body": file.body,
                "sha256": file.sha256,
            }
        )
        if "Err" in answer:
            raise ConfigurationError(f"{file.path} was refused: {answer['Err']}")
    # Only now, so that a page that is open finds its files until the new ones are all there.
    page.keep_assets([file.path for file in files])
    return len(changed)
