"""dfx's way of deploying, request for request: asynchronous calls, polled. dfx itself is in no registry here.

It creates canisters with `provisional_create_canister_with_cycles`, sent to an effective canister id that its
network configuration names or that it takes for granted.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from icp_candid import Types, decode
from icp_principal.principal import Principal

from devnet.node import Node
from devnet.principal import MANAGEMENT_CANISTER, canister_id, principal_from_text, principal_text
from tests.devnet import whoami
from tests.devnet.agent import Agent, Identity, value_hash

CREATE = "provisional_create_canister_with_cycles"
POLL_TIMEOUT_S = 20
CREATION = {
    "amount": Types.Opt(Types.Nat),
    "settings": Types.Opt(Types.Record({"controllers": Types.Opt(Types.Vec(Types.Principal))})),
    "specified_id": Types.Opt(Types.Principal),
}
UPGRADE = {
    "mode": Types.Variant({"upgrade": Types.Opt(Types.Record({"skip_pre_upgrade": Types.Opt(Types.Bool)}))}),
    **{name: kind for name, kind in whoami.INSTALL.items() if name != "mode"},
}


@pytest.fixture(scope="module")
def developer() -> Iterator[Agent]:
    """Whoever deploys, on a fresh node."""
    identity = Identity.of(Ed25519PrivateKey.generate())
    with Node.start() as node, Agent(node.url, node.root_key, identity) as agent:
        yield agent


def polled(agent: Agent, canister: bytes, method: str, arg: bytes, effective: bytes) -> bytes:
    """The reply to a call of version 2, found by asking for its status."""
    content = agent.call_content(canister, method, arg)
    accepted = agent.send("call", content, effective, "v2")
    assert (accepted.status_code, accepted.content) == (202, b"")
    path = (b"request_status", value_hash(content))
    deadline = time.monotonic() + POLL_TIMEOUT_S
    while True:
        certificate = agent.read_state(effective, [list(path)], "v2")
        status = certificate.find(*path, b"status")
        if status == b"replied":
            reply = certificate.find(*path, b"reply")
            assert isinstance(reply, bytes)
            return reply
        assert status in (b"received", b"processing"), certificate.find(*path, b"reject_message")
        assert time.monotonic() < deadline, f"{method} got no answer"


def creation(agent: Agent, wanted: bytes | None = None) -> bytes:
    return whoami.record(
        CREATION,
        amount=[3 * 10**12],
        settings=[{"controllers": [[Principal(agent.sender)]]}],
        specified_id=[] if wanted is None else [Principal(wanted)],
    )


def created(reply: bytes) -> bytes:
    return bytes(decode(reply, Types.Record(whoami.CANISTER))[0]["value"]["canister_id"].bytes)


@pytest.mark.parametrize(
    "effective",
    [
        principal_from_text("rwlgt-iiaaa-aaaaa-aaaaa-cai"),
        principal_from_text("bnz7o-iuaaa-aaaaa-qaaaa-cai"),
        canister_id(2**64 - 1),
        MANAGEMENT_CANISTER,
    ],
    ids=principal_text,
)
def test_a_canister_is_created_installed_and_upgraded(developer: Agent, effective: bytes) -> None:
    canister = created(polled(developer, MANAGEMENT_CANISTER, CREATE, creation(developer), effective))
    install = whoami.install_argument(canister, whoami.module())
    polled(developer, MANAGEMENT_CANISTER, "install_code", install, canister)
    controllers = [b"canister", canister, b"controllers"]
    module_hash = [b"canister", canister, b"module_hash"]
    shown = developer.read_state(canister, [controllers, module_hash], "v2")
    assert shown.find(*module_hash) == hashlib.sha256(whoami.module()).digest()
    assert developer.sender in bytes(shown.find(*controllers))  # type: ignore[arg-type]
    assert polled(developer, canister, "bump", b"DIDL\0\0", canister)[7] == 1

    target = {"canister_id": Principal(canister), "wasm_module": whoami.module(), "arg": b""}
    upgrade = whoami.record(UPGRADE, mode={"upgrade": [{"skip_pre_upgrade": []}]}, **target)
    polled(developer, MANAGEMENT_CANISTER, "install_code", upgrade, canister)
    assert polled(developer, canister, "caller", b"DIDL\0\0", canister).endswith(developer.sender)


def test_a_canister_is_created_under_the_id_that_was_wished_for(developer: Agent) -> None:
    """`dfx canister create --specified-id`: the wish is the effective canister id, too."""
    wanted = canister_id(77)
    reply = polled(developer, MANAGEMENT_CANISTER, CREATE, creation(developer, wanted), wanted)
    assert created(reply) == wanted
