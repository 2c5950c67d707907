"""Interface specification, "Authentication": delegations."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.devnet.agent import MINUTE_NS, Identity, delegate, der, value_hash
from tests.devnet.conformance.driver import Canister, Network, User
from tests.devnet.conformance.signed_requests import content_of, ed25519_key, is_caller, is_refused, post


class Chain:
    """A chain of delegations, from a root key to the key that signs."""

    def __init__(self, network: Network, length: int = 1, **last: Any) -> None:
        keys = [ed25519_key() for _ in range(length + 1)]
        later = network.now_ns() + 10 * MINUTE_NS
        links = [
            delegate(signer, der(to), **{"expiration": later, **(last if number == length else {})})
            for number, (signer, to) in enumerate(itertools.pairwise(keys), 1)
        ]
        self.identity = Identity(keys[0], keys[-1], links)
        self.user = User(network, self.identity)

    def refused(self, canister: Canister, kind: str = "call") -> bool:
        return is_refused(
            self.user, canister, self.user.envelope(content_of(self.user, canister, kind)), kind
        )


@pytest.mark.parametrize("length", [1, 2, 20])
def test_delegated_keys_act_for_the_root_key(network: Network, canister: Canister, length: int) -> None:
    """Authentication: a chain of at most 20 delegations; the caller is the root key's principal."""
    chain = Chain(network, length)
    assert is_caller(chain.user, canister, chain.identity.principal)


@pytest.mark.parametrize("kind", ["call", "query", "read_state"])
def test_too_many_delegations_are_refused(network: Network, canister: Canister, kind: str) -> None:
    """Authentication: "must not contain more than 20 delegations"."""
    assert Chain(network, 21).refused(canister, kind)


@pytest.mark.parametrize("kind", ["call", "query", "read_state"])
def test_an_expired_delegation_is_refused(network: Network, canister: Canister, kind: str) -> None:
    """Authentication: `expiration` of a delegation."""
    assert Chain(network, expiration=network.now_ns() - MINUTE_NS).refused(canister, kind)


@pytest.mark.parametrize("kind", ["call", "query"])
def test_a_delegation_holds_for_its_targets(
    network: Network, canister: Canister, other: Canister, kind: str
) -> None:
    """Authentication: `targets` of a delegation."""
    assert Chain(network, targets=[other.id]).refused(canister, kind)
    assert not Chain(network, targets=[other.id, canister.id]).refused(canister, kind)
    assert Chain(network, targets=[]).refused(canister, kind)


def test_all_delegations_of_a_chain_restrict(network: Network, canister: Canister, other: Canister) -> None:
    """Authentication: targets of the chain are the intersection of all links' targets."""
    keys = [ed25519_key() for _ in range(3)]
    later = network.now_ns() + MINUTE_NS
    links = [
        delegate(keys[0], der(keys[1]), later, [canister.id]),
        delegate(keys[1], der(keys[2]), later, [other.id]),
    ]
    user = User(network, Identity(keys[0], keys[2], links))
    for target in (canister, other):
        assert is_refused(user, target, user.envelope(content_of(user, target, "call")))


def test_the_status_of_a_request_needs_its_canister_among_the_targets(
    network: Network, canister: Canister, other: Canister
) -> None:
    """Abstract behavior, certified state reads: the request's canister must be a target of the delegation."""
    chain = Chain(network, targets=[canister.id, other.id])
    content = content_of(chain.user, canister, "call")
    post(chain.user, canister, chain.user.envelope(content))
    narrowed = User(network, Identity(chain.identity.root, chain.identity.signer, []))
    link = delegate(chain.identity.root, der(chain.identity.signer), network.now_ns() + MINUTE_NS, [other.id])
    assert narrowed.identity is not None
    narrowed.identity.delegations = [link]
    paths = [[b"request_status", value_hash(content)]]
    for user, refused in ((chain.user, False), (narrowed, True)):
        read_state = user.content("read_state", paths=paths)
        assert is_refused(user, canister, user.envelope(read_state), "read_state") is refused


@pytest.mark.parametrize("count, refused", [(1000, False), (1001, True)])
def test_the_number_of_targets_is_bounded(
    network: Network, canister: Canister, count: int, refused: bool
) -> None:
    """Authentication: "no more than 1000 elements"."""
    assert Chain(network, targets=[canister.id] * count).refused(canister) is refused


def test_a_chain_must_hold_together(network: Network, canister: Canister) -> None:
    """Authentication: each link is signed by the key before it, and no key appears twice."""
    chain = Chain(network, 2)
    first, second = chain.identity.delegations
    later = network.now_ns() + MINUTE_NS
    root, signer = chain.identity.root, chain.identity.signer
    for links in ([second], [second, first], [first], [first, {**second, "signature": first["signature"]}]):
        chain.identity.delegations = links
        assert chain.refused(canister)
    itself = User(network, Identity(root, root, [delegate(root, der(root), later)]))
    assert is_refused(itself, canister, itself.envelope(content_of(itself, canister, "call")))
    back = [delegate(root, der(signer), later), delegate(signer, der(root), later)]
    cycle = User(network, Identity(root, root, back))
    assert is_refused(cycle, canister, cycle.envelope(content_of(cycle, canister, "call")))
