"""Interface specification, "Request: Read state" and "The system state tree"; "Certification"."""

from __future__ import annotations

import hashlib

import cbor2
import pytest

from devnet.principal import canister_id
from tests.devnet.agent import Certificate, decode, find, reconstruct, value_hash
from tests.devnet.conformance.driver import Canister, Network, User
from tests.devnet.conformance.program import module, read, reject, reply, trap

NOBODY = canister_id(2**33)
TIME_SLACK_NS = 60_000_000_000


def leb(data: bytes | str) -> int:
    assert isinstance(data, bytes)
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(data))


@pytest.fixture(scope="module")
def subnet(canister: Canister) -> bytes:
    return canister.query(reply(read("subnet_self")))


def refused(
    user: User, where: bytes, *paths: list[bytes], version: str = "v3", scope: str = "canister"
) -> bool:
    """Whether a read_state request is not answered with a certificate."""
    content = user.content("read_state", paths=list(paths))
    return user.send("read_state", content, where, version, scope).status_code in (400, 403, 404)


@pytest.mark.parametrize("version", ["v2", "v3"])
@pytest.mark.parametrize("scope", ["canister", "subnet"])
def test_the_time_is_always_revealed(
    user: User, canister: Canister, subnet: bytes, version: str, scope: str
) -> None:
    """Request: Read state: `/time`, even if not requested."""
    where = canister.id if scope == "canister" else subnet
    time = leb(user.read_state(where, [], version, scope).find(b"time"))
    assert abs(time - user.network.now_ns()) < TIME_SLACK_NS


def test_certificates_have_the_specified_form(user: User, canister: Canister) -> None:
    """Certification, Encoding of certificates: tagged CBOR; labels increase and are not mixed with leaves."""
    content = user.content("read_state", paths=[[b"subnet"], [b"canister", canister.id, b"controllers"]])
    body = user.send("read_state", content, canister.id, "v3").content
    fields = decode(decode(body)["certificate"])
    assert set(fields) == {"tree", "signature"}
    assert len(fields["signature"]) == 48
    well_formed(fields["tree"])


def well_formed(tree: list[object]) -> None:
    """Certification, Lookup: `well_formed`."""
    if tree[0] == 3:
        return
    forest = flatten(tree)
    labels = [node[1] for node in forest if node[0] == 2]
    assert labels == sorted(set(labels))  # type: ignore[type-var]
    assert all(node[0] != 3 for node in forest)
    for node in forest:
        if node[0] == 2:
            well_formed(node[2])  # type: ignore[arg-type]


def flatten(tree: list[object]) -> list[list[object]]:
    if tree[0] == 0:
        return []
    return flatten(tree[1]) + flatten(tree[2]) if tree[0] == 1 else [tree]  # type: ignore[arg-type]


EXAMPLE = cbor2.loads(
    bytes.fromhex(
        "8301830183024161830183018302417882034568656c6c6f810083024179820345776f726c64"
        "83024162820344676f6f648301830241638100830241648203476d6f726e696e67"
    )
)
PRUNED = cbor2.loads(
    bytes.fromhex(
        "83018301830241618301820458201b4feff9bef8131788b0c9dc6dbad6e81e524249c879e9f10f71ce3749f5a638"
        "83024179820345776f726c6483024162820458207b32ac0c6ba8ce35ac82c255fc7906f7fc130dab2a090f80fe12"
        "f9c2cae83ba6830182045820ec8324b8a1f1ac16bd2e806edba78006479c9877fed4eb464a25485465af601d8302"
        "41648203476d6f726e696e67"
    )
)
EXAMPLE_HASH = "eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0"


def test_the_specifications_example_tree() -> None:
    """Certification, Example: the client that this suite trusts agrees with it."""
    assert reconstruct(EXAMPLE).hex() == reconstruct(PRUNED).hex() == EXAMPLE_HASH
    wanted: dict[tuple[bytes, ...], bytes | str] = {
        (b"a", b"a"): "unknown",
        (b"a", b"y"): b"world",
        (b"aa",): "absent",
        (b"ax",): "absent",
        (b"b",): "unknown",
        (b"bb",): "unknown",
        (b"d",): b"morning",
        (b"e",): "absent",
    }
    assert {path: find(PRUNED, path) for path in wanted} == wanted


def test_a_request_has_its_status_in_the_tree(user: User, canister: Canister) -> None:
    """Request status: `reply` when replied, else `reject_code` and `reject_message`; nothing of the other."""
    for steps, shown in ((reply(), "reply"), (reject("no"), "reject"), (trap("no"), "reject")):
        content = user.call_content(canister.id, "update", steps)
        user.send("call", content, canister.id, "v4")
        path = [b"request_status", value_hash(content)]
        found = user.read_state(canister.id, [path])
        assert found.find(*path, b"status") == (b"replied" if shown == "reply" else b"rejected")
        present = {name for name in (b"reply", b"reject_code", b"reject_message") if has(found, *path, name)}
        assert present == ({b"reply"} if shown == "reply" else {b"reject_code", b"reject_message"})


