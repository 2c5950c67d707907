"""Certificates: a witness of the state tree under the subnet's signature.

Source: IC interface specification, "Certification".
"""

from collections.abc import Sequence
from typing import Final

from devnet.crypto.hash_tree import Node, Path, witness
from devnet.crypto.node_keys import NodeKeys
from devnet.http import cbor
from devnet.http.state_tree import StateSource, StateTree
from devnet.replica.api import IngressStatus

STATE_ROOT_DOMAIN: Final = b"\x0dic-state-root"
# A state that nothing has changed is certified anew after this long, so that its time stays believable.
MAX_AGE_NS: Final = 100_000_000


class CertifiedState:
    """One signed state; makes certificates for any of its paths."""

    def __init__(self, tree: Node, time: int, keys: NodeKeys) -> None:
        self.time = time
        self._tree = tree
        self._signature = keys.subnet.sign(STATE_ROOT_DOMAIN + tree.digest)

    def certificate(self, paths: Sequence[Path]) -> bytes:
        """CBOR certificate that shows everything below `paths`, and the time."""
        tree = witness(self._tree, [*paths, (b"time",)])
        return cbor.encode({"tree": tree.encoded(), "signature": self._signature})


class Certifier:
    """Certifies the replica's state; used only by the thread that owns the replica."""

    def __init__(self, source: StateSource, keys: NodeKeys) -> None:
        self._source = source
        self._keys = keys
        self._tree = StateTree(source, keys)
        self._latest: CertifiedState | None = None
        self.height = 0

    def show_request(self, request_id: bytes) -> IngressStatus | None:
        """Make the next certified state show the current status of a request; returns that status."""
        self._latest = None
        return self._tree.show_request(request_id)

    def invalidate(self) -> None:
        """Note that the replica has executed something, so `recent` must certify anew."""
        self._latest = None

    def commit(self) -> CertifiedState:
        """Certify the state as it is now."""
        time = self._source.time()
        self._latest = CertifiedState(self._tree.snapshot(time), time, self._keys)
        self.height += 1
        return self._latest

    def recent(self) -> CertifiedState:
        """The latest certified state, or a new one when that is outdated or older than `MAX_AGE_NS`."""
        if self._latest is None or self._source.time() - self._latest.time > MAX_AGE_NS:
            return self.commit()
        return self._latest
