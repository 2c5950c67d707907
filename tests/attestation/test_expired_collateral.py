"""Outdated collateral is unavailable, not wrong evidence: whatever its kind, a newer piece is what helps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from attestation import SIMULATED, Collateral, encode_bundle
from attestation.crypto.backend import PURE, selected
from attestation.errors import CollateralExpired, CollateralUnavailable
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from leasehold.errors import CollateralUnavailableError
from leasehold.evidence.verification import Verification, verify_offline

if TYPE_CHECKING:
    from tests.attestation.conftest import Scene

DAY_NS = 86_400 * 1_000_000_000
POLICY = dataclasses.replace(SIMULATED, minimum_gpus=0)


def verified(scene: Scene, kind: str, now_ns: int) -> Verification:
    """Evidence at `now_ns` with one kind of collateral, which was made at the scene's time."""
    cpu, gpus = ("tdx", 0) if kind == "statements" else ("sev-snp", 1 if kind == "ocsp" else 0)
    machine = SimulatedMachine("expired", gpus, Settings(), cpu=cpu)
    keys = (scene.session_public_key, scene.transport_public_key)
    bundle = encode_bundle(machine.collect(scene.nonce, scene.operator, *keys))
    collateral = machine.platform.collateral(scene.now_ns)
    if kind == "ocsp":
        collateral = Collateral(ocsp=collateral_of(machine, scene.now_ns).ocsp)
    return verify_offline(bundle, POLICY, now_ns, binding=scene.binding, collateral=collateral)


@pytest.mark.parametrize(("kind", "days"), [("ocsp", 2), ("statements", 100), ("crl", 400)])
def test_outdated_collateral_is_asked_for_again(scene: Scene, kind: str, days: int) -> None:
    assert not isinstance(verified(scene, kind, scene.now_ns).problem, CollateralUnavailableError)
    outdated = verified(scene, kind, scene.now_ns + days * DAY_NS).problem
    assert isinstance(outdated, CollateralUnavailableError)
    assert outdated.exit_code == 6
    assert issubclass(CollateralExpired, CollateralUnavailable)


def test_openssl_computes_for_the_command_line_alone(scene: Scene) -> None:
    assert verified(scene, "crl", scene.now_ns).accepted
    assert selected() is PURE