def has(certificate: Certificate, *path: bytes) -> bool:
    return isinstance(certificate.find(*path), bytes)


def test_a_request_that_nobody_made_is_absent(user: User, canister: Canister) -> None:
    """Request: Read state: may be asked for "if no path with such a prefix exists"."""
    path = [b"request_status", bytes(32)]
    assert user.read_state(canister.id, [path]).find(*path, b"status") == "absent"


def test_only_the_sender_reads_the_status_and_only_where_it_was_sent(
    network: Network, user: User, canister: Canister, other: Canister
) -> None:
    """Request: Read state: sender and effective canister id must be those of the request."""
    content = user.call_content(canister.id, "update", reply())
    user.send("call", content, canister.id, "v4")
    path = [b"request_status", value_hash(content)]
    assert not refused(user, canister.id, path)
    assert refused(user, other.id, path)
    assert refused(network.user(), canister.id, path)
    assert refused(network.anonymous(), canister.id, path)


def test_paths_must_name_one_request(user: User, canister: Canister) -> None:
    """Request: Read state: all paths under `/request_status` name the same request."""
    assert refused(user, canister.id, [b"request_status", bytes(32)], [b"request_status", b"\1" * 32])
    one = [b"request_status", bytes(32)]
    assert not refused(user, canister.id, [*one, b"status"], [*one, b"reply"])


def test_what_is_known_of_a_canister(user: User) -> None:
    """Canister information: module hash, controllers and metadata."""
    wasm = module(metadata=(("icp:public greeting", b"hello"), ("icp:private secret", b"psst")))
    canister = user.create()
    base = [b"canister", canister.id]
    names = ([b"module_hash"], [b"controllers"], [b"metadata", b"greeting"], [b"metadata", b"secret"])
    paths = [[*base, *name] for name in names]
    empty = user.read_state(canister.id, paths)
    assert [empty.find(*path) for path in (paths[0], *paths[2:])] == ["absent"] * 3
    canister.install(wasm)
    found = user.read_state(canister.id, paths)
    module_hash, controllers, greeting, secret = (found.find(*path) for path in paths)
    assert module_hash == hashlib.sha256(wasm).digest()
    assert isinstance(controllers, bytes) and decode(controllers) == [user.sender]
    assert (greeting, secret) == (b"hello", b"psst")


def test_when_a_canister_was_created_and_its_code_installed(user: User) -> None:
    """Canister information: `canister_creation_timestamp`, `last_install_timestamp`; none without code."""
    canister = user.create()
    base = [b"canister", canister.id]
    paths = [[*base, b"canister_creation_timestamp"], [*base, b"last_install_timestamp"]]

    def times() -> list[bytes | str]:
        found = user.read_state(canister.id, paths)
        return [found.find(*path) for path in paths]

    created, none = times()
    assert abs(leb(created) - user.network.now_ns()) < TIME_SLACK_NS
    assert none == "absent"
    canister.install()
    _, first = times()
    canister.install(mode="upgrade")
    again, second = times()
    assert again == created
    assert leb(created) <= leb(first) < leb(second)
    canister.manage("uninstall_code")
    assert times() == [created, "absent"]


def test_private_metadata_is_for_controllers(network: Network, user: User) -> None:
    """Request: Read state: `/canister/<id>/metadata/<name>`."""
    canister = user.create()
    canister.install(module(metadata=(("icp:private secret", b"psst"), ("icp:public open", b"all"))))
    base = [b"canister", canister.id, b"metadata"]
    stranger = network.user()
    assert refused(stranger, canister.id, [*base, b"secret"])
    assert stranger.read_state(canister.id, [[*base, b"open"]]).find(*base, b"open") == b"all"
    assert stranger.read_state(canister.id, [[*base, b"none"]]).find(*base, b"none") == "absent"
    assert refused(user, canister.id, [*base, b"\xff"])


def test_a_canister_that_does_not_exist_is_absent(user: User) -> None:
    """Request: Read state: its paths may be asked for."""
    paths = [[b"canister", NOBODY, name] for name in (b"module_hash", b"controllers")]
    found = user.read_state(NOBODY, paths)
    assert [found.find(*path) for path in paths] == ["absent", "absent"]


