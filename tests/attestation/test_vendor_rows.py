"""What a policy makes of collateral: unverifiable rows become valid, and only by what the vendor signed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from attestation import (
    PRODUCTION,
    SIMULATED,
    CertificateRevoked,
    Claim,
    Collateral,
    CollateralExpired,
    GuestClaims,
    MeasurementMismatch,
    PolicyRefused,
    SignatureInvalid,
    VerifiedLinks,
    encode_bundle,
    verify_bundle,
)
from attestation.facts import CpuFacts, EvidenceFacts, GpuFacts, RevocationFact
from attestation.policy import DEVELOPMENT_NVIDIA_MANIFEST_ROOTS, NVIDIA_MANIFEST_ROOTS, Policy
from attestation.policy_evaluation import evaluate
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from attestation.simulator.collateral import DRIVER_INDEXES, manifest, ocsp_answer
from attestation.simulator.development_pki import load_authority

if TYPE_CHECKING:
    from tests.attestation.conftest import Scene

# Of the CPU's collateral there are tests elsewhere: only what is said about NVIDIA's devices counts here.
CHECKING = dataclasses.replace(
    SIMULATED,
    name="checking",
    gpu_modes=("single-gpu", "protected-pcie"),
    require_reference_values=True,
    require_revocation=True,
)
HOUR_NS = 3600 * 1_000_000_000
GIVEN = {
    "gpu[0].driver_manifest",
    "gpu[0].driver_manifest.root",
    "gpu[0].driver_manifest.revocation.signer",
    "gpu[0].driver_manifest.revocation.intermediate",
    "gpu[0].driver_manifest.revocation.authority",
    "gpu[0].vbios_manifest",
    "gpu[0].vbios_manifest.root",
    "gpu[0].vbios_manifest.revocation.signer",
    "gpu[0].reference_values",
    "gpu[0].revocation.boot_rom",
    "gpu[0].revocation.provisioner",
    "gpu[0].revocation.identity",
}


class Stage:
    """A machine, its bundle and its collateral."""

    def __init__(self, scene: Scene, gpus: int = 1, switches: int = 0, **settings: Any) -> None:
        self.scene = scene
        self.machine = SimulatedMachine("vendor", gpus, Settings(**settings), switches)
        self.bundle = encode_bundle(
            self.machine.collect(
                scene.nonce, scene.operator, scene.session_public_key, scene.transport_public_key
            )
        )
        self.collateral = collateral_of(self.machine, scene.now_ns)

    def rows(
        self, collateral: Collateral | None = None, policy: Policy = CHECKING, later_ns: int = 0
    ) -> dict[str, Claim]:
        """The rows about NVIDIA's devices."""
        given = self.collateral if collateral is None else collateral
        now_ns = self.scene.now_ns + later_ns
        try:
            claims = verify_bundle(
                self.bundle, self.scene.binding, policy, now_ns, VerifiedLinks(), given
            ).claims
        except PolicyRefused as refused:
            claims = refused.claims
        return {claim.name: claim for claim in claims if not claim.name.startswith("cpu.")}

    def failed(self, *arguments: Any, **options: Any) -> dict[str, str]:
        """Verdicts of the rows that are not valid."""
        rows = self.rows(*arguments, **options).values()
        return {claim.name: claim.verdict for claim in rows if claim.verdict != "valid"}


@pytest.fixture(scope="module")
def stage(scene: Scene) -> Stage:
    return Stage(scene)


def test_complete_collateral_makes_every_row_valid(stage: Stage) -> None:
    rows = stage.rows()
    assert stage.failed() == {}
    assert GIVEN <= set(rows)
    assert rows["gpu[0].reference_values"].found == "33 are equal"
    assert rows["gpu[0].revocation.boot_rom"].found == "good, 0 s ago: SIMULATED GH100 A01 GSP BROM"


def test_without_collateral_the_rows_are_unverifiable(stage: Stage) -> None:
    assert stage.failed(Collateral()) == dict.fromkeys(
        (
            "gpu[0].driver_manifest",
            "gpu[0].vbios_manifest",
            "gpu[0].reference_values",
            "gpu[0].revocation.boot_rom",
            "gpu[0].revocation.provisioner",
            "gpu[0].revocation.identity",
        ),
        "unverifiable",
    )


