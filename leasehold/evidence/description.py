"""A bundle taken apart for reading. Nothing is verified: every value is only what somebody wrote there."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attestation import AttestationError, Evidence, decode_bundle, decode_guest_claims
from attestation.bundle import GpuEvidence, SwitchEvidence
from attestation.intel.pck import certificates_of_pem
from attestation.intel.quote import parse_quote
from leasehold.evidence.certificate_fields import certificate_fields
from leasehold.evidence.fields import Fields
from leasehold.evidence.nvidia_fields import gpu_fields, switch_fields
from leasehold.evidence.snp_fields import snp_fields
from leasehold.evidence.tdx_fields import tdx_fields


@dataclass(frozen=True)
class Section:
    """One part of a bundle, named as claims are. `problem` says why it could not be read, if it could not."""

    name: str
    fields: Fields
    problem: str = ""


def describe(bundle: bytes) -> list[Section]:
    """The bundle's parts in order. A part that cannot be read does not hide the others.

    Raises:
        AttestationError: the bundle itself cannot be taken apart.
    """
    evidence = decode_bundle(bundle)
    sections = [Section("bundle", _bundle_fields(bundle, evidence)), _cpu(evidence)]
    sections += _cpu_chain(evidence)
    for index, gpu in enumerate(evidence.gpus):
        sections += _device(f"gpu[{index}]", gpu, gpu_fields)
    for index, switch in enumerate(evidence.switches):
        sections += _device(f"switch[{index}]", switch, switch_fields)
    sections.append(_read("guest", lambda: _guest_fields(evidence.guest_claims)))
    return sections


def _bundle_fields(bundle: bytes, evidence: Evidence) -> Fields:
    return [
        ("sha256", hashlib.sha256(bundle).hexdigest()),
        ("bytes", len(bundle)),
        ("cpu kind", evidence.cpu_kind),
        ("gpus", len(evidence.gpus)),
        ("switches", len(evidence.switches)),
        ("session public key", evidence.session_public_key.hex()),
        ("transport public key", evidence.transport_public_key.hex()),
    ]


def _cpu(evidence: Evidence) -> Section:
    read = tdx_fields if evidence.cpu_kind == "tdx" else snp_fields
    return _read("cpu", lambda: read(evidence.cpu_report))


def _cpu_chain(evidence: Evidence) -> list[Section]:
    if evidence.cpu_kind != "tdx":
        return _chain("cpu", evidence.cpu_chain)
    try:
        return _chain("cpu", certificates_of_pem(parse_quote(evidence.cpu_report).pck_chain, "cpu.chain"))
    except AttestationError as error:
        return [Section("cpu.chain", [], str(error))]


def _device(
    name: str, device: GpuEvidence | SwitchEvidence, fields: Callable[[bytes, str], Fields]
) -> list[Section]:
    return [_read(name, lambda: fields(device.report, name)), *_chain(name, device.chain)]


def _chain(name: str, chain: Sequence[bytes]) -> list[Section]:
    return [_certificate(f"{name}.chain[{index}]", der) for index, der in enumerate(chain)]


def _certificate(name: str, der: bytes) -> Section:
    return _read(name, lambda: certificate_fields(der, name))


def _guest_fields(data: bytes) -> Fields:
    guest = decode_guest_claims(data)
    return [
        ("cc mode", guest.cc_mode),
        ("devtools", guest.devtools),
        ("driver", guest.driver),
        ("worker", guest.worker),
        ("environment", "SIMULATED" if guest.simulated else "says it is genuine"),
    ]


def _read(name: str, fields: Callable[[], Fields]) -> Section:
    try:
        return Section(name, fields())
    except AttestationError as error:
        return Section(name, [], str(error))
