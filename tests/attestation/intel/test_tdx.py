"""TDX evidence in a bundle: each fault is refused by its own error or row, and by production policies."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import pytest

from attestation import (
    PRODUCTION,
    SIMULATED,
    Attestation,
    AttestationError,
    BindingMismatch,
    CertificateExpired,
    CertificateRevoked,
    EvidenceInconsistent,
    MalformedEvidence,
    PolicyRefused,
    SignatureInvalid,
    VerifiedLinks,
    decode_bundle,
    encode_bundle,
    verify_bundle,
)
from attestation.collateral import NO_COLLATERAL, Collateral, decode_collateral, encode_collateral
from attestation.errors import CollateralExpired, CollateralUnavailable, PlatformUnrecognized
from attestation.intel.pccs import collateral_from_json
from attestation.intel.quote import MR_TD, guest_measurement, parse_quote
from attestation.intel.verify import check_signatures, read_evidence
from attestation.policy import DEVELOPMENT_INTEL_ROOTS, INTEL_ROOTS, SIMULATED_TDX_MEASUREMENT
from attestation.simulator import Settings, SimulatedMachine
from attestation.simulator.development_pki import load_authority
from attestation.simulator.tdx_settings import TdxSettings

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples, Scene

NANOSECONDS = 1_000_000_000
STRIDE = 1 if os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1" else 11
DAY_NS = 86_400 * NANOSECONDS
ONLY_CPU = dataclasses.replace(SIMULATED, minimum_gpus=0)


@dataclasses.dataclass(frozen=True)
class Made:
    """A bundle of a simulated TDX machine without GPUs, its collateral, and how to verify them."""

    scene: Scene
    bundle: bytes
    collateral: Collateral

    def verify(
        self,
        policy: Any = ONLY_CPU,
        collateral: Collateral | None = None,
        now_ns: int | None = None,
        links: VerifiedLinks | None = None,
    ) -> Attestation:
        """Outcome under `policy`, with other collateral or at another time if given."""
        given = self.collateral if collateral is None else collateral
        return verify_bundle(
            self.bundle, self.scene.binding, policy, now_ns or self.scene.now_ns, links, given
        )


def made(scene: Scene, seed: str = "tdx", tdx: dict[str, Any] | None = None, **settings: Any) -> Made:
    machine = SimulatedMachine(seed, 0, Settings(tdx=TdxSettings(**(tdx or {})), **settings), cpu="tdx")
    evidence = machine.collect(
        scene.nonce, scene.operator, scene.session_public_key, scene.transport_public_key
    )
    return Made(scene, encode_bundle(evidence), machine.platform.collateral(scene.now_ns))


@pytest.fixture(scope="module")
def good(scene: Scene) -> Made:
    return made(scene)


def refused_rows(attempt: Made, policy: Any = ONLY_CPU) -> set[str]:
    with pytest.raises(PolicyRefused) as refusal:
        attempt.verify(policy)
    return {claim.name for claim in refusal.value.failed}


def test_sound_evidence_is_accepted_and_told_apart(good: Made) -> None:
    found = good.verify()
    assert (found.simulated, found.cpu.kind, found.cpu.product) == (True, "tdx", "TDX")
    assert found.cpu.measurement == SIMULATED_TDX_MEASUREMENT
    assert found.cpu.tcb == "UpToDate, evaluation 17, pce 13"
    assert found.cpu.root_sha256 in DEVELOPMENT_INTEL_ROOTS
    assert {"cpu.chain", "cpu.collateral", "cpu.quoting_enclave", "cpu.signature", "cpu.report_data",
            "cpu.tcb_status", "cpu.memory_exceptions"} <= {claim.name for claim in found.claims}  # fmt: skip


@pytest.mark.parametrize("tdx", [{"version": 5}, {"version": 5, "body_1_5": True}])
def test_version_5_is_accepted_too(scene: Scene, tdx: dict[str, Any]) -> None:
    assert made(scene, tdx=tdx).verify().cpu.kind == "tdx"


def test_a_gpu_goes_with_it(scene: Scene) -> None:
    machine = SimulatedMachine("tdx", 1, cpu="tdx")
    evidence = machine.collect(
        scene.nonce, scene.operator, scene.session_public_key, scene.transport_public_key
    )
    collateral = machine.platform.collateral(scene.now_ns)
    found = verify_bundle(
        encode_bundle(evidence), scene.binding, SIMULATED, scene.now_ns, collateral=collateral
    )
    assert (found.cpu.kind, len(found.gpus)) == ("tdx", 1)


def test_the_production_policy_refuses_the_development_root(good: Made) -> None:
    assert {"cpu.root", "cpu.measurement", "guest.environment"} <= refused_rows(good, PRODUCTION)


@pytest.mark.parametrize(
    ("tdx", "settings", "row"),
    [
        ({}, {"debug": True}, "cpu.debug"),
        ({"attributes": 1 << 28 | 0x20}, {}, "cpu.debug"),
        ({}, {"migratable": True}, "cpu.migration"),
        ({"version": 5, "body_1_5": True, "service_td": b"\1" * 48}, {}, "cpu.migration"),
        ({"attributes": 0}, {}, "cpu.memory_exceptions"),
        ({"pce_svn": 7}, {}, "cpu.tcb_status"),
        ({"qe_security_version": 2}, {}, "cpu.tcb_status"),
        ({"tee_tcb_svn": (3, 1, 3) + (0,) * 13}, {}, "cpu.tcb_status"),
        ({"qe_identity": {"tcbEvaluationDataNumber": 16}}, {}, "cpu.tcb"),
        ({"rtmrs": (bytes(48),) * 4}, {}, "cpu.measurement"),
        ({}, {"measurement": "00" * 48}, "cpu.measurement"),
    ],
)
def test_a_state_the_policy_forbids_is_refused_by_its_row(
    scene: Scene, tdx: dict[str, Any], settings: dict[str, Any], row: str
) -> None:
    assert row in refused_rows(made(scene, tdx=tdx, **settings))


def test_a_policy_that_names_no_status_accepts_none(good: Made) -> None:
    assert refused_rows(good, dataclasses.replace(ONLY_CPU, tdx_tcb_statuses=())) == {"cpu.tcb_status"}


def test_a_policy_may_accept_an_outdated_platform(scene: Scene) -> None:
    old = made(scene, tdx={"pce_svn": 7})
    lenient = dataclasses.replace(
        ONLY_CPU,
        tdx_tcb_statuses=("UpToDate", "OutOfDate"),
        minimum_tcb={"TDX": {"evaluation": 17, "pce": 5}},
    )
    assert old.verify(lenient).cpu.tcb.startswith("OutOfDate")


def test_revocation_is_always_checked(good: Made) -> None:
    assert good.verify(dataclasses.replace(ONLY_CPU, require_revocation=True)).cpu.kind == "tdx"


def test_a_denied_processor_is_refused(good: Made) -> None:
    denied = dataclasses.replace(ONLY_CPU, denied_devices=(good.verify().cpu.chip_id.upper(),))
    assert refused_rows(good, denied) == {"cpu.device"}


@pytest.mark.parametrize("revoked", ["pck", "pck_ca", "tcb_signing"])
def test_a_revoked_certificate_is_refused(scene: Scene, revoked: str) -> None:
    with pytest.raises(CertificateRevoked):
        made(scene, tdx={"revoked": (revoked,)}).verify()


@pytest.mark.parametrize(
    ("tdx", "error", "claim"),
    [
        ({"qe_report_data": bytes(64)}, EvidenceInconsistent, "cpu.attestation_key"),
        ({"qe_signer": bytes(32)}, EvidenceInconsistent, "cpu.quoting_enclave"),
        ({"module_signer": b"\1" * 48}, EvidenceInconsistent, "cpu.module"),
        ({"tee_tcb_svn": (6, 2, 3) + (0,) * 13}, PlatformUnrecognized, "collateral.tcb_info"),
        ({"components": (0,) * 16}, PlatformUnrecognized, "collateral.tcb_info"),
        ({"tcb_info": {"fmspc": "00906ED50000"}}, CollateralUnavailable, "collateral.tcb_info"),
        ({"tcb_info": {"id": "SGX"}}, MalformedEvidence, "collateral.tcb_info"),
        ({"attributes": 1 << 40}, MalformedEvidence, "cpu.report"),
        ({"statement_life_s": 60}, CollateralExpired, "collateral.tcb_info"),
    ],
)
def test_unsound_evidence_is_refused_by_its_error(
    scene: Scene, tdx: dict[str, Any], error: type[AttestationError], claim: str
) -> None:
    with pytest.raises(error) as refusal:
        made(scene, tdx=tdx).verify()
    assert refusal.value.claim == claim


def test_a_revoked_platform_is_refused_whatever_the_policy(scene: Scene) -> None:
    level = {"tcb": {"isvsvn": 1}, "tcbDate": "2024-03-13T00:00:00Z", "tcbStatus": "Revoked"}
    everything = dataclasses.replace(ONLY_CPU, tdx_tcb_statuses=("UpToDate", "Revoked"))
    with pytest.raises(PlatformUnrecognized, match="revoked"):
        made(scene, tdx={"qe_identity": {"tcbLevels": [level]}}).verify(everything)


@pytest.mark.parametrize("missing", ["crls", "tcb_infos", "qe_identities", "certificates"])
def test_without_a_piece_of_collateral_nothing_is_accepted(good: Made, missing: str) -> None:
    with pytest.raises(CollateralUnavailable):
        good.verify(collateral=dataclasses.replace(good.collateral, **{missing: ()}))
    with pytest.raises(CollateralUnavailable):
        good.verify(collateral=NO_COLLATERAL)


@pytest.mark.parametrize("kept", [0, 1])
def test_each_issuers_revocation_list_is_needed(good: Made, kept: int) -> None:
    with pytest.raises(CollateralUnavailable, match="no revocation list"):
        good.verify(
            collateral=dataclasses.replace(good.collateral, crls=good.collateral.crls[kept : kept + 1])
        )


def test_the_newest_of_several_statements_counts(scene: Scene, good: Made) -> None:
    older = made(scene, tdx={"statement_age_s": 7_200, "tcb_info": {"tcbEvaluationDataNumber": 16}})
    both = dataclasses.replace(
        good.collateral, tcb_infos=(*older.collateral.tcb_infos, *good.collateral.tcb_infos)
    )
    assert good.verify(collateral=both).cpu.tcb == "UpToDate, evaluation 17, pce 13"


def test_statements_signed_by_a_pck_authority_are_refused(good: Made) -> None:
    wrong = dataclasses.replace(good.collateral, certificates=(load_authority("intel_pck_ca").der,))
    with pytest.raises(CollateralUnavailable, match="TCB signing"):
        good.verify(collateral=wrong)


def test_a_changed_statement_is_refused(good: Made) -> None:
    changed = good.collateral.tcb_infos[0].replace(b'"pcesvn":11', b'"pcesvn":10')
    with pytest.raises(SignatureInvalid, match="tcb_info"):
        good.verify(collateral=dataclasses.replace(good.collateral, tcb_infos=(changed,)))


def test_outside_the_collaterals_window_nothing_is_accepted(good: Made) -> None:
    for now_ns in (good.scene.now_ns - DAY_NS, good.scene.now_ns + 31 * DAY_NS):
        with pytest.raises(CollateralExpired):
            good.verify(now_ns=now_ns)
    with pytest.raises(CertificateExpired):
        good.verify(now_ns=1_500_000_000 * NANOSECONDS)


@pytest.mark.parametrize("bound", ["nonce", "operator", "bound_session_public_key"])
def test_evidence_for_somebody_else_costs_no_signature(
    scene: Scene, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values: dict[str, Any] = {"nonce": bytes(32), "operator": b"\x01", "bound_session_public_key": bytes(44)}
    attempt = made(scene, **{bound: values[bound]})

    def unexpected(*arguments: object) -> None:
        raise AssertionError("a signature was verified")

    monkeypatch.setattr("attestation.crypto.ecdsa_p256.verify", unexpected)
    with pytest.raises(BindingMismatch):
        attempt.verify()


def test_a_bundle_has_no_other_chain_beside_the_quotes(good: Made) -> None:
    evidence = decode_bundle(good.bundle)
    assert evidence.cpu_chain == ()
    with pytest.raises(MalformedEvidence, match="cpu_chain"):
        encode_bundle(dataclasses.replace(evidence, cpu_chain=(b"x",)))
    with pytest.raises(MalformedEvidence):
        encode_bundle(dataclasses.replace(evidence, cpu_kind="sev-snp"))
    at = good.bundle.index(evidence.cpu_report) + len(evidence.cpu_report)
    with pytest.raises(MalformedEvidence, match="cpu_chain"):
        decode_bundle(good.bundle[:at] + b"\x01" + good.bundle[at + 1 :])


def test_a_quote_is_not_taken_for_another_kind_of_cpu(good: Made) -> None:
    with pytest.raises(AttestationError):
        verify_bundle(good.bundle[:9] + b"\x01" + good.bundle[10:], good.scene.binding, ONLY_CPU, 0)


def test_every_changed_byte_of_quote_and_collateral_is_refused(good: Made) -> None:
    links = VerifiedLinks()
    good.verify(links=links)
    for offset in range(0, len(good.bundle), STRIDE):
        changed = good.bundle[:offset] + bytes((good.bundle[offset] ^ 1,)) + good.bundle[offset + 1 :]
        with pytest.raises(AttestationError):
            dataclasses.replace(good, bundle=changed).verify(links=links)
    container = encode_collateral(good.collateral)
    for offset in range(0, len(container), STRIDE):
        changed = container[:offset] + bytes((container[offset] ^ 1,)) + container[offset + 1 :]
        with pytest.raises(AttestationError):
            good.verify(collateral=decode_collateral(changed), links=links)


def test_the_measurement_is_over_all_that_identifies_the_guest(good: Made) -> None:
    report = parse_quote(decode_bundle(good.bundle).cpu_report).report
    assert report.measured == report.mr_td + bytes(3 * 48) + b"".join(report.rtmrs)
    assert report.measurement == guest_measurement(report.measured)
    assert len(report.measured) == 8 * 48
    assert MR_TD == 136


def test_the_genuine_sample_says_what_it_says(samples: Samples) -> None:
    quote = samples.read("intel/tdx_quote")
    collateral = collateral_from_json(samples.read("intel/tdx_quote_collateral.json").decode())
    for now_s in (1_750_329_147, 1_752_919_234):
        evidence = read_evidence(quote, collateral, now_s * NANOSECONDS)
        facts = check_signatures(evidence, now_s * NANOSECONDS, VerifiedLinks())
        assert [fact.status for fact in facts] == ["good"] * 3
        assert evidence.root_sha256 in INTEL_ROOTS
        assert (evidence.status, evidence.tcb) == ("UpToDate", {"evaluation": 17, "pce": 11})
        assert evidence.report.report_data == quote[568:632]
        assert not evidence.report.debug


def test_the_outdated_sample_is_on_no_level(samples: Samples) -> None:
    quote = samples.read("intel/tdx_quote_outdated")
    collateral = collateral_from_json(samples.read("intel/tdx_quote_outdated_collateral.json").decode())
    with pytest.raises(PlatformUnrecognized, match="no TCB level"):
        read_evidence(quote, collateral, 1_771_500_000 * NANOSECONDS)


def test_collateral_is_read_from_the_exchange_form_strictly() -> None:
    for text in ("", "[]", "{}", '{"root_ca_crl": 5}', "[" * 100_000):
        with pytest.raises(MalformedEvidence):
            collateral_from_json(text)
