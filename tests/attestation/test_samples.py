"""Every genuine sample gets the verdict of its provenance, at the stated clock, inside and outside Wasm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attestation import AttestationError, GpuEvidence, SwitchEvidence, VerifiedLinks
from attestation.bundle import Evidence, encode_bundle
from tests.attestation.conftest import NANOSECONDS, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY
from tests.attestation.genuine_canister import GenuineCanister
from tests.attestation.meanings import (
    GPU,
    GPU_VALUES,
    MACHINE,
    MANIFEST,
    MEANINGS,
    OCSP,
    ROOT,
    SEV_SNP,
    SWITCH,
    SWITCH_VALUES,
    written,
)
from tests.attestation.subjects import (
    IN_2024,
    IN_2025,
    IN_2026,
    MANIFESTS,
    NOW_NS,
    QUOTE_NS,
    Subject,
    genuine,
    quote,
)

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

FEBRUARY_2026_NS = 1_771_500_000 * NANOSECONDS
DAY_NS = 86_400 * NANOSECONDS
DRIVER, VBIOS, OTHER_DRIVER, OLD_VBIOS, SWITCH_VBIOS = MANIFESTS

Case = tuple[Subject, str]
"""A subject, and how its verdict begins."""


def sound(samples: Samples) -> Iterator[Case]:
    """All that verifies."""
    yield from ((subject, "") for subject in genuine(samples))
    yield Subject(ROOT, "device root", samples.certificates("nvidia/roots/verifier_device_root.pem"), 0), ""
    yield Subject(ROOT, "manifest root", samples.certificates("nvidia/roots/verifier_RIM_root.pem"), 0), ""
    yield quote_at(samples, "tdx_quote", QUOTE_NS, "('UpToDate', {'evaluation': 17, 'pce': 11}, ")
    last = 1_752_919_234 * NANOSECONDS
    yield quote_at(samples, "tdx_quote", last, "('UpToDate', ")
    h100, switch = samples.gpus()["single H100"].report, samples.switch().report
    driver, vbios, of_switch = (samples.read(name) for name in (DRIVER, VBIOS, SWITCH_VBIOS))
    yield Subject(GPU_VALUES, "single H100", (h100, driver, vbios), IN_2025), "33"
    yield Subject(SWITCH_VALUES, "single switch", (switch, of_switch), IN_2026), "31"
    gpus, switches = samples.board()
    yield whole("HGX H100", gpus, switches), "("
    eight = tuple(gpu for name, gpu in samples.gpus().items() if name.startswith("mpt_gb100"))
    yield whole("8 GB100", eight), "("


def unsound(samples: Samples) -> Iterator[Case]:
    """All that does not, as the provenance says or for what was changed here."""
    report = bytes.fromhex(samples.read("nvidia/hopper/hopperAttestationReportInvalidSignature.txt").decode())
    chain = samples.certificates("nvidia/hopper/hopperCertChain.txt")
    yield (
        Subject(GPU, "invalid signature", (report, *chain), NOW_NS, (report[4:36],)),
        "FirmwareMismatch gpu[0].firmware_id",
    )
    # One switch's report beside another's chain: the samples have it loose in the board's folder.
    report = samples.read("nvidia/ppcie_hgx_h100/switch_report.bin")
    chain = samples.certificates("nvidia/ppcie_hgx_h100/switch_chain.pem")
    loose = Subject(SWITCH, "loose switch", (report, *chain), NOW_NS, (report[4:36],))
    yield loose, "EvidenceInconsistent switch[0].device_id"
    wrong = samples.read("nvidia/rim/incorrect_signature_driver_rim.xml")
    yield Subject(MANIFEST, "incorrect signature", (wrong,), IN_2025), "SignatureInvalid rim.signature"
    outdated = "tdx_quote_outdated"
    yield quote_at(samples, outdated, FEBRUARY_2026_NS, "PlatformUnrecognized collateral.tcb_info")
    yield quote_at(samples, outdated, QUOTE_NS, "CertificateExpired cpu.chain[0]")
    yield quote_at(samples, "tdx_quote", QUOTE_NS - DAY_NS, "CollateralExpired collateral.tcb_info")
    yield quote_at(samples, "tdx_quote", QUOTE_NS + 31 * DAY_NS, "CollateralExpired ")
    h100 = samples.gpus()["single H100"].report
    for name in (OTHER_DRIVER, OLD_VBIOS):
        subject = Subject(GPU_VALUES, f"single H100, {name}", (h100, samples.read(name)), MANIFESTS[name])
        yield subject, "MeasurementMismatch reference_values"
    report, chain = samples.amd(
        "amd/genoa_v3_azure_report.bin", "amd/genoa_v3_azure_vcek.pem", "amd/ask_ark_milan.pem"
    )
    yield Subject(SEV_SNP, "Genoa under Milan", (report, *chain), NOW_NS), "ChainInvalid "
    for subject in genuine(samples):
        if subject.kind == OCSP:
            yield subject._replace(now_ns=subject.now_ns + 2 * DAY_NS), "CollateralExpired ocsp"
        if subject.kind == MANIFEST:
            yield subject._replace(now_ns=IN_2024 - 2_000 * DAY_NS), "CertificateExpired rim"
    gpus, switches = samples.board()
    yield whole("HGX H100 less a GPU", gpus[1:], switches), "TopologyInvalid "
    yield whole("HGX H100 less a switch", gpus, switches[1:]), "TopologyInvalid "
    yield whole("HGX H100, one GPU twice", (*gpus[:7], gpus[0]), switches), "DuplicateDevice gpu[7]"


def quote_at(samples: Samples, name: str, now_ns: int, verdict: str) -> Case:
    return quote(samples, name, now_ns), verdict


def whole(name: str, gpus: tuple[GpuEvidence, ...], switches: tuple[SwitchEvidence, ...] = ()) -> Subject:
    """Devices of one machine, beside a CPU's evidence that nobody looks at."""
    keys = (SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY)
    bundle = encode_bundle(Evidence("sev-snp", b"x", (b"x",), gpus, b"{}", *keys, switches))
    return Subject(MACHINE, name, (bundle,), NOW_NS, (gpus[0].report[4:36],))


def outside(subject: Subject) -> str:
    try:
        return written(subject.meaning(subject.parts, VerifiedLinks()))
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"


def inside(canister: GenuineCanister, subject: Subject) -> str:
    return canister.meaning(subject.kind, (*subject.parts, *subject.known), subject.now_ns)


def test_every_sound_sample_verifies_inside_and_outside(samples: Samples, canister: GenuineCanister) -> None:
    kinds = set()
    for subject, beginning in sound(samples):
        verdict = outside(subject)
        assert verdict[0] in "(3" and verdict.startswith(beginning), (subject.name, verdict)
        assert inside(canister, subject) == verdict, subject.name
        kinds.add(subject.kind)
    assert kinds == set(MEANINGS)


def test_no_unsound_sample_verifies_inside_or_outside(samples: Samples, canister: GenuineCanister) -> None:
    for subject, beginning in unsound(samples):
        verdict = outside(subject)
        assert verdict.startswith(beginning), (subject.name, verdict)
        assert inside(canister, subject) == verdict, subject.name


def test_no_sample_is_left_out(samples: Samples) -> None:
    assert list(sound(samples)) and list(unsound(samples))
    assert samples.unread() == set()
