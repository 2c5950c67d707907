"""Interface specification, "Certified data" of the System API."""

from __future__ import annotations

import pytest

from tests.devnet.agent import open_certificate
from tests.devnet.conformance.driver import CANISTER_ERROR, Canister, Network, User, code_of, number, passed
from tests.devnet.conformance.program import (
    PRE_UPGRADE,
    as_bytes,
    blob,
    call,
    call_other,
    read,
    reply,
    reply_number,
    set_hook,
    set_variable,
    trap,
    variable,
)

PRESENT = reply_number(call("data_certificate_present"))
CERTIFICATE = reply(read("data_certificate"))


def certified(network: Network, canister: Canister, data: bytes) -> bytes | str:
    """The certified data that a certificate shows; the certificate is verified."""
    opened = open_certificate(data, network.root_key)
    assert isinstance(opened.find(b"time"), bytes)
    return opened.find(b"canister", canister.id, b"certified_data")


def set_data(canister: Canister, data: bytes) -> None:
    canister.update(call("certified_data_set", blob(data)) + reply())


@pytest.mark.parametrize("method", ["query", "composite"])
def test_queries_see_a_certificate_of_the_latest_data(
    network: Network, canister: Canister, method: str
) -> None:
    """`data_certificate_copy`: holds `/canister/<id>/certified_data` and `/time`."""
    ask = canister.query if method == "query" else canister.composite
    for data in (b"", b"first", bytes(range(32))):
        set_data(canister, data)
        assert number(ask(PRESENT)) == 1
        assert certified(network, canister, ask(CERTIFICATE)) == data


def test_the_data_has_at_most_32_bytes(canister: Canister, network: Network) -> None:
    """`certified_data_set`: "must be no larger than 32 bytes"."""
    set_data(canister, b"stays")
    assert code_of(lambda: set_data(canister, bytes(33))) == CANISTER_ERROR
    assert certified(network, canister, canister.query(CERTIFICATE)) == b"stays"


def test_the_last_of_several_counts_and_a_trap_none(canister: Canister, network: Network) -> None:
    """`certified_data_set`: can be used any number of times; a trap discards it."""
    twice = call("certified_data_set", blob(b"one")) + call("certified_data_set", blob(b"two"))
    canister.update(twice + reply())
    assert (
        code_of(lambda: canister.update(call("certified_data_set", blob(b"no")) + trap())) == CANISTER_ERROR
    )
    assert certified(network, canister, canister.query(CERTIFICATE)) == b"two"


@pytest.mark.parametrize("change, data", [("reinstall", b""), ("upgrade", b"kept"), ("init", b"init")])
def test_what_installation_does_to_the_data(network: Network, user: User, change: str, data: bytes) -> None:
    """Certified data: empty after install and reinstall, kept by upgrades, may be set by them."""
    canister = user.deploy(arg=call("certified_data_set", blob(b"kept")))
    if change == "init":
        canister.install(arg=call("certified_data_set", blob(b"init")), mode="upgrade")
    else:
        canister.install(mode=change)
    assert certified(network, canister, canister.query(CERTIFICATE)) == data


def test_pre_upgrade_may_set_the_data(network: Network, user: User) -> None:
    """`certified_data_set`: allowed in `canister_pre_upgrade`."""
    canister = user.deploy()
    canister.update(set_hook(PRE_UPGRADE, call("certified_data_set", blob(b"pre"))) + reply())
    canister.install(mode="upgrade")
    assert certified(network, canister, canister.query(CERTIFICATE)) == b"pre"


def test_there_is_no_certificate_in_replicated_mode(canister: Canister, other: Canister) -> None:
    """`data_certificate_present`: 0 for updates and for query methods that are called as updates."""
    assert number(canister.update(PRESENT)) == 0
    assert number(canister.replicated_query(PRESENT)) == 0
    assert number(passed(canister.update(call_other(other.id, "query", PRESENT)))) == 0


def test_there_is_no_certificate_elsewhere_in_composite_queries(canister: Canister, other: Canister) -> None:
    """`data_certificate_present`: 0 in callbacks and on canisters other than the target; reading traps."""
    assert number(canister.composite(call_other(other.id, "query", reply(), on_reply=PRESENT))) == 0
    assert number(passed(canister.composite(call_other(other.id, "query", PRESENT)))) == 0
    assert number(passed(canister.composite(call_other(other.id, "composite", PRESENT)))) == 0
    asked = call_other(other.id, "query", CERTIFICATE)
    assert code_of(lambda: passed(canister.composite(asked))) == CANISTER_ERROR


def test_the_root_key_is_known_to_canisters(canister: Canister, network: Network) -> None:
    """`root_key_copy`: the DER-encoded root key."""
    assert canister.update(reply(read("root_key"))) == network.root_key


def test_presence_in_other_executions(user: User) -> None:
    """`data_certificate_present` may be asked everywhere, and is 0 in init."""
    canister = user.deploy(arg=set_variable(0, call("data_certificate_present")))
    assert canister.number(variable(0)) == 0
    assert canister.query(reply(as_bytes(variable(0)))) == bytes(8)