def test_the_subnet_its_nodes_and_its_ranges(user: User, canister: Canister, subnet: bytes) -> None:
    """Subnet information, Canister ranges: public key, type, node keys, ranges that hold the canister."""
    found = user.read_state(subnet, [[b"subnet"], [b"canister_ranges", subnet]], scope="subnet")
    key = found.find(b"subnet", subnet, b"public_key")
    assert isinstance(key, bytes) and hashlib.sha224(key).digest() + b"\x02" == subnet
    assert found.find(b"subnet", subnet, b"type") in (
        b"application",
        b"system",
        b"verified_application",
        b"cloud_engine",
    )
    shards = [node for node in leaves(found.tree, (b"canister_ranges", subnet)) if node[0] != ()]
    ranges = [pair for _, content in shards for pair in decode(content)]
    assert ranges == sorted(ranges)
    assert any(low <= canister.id <= high for low, high in ranges)
    for (first, *_), content in shards:
        assert decode(content)[0][0] == first


def leaves(tree: list[object], prefix: tuple[bytes, ...]) -> list[tuple[tuple[bytes, ...], bytes]]:
    """All values below a path: `lookup*` of the specification, with the rest of their paths."""
    found: list[tuple[tuple[bytes, ...], bytes]] = []
    if tree[0] == 3 and not prefix:
        return [((), tree[1])]  # type: ignore[list-item]
    for node in flatten(tree):
        if node[0] == 2 and (not prefix or node[1] == prefix[0]):
            label: bytes = node[1]  # type: ignore[assignment]
            below = leaves(node[2], prefix[1:])  # type: ignore[arg-type]
            found += [((label, *rest) if not prefix else rest, value) for rest, value in below]
    return found


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_canister_ranges_are_asked_for_at_the_subnet(
    user: User, canister: Canister, subnet: bytes, version: str
) -> None:
    """Request: Read state: `/canister_ranges/<subnet_id>` cannot be requested at a canister."""
    assert refused(user, canister.id, [b"canister_ranges", subnet], version=version)
    assert not refused(user, subnet, [b"canister_ranges", subnet], version=version, scope="subnet")
    paths = ([b"canister_ranges", subnet], [b"canister_ranges", b"\1" * 29])
    assert refused(user, subnet, *paths, version=version, scope="subnet")


def test_metrics_are_asked_for_at_the_subnet(user: User, canister: Canister, subnet: bytes) -> None:
    """Subnet information: `/subnet/<id>/metrics`, CBOR; cannot be requested at a canister."""
    path = [b"subnet", subnet, b"metrics"]
    assert refused(user, canister.id, path)
    value = user.read_state(subnet, [path], scope="subnet").find(*path)
    assert isinstance(value, bytes)
    metrics = decode(value)
    assert metrics["num_canisters"] >= 1
    assert metrics["update_transactions_total"] >= 1
    assert {"canister_state_bytes", "consumed_cycles_total"} <= set(metrics)


def test_a_subnets_canister_ranges_below_subnet(user: User, canister: Canister, subnet: bytes) -> None:
    """Request: Read state: `/subnet/<root subnet>/canister_ranges` can always be requested."""
    path = [b"subnet", subnet, b"canister_ranges"]
    for where, scope in ((canister.id, "canister"), (subnet, "subnet")):
        value = user.read_state(where, [path], scope=scope).find(*path)
        assert isinstance(value, bytes)
        assert any(low <= canister.id <= high for low, high in decode(value))


@pytest.mark.parametrize(
    "path",
    [
        [],
        [b"canister"],
        [b"canister", b"ID"],
        [b"canister", b"ID", b"certified_data"],
        [b"canister", b"ID", b"metadata"],
        [b"canister", NOBODY, b"module_hash"],
        [b"request_status"],
        [b"request_status", bytes(31)],
        [b"request_status", bytes(32), b"other"],
        [b"time", b"more"],
        [b"subnet", b"x", b"other"],
        [b"nothing"],
    ],
    ids=lambda path: "/".join(label.hex()[:12] if label[:1] < b"a" else label.decode() for label in path),
)
def test_other_paths_cannot_be_requested(user: User, canister: Canister, path: list[bytes]) -> None:
    """Request: Read state: "all requested paths must have the following form"."""
    assert refused(user, canister.id, [canister.id if label == b"ID" else label for label in path])


def test_api_boundary_nodes_may_be_asked_for(user: User, canister: Canister) -> None:
    """Api boundary nodes information: a local network has none."""
    assert user.read_state(canister.id, [[b"api_boundary_nodes"]]).find(b"api_boundary_nodes", b"x") != b""


def test_a_thousand_paths_and_one_more(user: User, canister: Canister) -> None:
    """Request: Read state: at most 1000 paths of at most 127 labels."""
    assert not refused(user, canister.id, *[[b"time"]] * 1000)
    assert refused(user, canister.id, *[[b"time"]] * 1001)
    assert refused(user, canister.id, [b"x"] * 128)


def test_another_subnet_is_not_served(user: User) -> None:
    """Effective subnet id: the URL must name a subnet that the node belongs to."""
    assert refused(user, b"\1" * 28 + b"\2", [b"time"], scope="subnet")
