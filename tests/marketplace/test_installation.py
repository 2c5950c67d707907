"""What a marketplace is when it is installed with few arguments, or none."""

from __future__ import annotations

from typing import Any

import pytest

from canisters.marketplace.core import installation
from canisters.marketplace.core.errors import InvalidArgument
from canisters.marketplace.core.model import Config
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import MemoryMap
from canisters.marketplace.core.types import ANONYMOUS, BasisPoints, Message, Principal, Timestamp
from tests.marketplace.world import GOVERNOR, SELF, START, person

PEERS = {"ledger": person("ledger"), "vault": person("vault")}


def installed(peers: Any = None, caller: Principal = GOVERNOR, **given: Any) -> Config:
    state = State(lambda name: MemoryMap())
    with state.atomically():
        message = Message(caller, Timestamp(START))
        installation.install(
            state, message, SELF, installation.InitArgs(**given), PEERS if peers is None else peers
        )
        return state.config


def test_without_arguments_it_is_a_production_marketplace_of_who_installs_it() -> None:
    config = installed()
    assert (config.ledger, config.vault) == (PEERS["ledger"], PEERS["vault"])
    assert config.governors == (GOVERNOR,) and config.arbiter == config.treasury == GOVERNOR
    assert config.vetkd_key_name == "key_1" and config.allow_simulated is False
    assert (config.platform_basis_points, config.review_window_s) == (250, 86_400)


def test_an_argument_takes_the_place_of_a_default() -> None:
    config = installed(
        ledger=person("other"),
        governors=(),
        platform_basis_points=BasisPoints(0),
        vetkd_key_name="test_key_1",
        allow_simulated=True,
    )
    assert (config.ledger, config.vault) == (person("other"), PEERS["vault"])
    assert (config.governors, config.platform_basis_points, config.allow_simulated) == ((), 0, True)


@pytest.mark.parametrize("missing", ["ledger", "vault"])
def test_without_a_ledger_or_vault_it_is_not_installed(missing: str) -> None:
    with pytest.raises(InvalidArgument, match=f"PUBLIC_CANISTER_ID:{missing}"):
        installed({**PEERS, missing: None})
    assert installed({**PEERS, missing: None}, **{missing: person("other")})


def test_simulated_evidence_needs_a_test_key() -> None:
    with pytest.raises(InvalidArgument, match="use test_key_1"):
        installed(allow_simulated=True)


def test_what_the_anonymous_identity_installs_for_development_nobody_governs() -> None:
    """So that `icp deploy` works before anybody made an identity."""
    config = installed(caller=ANONYMOUS, allow_simulated=True, vetkd_key_name="test_key_1")
    assert config.governors == (SELF,) and config.arbiter == config.treasury == SELF


def test_the_anonymous_identity_installs_no_production_marketplace() -> None:
    with pytest.raises(InvalidArgument, match="anonymous"):
        installed(caller=ANONYMOUS)
