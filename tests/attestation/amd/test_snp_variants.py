"""SEV-SNP beyond Genoa's VCEKs: VLEKs, Milan, Turin, reports of version 5, and AMD's revocation lists."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from attestation import (
    PRODUCTION,
    SIMULATED,
    Attestation,
    AttestationError,
    CertificateRevoked,
    ChainInvalid,
    CollateralExpired,
    EvidenceInconsistent,
    HardwareIdMismatch,
    PolicyRefused,
    SecurityVersionMismatch,
    VerifiedLinks,
    encode_bundle,
    verify_bundle,
)
from attestation.amd import report as layout
from attestation.amd import verify as amd
from attestation.certificate_chain import check_chain_signatures
from attestation.collateral import NO_COLLATERAL, Collateral
from attestation.simulator import Settings, SimulatedMachine
from attestation.simulator.settings import SnpSettings
from attestation.simulator.snp import SimulatedPlatform
from attestation.x509 import parse_certificate

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples, Scene

NOW_NS = 1_790_000_000 * 1_000_000_000
YEAR_NS = 366 * 86_400 * 1_000_000_000
TURIN_TCB = {"fmc": 1, "bootloader": 2, "tee": 0, "snp": 4, "microcode": 70}
DATA = bytes(range(64))
ONLY_CPU = dataclasses.replace(
    SIMULATED,
    minimum_gpus=0,
    snp_signing_keys=("VCEK", "VLEK"),
    minimum_tcb={"Genoa": {}, "Milan": {"snp": 23}, "Turin": TURIN_TCB},
)


def settings(tcb: dict[str, int] | None = None, **snp: Any) -> Settings:
    made = Settings(snp=SnpSettings(**snp))
    return made if tcb is None else dataclasses.replace(made, tcb=tcb)


def read(platform: SimulatedPlatform, report: bytes | None = None) -> amd.SnpEvidence:
    evidence = amd.read_evidence(report or platform.report(DATA), platform.chain, NOW_NS)
    amd.check_signatures(evidence, VerifiedLinks())
    return evidence


def verify(
    scene: Scene,
    made: Settings,
    policy: Any = ONLY_CPU,
    collateral: Collateral | None = None,
    now_ns: int = NOW_NS,
) -> Attestation:
    machine = SimulatedMachine("variants", 0, made)
    evidence = machine.collect(
        scene.nonce, scene.operator, scene.session_public_key, scene.transport_public_key
    )
    given = machine.platform.collateral(NOW_NS) if collateral is None else collateral
    return verify_bundle(encode_bundle(evidence), scene.binding, policy, now_ns, None, given)


def refused_rows(scene: Scene, made: Settings, policy: Any, **arguments: Any) -> dict[str, str]:
    with pytest.raises(PolicyRefused) as refusal:
        verify(scene, made, policy, **arguments)
    return {claim.name: claim.verdict for claim in refusal.value.failed}


@pytest.mark.parametrize("product", ["Milan", "Genoa", "Turin"])
@pytest.mark.parametrize("vlek", [False, True])
@pytest.mark.parametrize("version", [2, 3, 5])
def test_every_product_key_and_version_is_accepted(
    scene: Scene, product: str, vlek: bool, version: int
) -> None:
    tcb = TURIN_TCB if product == "Turin" else None
    found = verify(scene, settings(tcb, product=product, vlek=vlek, report_version=version))
    assert (found.cpu.kind, found.cpu.product) == ("sev-snp", product)
    assert refused_rows(scene, settings(tcb, product=product, vlek=vlek), PRODUCTION)["cpu.root"] == "invalid"


def test_a_vlek_needs_a_policy_that_names_it(scene: Scene) -> None:
    only_chips = dataclasses.replace(ONLY_CPU, snp_signing_keys=("VCEK",))
    assert refused_rows(scene, settings(vlek=True), only_chips) == {"cpu.signing_key": "invalid"}
    assert verify(scene, settings(), only_chips).cpu.product == "Genoa"


@pytest.mark.parametrize("vlek", [False, True])
def test_a_report_that_names_another_key_than_its_chains_is_refused(vlek: bool) -> None:
    platform = SimulatedPlatform(b"variants", settings(vlek=vlek))
    report = bytearray(platform.report(DATA))
    report[layout.KEY_FLAGS] ^= 1 << layout.SIGNING_KEY_SHIFT
    with pytest.raises(EvidenceInconsistent, match="signing_key"):
        read(platform, bytes(report))


def test_authorities_of_chips_and_providers_do_not_mix() -> None:
    chip, provider = (SimulatedPlatform(b"variants", settings(vlek=vlek)) for vlek in (False, True))
    for leaf, authorities, report in (
        (chip.chain[0], provider.chain[1:], chip.report(DATA)),
        (provider.chain[0], chip.chain[1:], provider.report(DATA)),
    ):
        with pytest.raises(ChainInvalid, match="SEV-VLEK-Genoa"):
            amd.read_evidence(report, (leaf, *authorities), NOW_NS)


def test_turins_chip_id_has_8_bytes() -> None:
    platform = SimulatedPlatform(b"variants", settings(TURIN_TCB, product="Turin"))
    assert platform.chip_id[8:] == bytes(56)
    evidence = read(platform)
    assert evidence.tcb == TURIN_TCB
    longer = dataclasses.replace(
        settings(TURIN_TCB, product="Turin"), reported_chip_id=platform.chip_id[:8] + b"\1" + bytes(55)
    )
    with pytest.raises(HardwareIdMismatch, match="chip_id"):
        read(SimulatedPlatform(b"variants", longer))


@pytest.mark.parametrize("component", TURIN_TCB)
def test_a_turin_report_of_other_firmware_than_certified_is_refused(component: str) -> None:
    newer = {**TURIN_TCB, component: TURIN_TCB[component] + 1}
    faulty = dataclasses.replace(settings(TURIN_TCB, product="Turin"), reported_tcb=newer)
    with pytest.raises(SecurityVersionMismatch, match=component):
        read(SimulatedPlatform(b"variants", faulty))


def test_each_product_has_its_own_minimum(scene: Scene) -> None:
    old = {**TURIN_TCB, "fmc": 0}
    assert refused_rows(scene, settings(old, product="Turin"), ONLY_CPU) == {"cpu.tcb": "invalid"}
    without = dataclasses.replace(ONLY_CPU, minimum_tcb={"Milan": {}})
    assert refused_rows(scene, settings(TURIN_TCB, product="Turin"), without) == {"cpu.tcb": "invalid"}


@pytest.mark.parametrize(
    ("version", "vectors", "verdict"),
    [
        (5, (0b111, 0b111), None),
        (5, (0b101, 0b111), None),
        (5, (0b100, 0b111), "invalid"),
        (5, (0b111, 0b100), "invalid"),
        (3, (0b111, 0b111), "unverifiable"),
    ],
)
def test_mitigations_must_be_there_at_launch_and_now(
    scene: Scene, version: int, vectors: tuple[int, int], verdict: str | None
) -> None:
    policy = dataclasses.replace(ONLY_CPU, required_mitigations={"Genoa": 0b101})
    made = settings(report_version=version, mitigations=vectors)
    if verdict is None:
        assert verify(scene, made, policy).cpu.product == "Genoa"
    else:
        assert refused_rows(scene, made, policy) == {"cpu.mitigations": verdict}


def test_revocation_needs_amds_list(scene: Scene) -> None:
    policy = dataclasses.replace(ONLY_CPU, require_revocation=True)
    assert verify(scene, settings(), policy).cpu.product == "Genoa"
    assert refused_rows(scene, settings(), policy, collateral=NO_COLLATERAL) == {
        "cpu.revocation": "unverifiable"
    }


@pytest.mark.parametrize("vlek", [False, True])
def test_a_revoked_authority_is_refused_whatever_the_policy(scene: Scene, vlek: bool) -> None:
    with pytest.raises(CertificateRevoked):
        verify(scene, settings(vlek=vlek, revoked=("ask",)))


def test_an_outdated_list_is_refused(scene: Scene) -> None:
    for now_ns in (NOW_NS + YEAR_NS, NOW_NS - 1_000_000_000):
        with pytest.raises(CollateralExpired, match="newer"):
            verify(scene, settings(), now_ns=now_ns)


def test_a_list_that_was_changed_is_refused(scene: Scene) -> None:
    made = SimulatedPlatform(b"variants", settings()).collateral(NOW_NS).crls[0]
    for at in range(0, len(made), 7):
        changed = made[:at] + bytes((made[at] ^ 1,)) + made[at + 1 :]
        policy = dataclasses.replace(ONLY_CPU, require_revocation=True)
        with pytest.raises(AttestationError):
            verify(scene, settings(), policy, collateral=Collateral(crls=(changed,)))


@pytest.mark.parametrize("product", ["milan", "genoa", "turin"])
@pytest.mark.parametrize("kind", ["vcek", "vlek"])
def test_genuine_authorities_of_every_product_verify(samples: Samples, product: str, kind: str) -> None:
    suffix = "_vlek" if kind == "vlek" else "_vcek" if product == "turin" else ""
    chain = tuple(
        parse_certificate(der, "authority")
        for der in samples.certificates(f"amd/ask_ark_{product}{suffix}.pem")
    )
    check_chain_signatures(chain, VerifiedLinks(), "authorities")
    prefix = "SEV-VLEK-" if kind == "vlek" else "SEV-"
    names = [certificate.subject.common_name for certificate in chain]
    assert names == [prefix + product.capitalize(), f"ARK-{product.capitalize()}"]
    assert chain[1].sha256 in PRODUCTION.cpu_roots
