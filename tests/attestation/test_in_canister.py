"""The same core inside a canister: same verdicts as outside, within the instruction limit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attestation import (
    SIMULATED,
    AttestationError,
    Binding,
    Collateral,
    encode_bundle,
    encode_collateral,
    verify_bundle,
)
from attestation.simulator import Settings, SimulatedMachine
from benchmarks.attestation_instructions import (
    LIMIT_MILLIONS,
    NONCE,
    NOW_NS,
    OPERATOR,
    SESSION_PUBLIC_KEY,
    TRANSPORT_PUBLIC_KEY,
    Verifier,
    bundle_and_collateral,
    simulated_bundle,
)
from tests.network import skipped_when_given
from tests.network_canister import open_host


@pytest.fixture(scope="module")
def verifier() -> Iterator[Verifier]:
    with open_host() as host:
        yield Verifier(host)


def outside(bundle: bytes) -> str:
    try:
        verify_bundle(bundle, Binding(NONCE, OPERATOR), SIMULATED, NOW_NS)
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return "accepted"


def bundles() -> Iterator[bytes]:
    good = simulated_bundle()
    yield good
    yield b""
    yield good[:-1]
    for offset in (20, 15 + 0x90, 15 + 0x2A0, 1300, 3000, 4000, 5600, 7000, 12000, len(good) - 1):
        yield good[:offset] + bytes((good[offset] ^ 1,)) + good[offset + 1 :]
    for settings in (Settings(debug=True), Settings(gpu_nonce=bytes(32)), Settings(devtools="on")):
        machine = SimulatedMachine("benchmark", settings=settings)
        yield encode_bundle(machine.collect(NONCE, OPERATOR, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY))


def test_verdicts_are_the_same_inside_and_outside(verifier: Verifier) -> None:
    verdicts = [(verifier.verify(bundle).verdict, outside(bundle)) for bundle in bundles()]
    assert verdicts[0][0] == "accepted"
    assert [inside for inside, _ in verdicts] == [expected for _, expected in verdicts]
    assert len({inside.split()[0] for inside, _ in verdicts}) >= 5


@skipped_when_given("counts instructions")
def test_one_attestation_stays_below_the_instruction_limit(verifier: Verifier) -> None:
    run = verifier.verify(simulated_bundle())
    assert run.verdict == "accepted"
    assert run.instructions < LIMIT_MILLIONS * 1_000_000


@skipped_when_given("counts instructions")
def test_remembered_links_save_instructions_and_change_no_verdict(verifier: Verifier) -> None:
    bundle = simulated_bundle()
    first = verifier.verify(bundle, remember=True)
    again = verifier.verify(bundle, remember=True)
    assert first.verdict == again.verdict == "accepted"
    assert again.instructions < first.instructions / 2


def test_collateral_gives_the_same_verdicts_inside_and_outside(verifier: Verifier) -> None:
    bundle, collateral = bundle_and_collateral()
    assert verifier.verify_with(bundle, collateral, remember=True).verdict == "accepted"
    again = verifier.verify_with(bundle, collateral, remember=True)
    assert again.verdict == "accepted" and again.instructions < 500_000_000
    none = encode_collateral(Collateral())
    assert verifier.verify_with(bundle, none, remember=True).verdict == "PolicyRefused policy"
    at = collateral.index(b"ns2:Hash0") + 20
    changed = collateral[:at] + bytes((collateral[at] ^ 1,)) + collateral[at + 1 :]
    verdict = verifier.verify_with(bundle, changed, remember=True).verdict
    assert verdict.startswith(("ManifestInvalid collateral.rims[", "MalformedEvidence collateral.rims["))
