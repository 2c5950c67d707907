"""`ecdsa_public_key`, `sign_with_ecdsa`, `schnorr_public_key` and `sign_with_schnorr`."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from devnet.replica.candid import Record, encode_one
from devnet.replica.management import service_types
from tests.devnet.replica.agent import AGENT, as_canister
from tests.devnet.replica.harness import Net, rejected

FEE = 10_000_000_000
ECDSA_KEY = {"curve": ("secp256k1", None), "name": "test_key_1"}
SCHNORR_KEY = {"algorithm": ("ed25519", None), "name": "test_key_1"}
TAPROOT_KEY = {"algorithm": ("bip340secp256k1", None), "name": "key_1"}
PATH = [b"a", b""]


def ask(net: Net, agent: bytes, method: str, cycles: int = 0, **argument: Any) -> Any:
    arguments, result = {
        "ecdsa_public_key": (service_types.ECDSA_PUBLIC_KEY_ARGS, service_types.PUBLIC_KEY),
        "sign_with_ecdsa": (service_types.SIGN_WITH_ECDSA_ARGS, service_types.SIGNATURE),
        "schnorr_public_key": (service_types.SCHNORR_PUBLIC_KEY_ARGS, service_types.PUBLIC_KEY),
        "sign_with_schnorr": (service_types.SIGN_WITH_SCHNORR_ARGS, service_types.SIGNATURE),
    }[method]
    assert isinstance(arguments, Record)
    filled = {name: argument.get(name) for name in arguments.fields}
    return as_canister(net, agent, method, encode_one(arguments, filled), result, cycles)


def test_public_keys_are_free_and_may_be_anothers(net: Net) -> None:
    agent = net.deploy(AGENT)
    own = ask(net, agent, "ecdsa_public_key", derivation_path=PATH, key_id=ECDSA_KEY)
    assert own == {
        "public_key": b"|".join([b"secp256k1", agent, b"a", b"", b"test_key_1"]),
        "chain_code": b"chain code",
    }
    other = b"\1" * 10
    foreign = ask(net, agent, "schnorr_public_key", canister_id=other, derivation_path=[], key_id=SCHNORR_KEY)
    assert foreign["public_key"] == b"|".join([b"ed25519", other, b"test_key_1"])


def test_signatures_are_made_for_the_calling_canister_and_paid(net: Net) -> None:
    agent = net.deploy(AGENT)
    before = net.status(agent)["cycles"]
    got = ask(
        net,
        agent,
        "sign_with_ecdsa",
        FEE + 5_000_000_000,
        message_hash=b"\2" * 32,
        derivation_path=PATH,
        key_id=ECDSA_KEY,
    )
    expected = b"|".join([b"secp256k1", agent, b"a", b"", b"test_key_1", b"\2" * 32, b"no root"])
    assert got == {"signature": expected}
    assert FEE < before - net.status(agent)["cycles"] < FEE + 1_000_000_000, "the surplus is refunded"


def test_the_production_key_costs_what_its_subnet_charges(net: Net) -> None:
    agent = net.deploy(AGENT)
    sign = functools.partial(
        ask,
        net,
        agent,
        "sign_with_schnorr",
        message=b"m",
        derivation_path=[],
        key_id=TAPROOT_KEY,
        aux=("bip341", {"merkle_root_hash": b"root"}),
    )
    assert sign(cycles=26_153_846_153)["signature"].endswith(b"|key_1|m|root")
    reject = rejected(lambda: sign(cycles=26_153_846_152))
    assert reject.message == (
        "sign_with_schnorr request sent with 26153846152 cycles, but 26153846153 cycles are required."
    )


@pytest.mark.parametrize(
    ("method", "argument", "reason"),
    [
        ("sign_with_ecdsa", {"message_hash": b"bad", "key_id": ECDSA_KEY}, "message cannot be signed"),
        (
            "sign_with_ecdsa",
            {"message_hash": b"", "key_id": ECDSA_KEY | {"name": "other"}},
            "there is no key 'other'; use one of test_key_1, dfx_test_key, key_1",
        ),
        ("sign_with_schnorr", {"message": b"bad", "key_id": SCHNORR_KEY}, "message cannot be signed"),
    ],
)
def test_what_cannot_be_signed_costs_nothing(
    net: Net, method: str, argument: dict[str, Any], reason: str
) -> None:
    agent = net.deploy(AGENT)
    before = net.status(agent)["cycles"]
    reject = rejected(lambda: ask(net, agent, method, FEE, derivation_path=[], **argument))
    assert reason in reject.message and f"'{method}' called with an invalid argument" in reject.message
    assert before - net.status(agent)["cycles"] < 1_000_000_000


def test_users_cannot_sign(net: Net) -> None:
    for method in ("ecdsa_public_key", "sign_with_ecdsa", "schnorr_public_key", "sign_with_schnorr"):
        reject = rejected(functools.partial(net.submit, b"", method, b"DIDL\0\0"))
        assert reject.error_code in ("IC0402", "IC0516"), method
