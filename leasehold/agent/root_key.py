"""The key that everything of a network is signed under."""

from leasehold.agent import bls
from leasehold.agent.boundary import Boundary, describe, is_loopback
from leasehold.agent.certificate import decode_map
from leasehold.agent.errors import CertificateError, NetworkError

MAINNET_HOSTS = ("icp-api.io", "icp0.io", "ic0.app")

# The root key of the Internet Computer's mainnet (interface specification, "Root of trust"), DER.
MAINNET_ROOT_KEY = bls.DER_PREFIX + bytes.fromhex(
    "814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc534"
    "1583bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae"
)


def choose_root_key(boundary: Boundary) -> bytes:
    """The root key to trust when none was configured: mainnet's own, or a local node's word for it.

    Raises:
        CertificateError: a remote network that is not mainnet; its key must be configured.
    """
    if is_loopback(boundary.url):
        return fetch_root_key(boundary)
    host = boundary.url.removeprefix("https://").split("/")[0].split(":")[0]
    if host in MAINNET_HOSTS or host.endswith(tuple("." + name for name in MAINNET_HOSTS)):
        return MAINNET_ROOT_KEY
    raise CertificateError(
        f"{boundary.url} is not mainnet: set its root key with $LEASEHOLD_ROOT_KEY (DER as hexadecimal); "
        "only a node on this machine is believed without"
    )


def fetch_root_key(boundary: Boundary) -> bytes:
    """The root key that a local node reports in its status. Never call this for a remote network."""
    answer = boundary.get("/api/v2/status")
    if answer.status != 200:
        raise NetworkError(f"{boundary.url} has no status: {describe(answer)}")
    key = decode_map(answer.body, "status").get("root_key")
    if not isinstance(key, bytes):
        raise NetworkError(f"the status of {boundary.url} names no root key: is it a local node?")
    bls.public_key_from_der(key)
    return key
