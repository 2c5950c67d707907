"""What each kind of genuine file means, as far as it is sound: the same code on the desk and in a canister.

A meaning takes parts, a time in nanoseconds since 1970 and the signatures found good so far, and raises
`AttestationError`. A root that no policy names raises too: that is what refuses a changed root.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Union

from attestation.amd import verify as amd
from attestation.bundle import GpuEvidence, SwitchEvidence, decode_bundle
from attestation.certificate_chain import VerifiedLinks, check_validity, parse_chain
from attestation.collateral import Collateral
from attestation.errors import ChainInvalid
from attestation.intel import verify as intel
from attestation.nvidia import ocsp, reference_values, rim
from attestation.nvidia import verify as nvidia
from attestation.nvidia.machine import check_machine_signatures, read_machine
from attestation.nvidia.report import parse_report
from attestation.nvidia.switch_report import parse_switch_report
from attestation.policy import AMD_ROOTS, INTEL_ROOTS, NVIDIA_MANIFEST_ROOTS, NVIDIA_ROOTS
from attestation.x509 import Certificate, parse_certificate

GPU, SWITCH, SEV_SNP, TDX, MANIFEST, OCSP = "GPU", "switch", "SEV-SNP", "TDX", "manifest", "OCSP answer"
MACHINE, AUTHORITIES, ROOT = "machine", "AMD authorities", "root"
GPU_VALUES, SWITCH_VALUES = "GPU's reference values", "switch's reference values"

Parts = Sequence[bytes]
Meaning = Callable[[Parts, int, VerifiedLinks], object]


def written(meaning: object) -> str:
    """A meaning as text, with what is in no order put in order."""
    if isinstance(meaning, bytes):
        return meaning.hex()
    if isinstance(meaning, (set, frozenset)):
        return f"{{{', '.join(sorted(written(entry) for entry in meaning))}}}"
    if isinstance(meaning, dict):
        return f"{{{', '.join(f'{key!r}: {written(value)}' for key, value in sorted(meaning.items()))}}}"
    if dataclasses.is_dataclass(meaning):
        meaning = tuple(getattr(meaning, entry.name) for entry in dataclasses.fields(meaning))
    if isinstance(meaning, tuple):
        return f"({', '.join(written(entry) for entry in meaning)})"
    return repr(meaning)


def _pinned(root: Certificate, roots: Sequence[str]) -> None:
    if root.sha256 not in roots:
        raise ChainInvalid("root", "no policy names it")


def gpu(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """A GPU's report, its chain, and the nonce that it answers."""
    report, *chain, nonce = parts
    found = nvidia.read_evidence(GpuEvidence(report, tuple(chain)), nonce, now_ns, "gpu[0]")
    return _device(found, links, "gpu[0]")


def switch(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """The same of a switch."""
    report, *chain, nonce = parts
    found = nvidia.read_switch_evidence(SwitchEvidence(report, tuple(chain)), nonce, now_ns, "switch[0]")
    return _device(found, links, "switch[0]")


def _device(
    found: Union[nvidia.VerifiedGpu, nvidia.VerifiedSwitch],  # noqa: UP007 (read by Python 3.10)
    links: VerifiedLinks,
    claim: str,
) -> object:
    nvidia.check_signatures(found, links, claim)
    _pinned(found.chain[-1], NVIDIA_ROOTS)
    return found.device_id, found.chip, found.report


def machine(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """All NVIDIA devices of a bundle, which answer one nonce and name each other; and the nonce."""
    bundle, nonce = parts
    found = read_machine(decode_bundle(bundle), nonce, now_ns)
    check_machine_signatures(found, links)
    return [gpu.device_id for gpu in found.gpus], [one.device_id for one in found.switches]


def sev_snp(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """A report and its chain."""
    found = amd.read_evidence(parts[0], parts[1:], now_ns)
    amd.check_signatures(found, links)
    _pinned(found.chain[-1], AMD_ROOTS)
    return found.tcb, found.report


def authorities(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """An authority over chips, and its root."""
    authority, root = parse_chain(parts, 2, "chain")
    check_validity(authority, now_ns, "chain[0]")
    links.verify(authority, root, "chain[0].signature")
    _pinned(root, AMD_ROOTS)
    return authority.subject, authority.public_key


def tdx(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """A quote and Intel's statements: TCB info, identity, their signer, revocation lists."""
    quote, tcb_info, identity, signer, *crls = parts
    given = Collateral(
        tcb_infos=(tcb_info,), qe_identities=(identity,), certificates=(signer,), crls=tuple(crls)
    )
    found = intel.read_evidence(quote, given, now_ns)
    facts = intel.check_signatures(found, now_ns, links)
    _pinned(found.chain[-1], INTEL_ROOTS)
    return found.status, found.tcb, found.report, facts


def manifest(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """Reference values of one version of a driver or VBIOS."""
    found = rim.parse_manifest(parts[0], "rim")
    rim.verify_manifest(found, now_ns, links, "rim")
    _pinned(found.chain[-1], NVIDIA_MANIFEST_ROOTS)
    return found.edition, found.product, found.version, found.goldens


def answer(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """An OCSP answer, the certificate that it is about, and that one's issuer."""
    data, *about = parts
    found = ocsp.parse_answer(data, "ocsp")
    certificate, issuer = (parse_certificate(der, "certificate") for der in about)
    ocsp.verify_answer(found, certificate, issuer, now_ns, links, "ocsp")
    return found.status, found.certificate, found.this_update, found.next_update


def gpu_values(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """How many measurements of a GPU's report equal those of its manifests; all must."""
    return _compared(parse_report(parts[0], "gpu").measurements, parts[1:], now_ns, links)


def switch_values(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """The same of a switch."""
    return _compared(parse_switch_report(parts[0], "switch").measurements, parts[1:], now_ns, links)


def _compared(measurements: Sequence[bytes], documents: Parts, now_ns: int, links: VerifiedLinks) -> int:
    found = [rim.parse_manifest(data, "rim") for data in documents]
    for one in found:
        rim.verify_manifest(one, now_ns, links, "rim")
        reference_values.check_measurements(measurements, one, "reference_values")
    return reference_values.check_no_conflict(found, "reference_values")


def root(parts: Parts, now_ns: int, links: VerifiedLinks) -> object:
    """A root of NVIDIA's."""
    found = parse_certificate(parts[0], "root")
    _pinned(found, NVIDIA_ROOTS + NVIDIA_MANIFEST_ROOTS)
    return found.subject, found.sha256


MEANINGS: dict[str, Meaning] = {
    GPU: gpu,
    SWITCH: switch,
    MACHINE: machine,
    SEV_SNP: sev_snp,
    AUTHORITIES: authorities,
    TDX: tdx,
    MANIFEST: manifest,
    OCSP: answer,
    GPU_VALUES: gpu_values,
    SWITCH_VALUES: switch_values,
    ROOT: root,
}