def test_one_missing_answer_or_manifest_is_one_row(stage: Stage) -> None:
    machine, now_ns = stage.machine, stage.scene.now_ns
    for name, row in (
        ("SIMULATED GH100 A01 GSP BROM", "gpu[0].revocation.boot_rom"),
        ("SIMULATED NVIDIA GH100 Provisioner ICA 1", "gpu[0].revocation.provisioner"),
        ("SIMULATED NVIDIA GH100 Identity", "gpu[0].revocation.identity"),
    ):
        assert stage.failed(collateral_of(machine, now_ns, leave_out=[name])) == {row: "unverifiable"}
    driver_only = dataclasses.replace(stage.collateral, rims=stage.collateral.rims[:1])
    assert stage.failed(driver_only) == dict.fromkeys(
        ("gpu[0].vbios_manifest", "gpu[0].reference_values"), "unverifiable"
    )


@pytest.mark.parametrize(
    "name",
    [
        "SIMULATED GH100 A01 GSP BROM",
        "SIMULATED NVIDIA GH100 Identity",
        "SIMULATED RIM L4 Signer",
        "SIMULATED NVIDIA Reference Value CA",
    ],
)
def test_a_revoked_certificate_is_refused_whatever_the_policy(stage: Stage, name: str) -> None:
    collateral = collateral_of(stage.machine, stage.scene.now_ns, revoked=[name])
    for policy in (CHECKING, SIMULATED):
        with pytest.raises(CertificateRevoked, match=name):
            stage.rows(collateral, policy)


def test_answers_older_than_the_policy_allows_are_unverifiable(stage: Stage) -> None:
    strict = dataclasses.replace(CHECKING, maximum_revocation_age_s=3600)
    assert stage.failed(policy=strict, later_ns=HOUR_NS) == {}
    failed = stage.failed(policy=strict, later_ns=HOUR_NS + 10**9)
    assert len(failed) == 9 and set(failed.values()) == {"unverifiable"}
    with pytest.raises(CollateralExpired, match="fetch a new one"):
        stage.rows(later_ns=25 * HOUR_NS)


def test_an_answer_about_another_gpu_leaves_the_row_unverifiable(stage: Stage, scene: Scene) -> None:
    other = SimulatedMachine("another", 1)
    collateral = dataclasses.replace(stage.collateral, ocsp=collateral_of(other, scene.now_ns).ocsp)
    assert stage.failed(collateral) == {"gpu[0].revocation.boot_rom": "unverifiable"}


def test_a_forged_answer_or_manifest_is_refused(stage: Stage) -> None:
    identity, root = load_authority("nvidia_identity"), load_authority("nvidia_root")
    answer = ocsp_answer(identity.certificate, root, stage.scene.now_ns)
    forged = answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]
    with pytest.raises(SignatureInvalid):
        stage.rows(Collateral(ocsp=(forged,)))
    rim = stage.collateral.rims[0]
    at = rim.index(b"<ds:SignatureValue>") + 30
    changed = b"A" if rim[at : at + 1] != b"A" else b"B"
    with pytest.raises(SignatureInvalid):
        stage.rows(Collateral(rims=(rim[:at] + changed + rim[at + 1 :],)))


def test_a_manifest_may_be_denied_though_soundly_signed(stage: Stage) -> None:
    digest = stage.rows()["gpu[0].driver_manifest"].found
    policy = dataclasses.replace(CHECKING, denied_manifests=(digest,))
    assert stage.failed(policy=policy) == {"gpu[0].driver_manifest": "invalid"}


def test_a_manifest_under_another_root_is_refused(stage: Stage) -> None:
    for roots in ((), ("00" * 32,)):
        policy = dataclasses.replace(CHECKING, simulated=True)
        object.__setattr__(policy, "manifest_roots", roots)
        assert stage.failed(policy=policy) == {
            "gpu[0].driver_manifest.root": "invalid",
            "gpu[0].vbios_manifest.root": "invalid",
        }


