"""A vault learns its marketplace from its argument, or from the environment that `icp deploy` sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk.candid import Principal
from cdk.testing import Simulator, System, Trapped

ROOT = Path(__file__).resolve().parents[2]
MARKETPLACE = Principal(bytes(8) + b"\x01\x01")
OTHER = Principal(bytes(8) + b"\x02\x01")
VARIABLE = {"PUBLIC_CANISTER_ID:marketplace": MARKETPLACE.to_str()}


def installed(argument: dict[str, Principal] | None, environment: dict[str, str]) -> Simulator:
    given = () if argument is None else (argument,)
    return Simulator("canisters.vault.main", *given, root=ROOT, system=System(environment=environment))


def may_grant(simulator: Simulator, caller: Principal) -> bool:
    return "Ok" in simulator.update("grant", [], caller=caller)


def test_the_environment_names_the_marketplace() -> None:
    simulator = installed(None, VARIABLE)
    assert may_grant(simulator, MARKETPLACE) and not may_grant(simulator, OTHER)


def test_an_argument_counts_more() -> None:
    simulator = installed({"marketplace": OTHER}, VARIABLE)
    assert may_grant(simulator, OTHER) and not may_grant(simulator, MARKETPLACE)


def test_a_vault_that_nobody_told_is_not_installed() -> None:
    with pytest.raises(Trapped, match="PUBLIC_CANISTER_ID:marketplace"):
        installed(None, {})
    with pytest.raises(Trapped, match="no principal"):
        installed(None, {"PUBLIC_CANISTER_ID:marketplace": "no principal"})
