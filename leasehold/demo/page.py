"""The demo's web page: shown when the demo is kept open and the page is built."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from leasehold.agent import Identity, Principal
from leasehold.demo.stage import Stage
from leasehold.errors import ConfigurationError
from leasehold.network import Network
from leasehold.roles.deployer import build_module
from leasehold.roles.page import create_page, page_url, publish_page

BUILT = Path("frontend") / "dist"
RENTER = "renter"


def built_page() -> Path | None:
    """The built page's folder, if there is one."""
    root = Path(__file__).parent.parent.parent
    return next((at / BUILT for at in (Path.cwd(), root) if (at / BUILT / "index.html").is_file()), None)


@dataclass(frozen=True)
class DemoPage:
    """A page whose development sign-in offers the demo's renter."""

    canister: Principal
    deployer: Identity
    folder: Path
    url: str
    renter: Identity

    @classmethod
    def prepare(cls, stage: Stage, network: Network, deployer: Identity, folder: Path) -> Self:
        """Make the canister, and the identity with which its pages will see the renter."""
        canister = create_page(network, deployer)
        url = page_url(network, canister)
        renter = _sign_in_identity(stage.devnet_state, url)
        stage.identities.save(RENTER, renter)
        return cls(canister, deployer, folder, url, renter)

    def publish(self, network: Network, build: Path) -> Network:
        """Install the canister and put the page; answers the network with the canister recorded."""
        module = build_module("frontend", build).read_bytes()
        return publish_page(network, self.deployer, self.canister, module, self.folder)[0]


def _sign_in_identity(devnet_state: Path, origin: str) -> Identity:
    command = [sys.executable, "-m", "devnet", "identity", RENTER, "--origin", origin]
    done = subprocess.run(
        [*command, "--state", str(devnet_state)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ConfigurationError(f"the sign-in page has no identity for the renter: {done.stderr.strip()}")
    return Identity.from_pem(done.stdout.encode())