def test_the_production_policy_names_the_genuine_manifest_root_only() -> None:
    assert PRODUCTION.manifest_roots == NVIDIA_MANIFEST_ROOTS != DEVELOPMENT_NVIDIA_MANIFEST_ROOTS


def test_a_changed_measurement_is_refused(scene: Scene) -> None:
    for index in (DRIVER_INDEXES[0], 3):
        changed = Stage(scene, changed_measurements=(index,))
        with pytest.raises(MeasurementMismatch, match=f"measurements {index} "):
            changed.rows()
    harmless = Stage(scene, changed_measurements=(50,))
    assert harmless.failed() == {}


def test_manifests_for_other_versions_do_not_count(scene: Scene) -> None:
    newer = Stage(scene, driver="570.124.06")
    older = manifest("GPU", "GH100", "550.90.07", DRIVER_INDEXES, 64)
    given = dataclasses.replace(newer.collateral, rims=(older, newer.collateral.rims[1]))
    assert newer.failed(given) == dict.fromkeys(
        ("gpu[0].driver_manifest", "gpu[0].reference_values"), "unverifiable"
    )
    assert newer.failed() == {}


def test_a_whole_board_is_accepted_with_its_collateral(scene: Scene) -> None:
    board = Stage(scene, gpus=8, switches=4, gpu_mode="protected-pcie")
    rows = board.rows()
    assert board.failed() == {}
    assert rows["switch[3].reference_values"].found == "31 are equal"
    assert rows["switch[0].revocation.boot_rom"].verdict == rows["topology"].verdict == "valid"
    assert len(rows) == len(set(rows))
    failed = board.failed(Collateral())
    assert {name for name in failed if name.startswith("switch[2]")} == {
        "switch[2].vbios_manifest",
        "switch[2].reference_values",
        "switch[2].revocation.boot_rom",
        "switch[2].revocation.provisioner",
        "switch[2].revocation.identity",
    }
    outdated = dataclasses.replace(
        CHECKING, minimum_vbios={**CHECKING.minimum_vbios, "LS_10": "96.10.6D.00.01"}
    )
    assert board.failed(policy=outdated) == {f"switch[{i}].vbios": "invalid" for i in range(4)}
    denied = dataclasses.replace(CHECKING, denied_devices=(board.machine.switches[1].device_id.lower(),))
    assert board.failed(policy=denied) == {"switch[1].device": "invalid"}


def test_switches_are_bound_and_summed_up(scene: Scene) -> None:
    board = Stage(scene, gpus=8, switches=4, gpu_mode="protected-pcie")
    policy = dataclasses.replace(SIMULATED, gpu_modes=("protected-pcie",))
    accepted = verify_bundle(board.bundle, scene.binding, policy, scene.now_ns)
    assert [entry.device_id for entry in accepted.switches] == [
        switch.device_id for switch in board.machine.switches
    ]
    assert {(entry.chip, entry.vbios) for entry in accepted.switches} == {("LS_10", "96.10.55.00.01")}


@pytest.mark.parametrize(
    ("status", "age_s", "verdict"),
    [
        ("good", 86_400, "valid"),
        ("good", 86_401, "unverifiable"),
        ("unknown", 0, "unverifiable"),
        ("missing", 0, "unverifiable"),
    ],
)
def test_only_a_good_and_fresh_answer_is_valid(status: str, age_s: int, verdict: str) -> None:
    facts = (RevocationFact("x", status, age_s),) * 3
    gpu = GpuFacts("", "", "GH100", "", "550.90.07", "96.00.9F.00.01", True, revocation=facts)
    cpu = CpuFacts("sev-snp", "Genoa", "", "", "", {}, False, False, 0)
    guest = GuestClaims("on", "off", "550.90.07", "0.1.0")
    claims = {claim.name: claim for claim in evaluate(CHECKING, EvidenceFacts(cpu, (gpu,), guest)).claims}
    for role in ("boot_rom", "provisioner", "identity"):
        assert claims[f"gpu[0].revocation.{role}"].verdict == verdict
