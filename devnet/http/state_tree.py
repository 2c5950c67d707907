"""The system state tree, kept up to date piece by piece.

Subtrees are rebuilt only when what they show has changed. Source: IC interface specification, "The system
state tree".
"""

from collections.abc import Sequence
from typing import Final, Protocol

from devnet.crypto import label_trie
from devnet.crypto.hash_tree import Empty, Labeled, Leaf, Node, forest
from devnet.crypto.node_keys import NodeKeys
from devnet.http import cbor
from devnet.http.request_id import leb128
from devnet.replica.api import CanisterView, IngressState, IngressStatus
from devnet.replica.subnet_metrics import SubnetMetrics

SUBNET_TYPE: Final = b"application"
# Long past the expiry that any accepted request can have, so that no answer is lost while it can be polled.
STATUS_KEPT_NS: Final = 15 * 60 * 1_000_000_000


class StateSource(Protocol):
    """The parts of the replica that the tree shows."""

    def time(self) -> int: ...
    def canister_ids(self) -> list[bytes]: ...
    def canister_view(self, canister_id: bytes) -> CanisterView | None: ...
    def canister_ranges(self) -> list[tuple[bytes, bytes]]: ...
    def ingress_status(self, request_id: bytes) -> IngressStatus | None: ...
    def metrics(self) -> SubnetMetrics: ...


class StateTree:
    """Builds the tree of the current state."""

    def __init__(self, source: StateSource, keys: NodeKeys) -> None:
        self._source = source
        ranges = source.canister_ranges()
        self._keys = keys
        self._encoded_ranges = _encoded_ranges(ranges)
        self._ranges = forest({keys.subnet_id: _range_shards(ranges)})
        self._views: dict[bytes, CanisterView] = {}
        self._canisters: dict[bytes, Node] = {}
        self._canister_forest: Node = Empty()
        self._statuses: Node = Empty()
        self._shown: dict[bytes, tuple[int, IngressStatus]] = {}

    def show_request(self, request_id: bytes) -> IngressStatus | None:
        """Bring the status of a request up to date in the tree, and return it."""
        status = self._source.ingress_status(request_id)
        shown = self._shown.get(request_id)
        if status is None:
            if shown is not None:
                self._forget(request_id)
            return None
        if shown is None or shown[1] != status:
            self._statuses = label_trie.insert(self._statuses, request_id, _request_status(status))
        # To the end, among those asked for last: what is asked for must be shown, however time has leapt.
        self._shown.pop(request_id, None)
        self._shown[request_id] = (self._source.time(), status)
        return status

    def snapshot(self, time: int) -> Node:
        """The whole tree at `time` (ns)."""
        self._refresh_canisters()
        self._forget_old(time)
        return forest(
            {
                b"canister": self._canister_forest,
                b"canister_ranges": self._ranges,
                b"request_status": self._statuses,
                b"subnet": _subnet(self._keys, self._encoded_ranges, self._source.metrics()),
                b"time": Leaf(leb128(time)),
            }
        )

    def _refresh_canisters(self) -> None:
        views: dict[bytes, CanisterView] = {}
        changed = False
        for canister_id in self._source.canister_ids():
            view = self._source.canister_view(canister_id)
            if view is None:
                continue
            views[canister_id] = view
            if self._views.get(canister_id) != view:
                self._canisters[canister_id] = _canister(view)
                changed = True
        for gone in self._views.keys() - views.keys():
            del self._canisters[gone]
            changed = True
        self._views = views
        if changed:
            self._canister_forest = forest(self._canisters)

    def _forget_old(self, time: int) -> None:
        while self._shown:
            request_id, (shown_at, _) = next(iter(self._shown.items()))
            if shown_at + STATUS_KEPT_NS > time:
                return
            self._forget(request_id)

    def _forget(self, request_id: bytes) -> None:
        del self._shown[request_id]
        self._statuses = label_trie.remove(self._statuses, request_id)


def _request_status(status: IngressStatus) -> Node:
    children: dict[bytes, Node] = {b"status": Leaf(status.state.encode())}
    if status.state is IngressState.REPLIED and status.reply is not None:
        children[b"reply"] = Leaf(status.reply)
    if status.state is IngressState.REJECTED and status.reject is not None:
        children[b"reject_code"] = Leaf(leb128(status.reject.code))
        children[b"reject_message"] = Leaf(status.reject.message.encode())
        if status.reject.error_code:
            children[b"error_code"] = Leaf(status.reject.error_code.encode())
    return forest(children)


def _canister(view: CanisterView) -> Node:
    children: dict[bytes, Node] = {b"controllers": Leaf(cbor.encode(list(view.controllers)))}
    if view.module_hash is not None:
        children[b"certified_data"] = Leaf(view.certified_data)
        children[b"module_hash"] = Leaf(view.module_hash)
    if view.created_at:
        children[b"canister_creation_timestamp"] = Leaf(leb128(view.created_at))
    if view.installed_at:
        children[b"last_install_timestamp"] = Leaf(leb128(view.installed_at))
    metadata = {**view.public_metadata, **view.private_metadata}
    if metadata or view.module_hash is not None:
        children[b"metadata"] = forest({name.encode(): Leaf(data) for name, data in metadata.items()})
    return forest(children)


def _subnet(keys: NodeKeys, encoded_ranges: bytes, metrics: SubnetMetrics) -> Node:
    node = forest({b"public_key": Leaf(keys.node_public_key)})
    subnet = {
        b"canister_ranges": Leaf(encoded_ranges),
        b"metrics": Leaf(_metrics(metrics)),
        b"node": Labeled(keys.node_id, node),
        b"public_key": Leaf(keys.root_key),
        b"type": Leaf(SUBNET_TYPE),
    }
    return forest({keys.subnet_id: forest(subnet)})


def _metrics(metrics: SubnetMetrics) -> bytes:
    high, low = divmod(metrics.consumed_cycles_total, 1 << 64)
    return cbor.encode({**vars(metrics), "consumed_cycles_total": {"low": low, "high": high}})


def _range_shards(ranges: Sequence[tuple[bytes, bytes]]) -> Node:
    """All ranges in one shard under the first canister id, as the specification's sharded form allows."""
    return forest({ranges[0][0]: Leaf(_encoded_ranges(ranges))} if ranges else {})


def _encoded_ranges(ranges: Sequence[tuple[bytes, bytes]]) -> bytes:
    return cbor.encode([list(pair) for pair in sorted(ranges)])
