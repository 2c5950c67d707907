"""Verification of one GPU's or switch's evidence, one function per check.

1. exact lengths, no duplicate field or index (`spdm`);
2. a chain of exactly five P-384 certificates with the roles leaf, BROM, provisioner, identity, root;
3. the report's nonce is the one we asked for;
4. the firmware id in the leaf is the report's (of a GPU; a switch reports none);
5. the chip named by certificate and report is one and the same;
6. each certificate is signed by the next;
7. the report is signed by the leaf.

What concerns several devices is in `topology`, revocation in `revocation`, reference values in
`reference_values`. Whether root, chip, mode and versions are acceptable is policy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attestation.bundle import GpuEvidence, SwitchEvidence
from attestation.certificate_chain import (
    VerifiedLinks,
    check_chain_signatures,
    check_chain_structure,
    parse_chain,
)
from attestation.errors import ChainInvalid, EvidenceInconsistent, FirmwareMismatch, NonceMismatch
from attestation.nvidia.firmware_id import certified_firmware_id
from attestation.nvidia.report import GpuReport, parse_report
from attestation.nvidia.switch_report import SwitchReport, parse_switch_report
from attestation.public_keys import EcKey
from attestation.x509 import KEY_USAGE_DIGITAL_SIGNATURE, OID_SERIAL_NUMBER, Certificate

CHAIN_LENGTH = 5
BROM = 1

# What the common name of each certificate but the root must look like; group 1 is the chip.
GPU_ROLES = (
    re.compile(r"(?:SIMULATED )?([A-Z]{2}_?[0-9]{2,4}[A-Z]?) [A-Z][0-9]{2} GSP FMC LF", re.ASCII),
    re.compile(r"(?:SIMULATED )?([A-Z]{2}_?[0-9]{2,4}[A-Z]?) [A-Z][0-9]{2} GSP BROM", re.ASCII),
    re.compile(r"(?:SIMULATED )?NVIDIA ([A-Z]{2}_?[0-9]{2,4}[A-Z]?) Provisioner ICA [0-9]{1,8}", re.ASCII),
    re.compile(r"(?:SIMULATED )?NVIDIA ([A-Z]{2}_?[0-9]{2,4}[A-Z]?) Identity", re.ASCII),
)
# The identity authority over switches is that of the GPUs they are sold with.
SWITCH_ROLES = (
    re.compile(r"(?:SIMULATED )?(LS_?[0-9]{2,4}) [A-Z][0-9]{2} FSP FMC LF", re.ASCII),
    re.compile(r"(?:SIMULATED )?(LS_?[0-9]{2,4}) [A-Z][0-9]{2} FSP BROM", re.ASCII),
    re.compile(r"(?:SIMULATED )?NVIDIA (LS_?[0-9]{2,4}) Provisioner ICA [0-9]{1,8}", re.ASCII),
    GPU_ROLES[3],
)
# 0x41 for a GPU, 0x50 for a switch, then the 8-byte PDI of the device.
GPU_ID_PATTERN = re.compile(r"41[0-9A-F]{16}", re.ASCII)
SWITCH_ID_PATTERN = re.compile(r"50[0-9A-F]{16}", re.ASCII)


@dataclass(frozen=True)
class VerifiedGpu:
    """Parsed GPU evidence whose parts agree; signatures are checked by `check_signatures`.

    `device_id` is the hex serial number in the BROM certificate's subject. `firmware_bound` is False when
    neither report nor certificate names a firmware, or only the certificate does.
    """

    report: GpuReport
    chain: tuple[Certificate, ...]
    device_id: str
    chip: str
    firmware_bound: bool

    @property
    def root_sha256(self) -> str:
        """Fingerprint of the root, hex."""
        return self.chain[-1].sha256


@dataclass(frozen=True)
class VerifiedSwitch:
    """The same of a switch."""

    report: SwitchReport
    chain: tuple[Certificate, ...]
    device_id: str
    chip: str

    @property
    def root_sha256(self) -> str:
        """Fingerprint of the root, hex."""
        return self.chain[-1].sha256


def read_evidence(gpu: GpuEvidence, expected_nonce: bytes, now_ns: int, claim: str) -> VerifiedGpu:
    """Parse one GPU's evidence and run checks 1 to 5; `claim` (``gpu[0]``) begins the names in errors."""
    report = parse_report(gpu.report, f"{claim}.report")
    check_nonce(report, expected_nonce, claim)
    chain = parse_chain(gpu.chain, CHAIN_LENGTH, f"{claim}.chain")
    check_chain_structure(chain, now_ns, f"{claim}.chain")
    chip = check_roles(chain, GPU_ROLES, claim)
    device_id = check_device_id(chain[BROM], GPU_ID_PATTERN, claim)
    firmware_bound = check_firmware_id(report, chain[0], claim)
    check_chip(report, chip, claim)
    return VerifiedGpu(report, chain, device_id, chip, firmware_bound)


def read_switch_evidence(
    switch: SwitchEvidence, expected_nonce: bytes, now_ns: int, claim: str
) -> VerifiedSwitch:
    """The same for a switch; `claim` is ``switch[0]``."""
    report = parse_switch_report(switch.report, f"{claim}.report")
    check_nonce(report, expected_nonce, claim)
    chain = parse_chain(switch.chain, CHAIN_LENGTH, f"{claim}.chain")
    check_chain_structure(chain, now_ns, f"{claim}.chain")
    chip = check_roles(chain, SWITCH_ROLES, claim)
    device_id = check_device_id(chain[BROM], SWITCH_ID_PATTERN, claim)
    check_reported_device(report, device_id, claim)
    return VerifiedSwitch(report, chain, device_id, chip)


def check_signatures(gpu: VerifiedGpu | VerifiedSwitch, links: VerifiedLinks, claim: str) -> None:
    """Checks 6 and 7; raises `SignatureInvalid`."""
    check_chain_signatures(gpu.chain, links, f"{claim}.chain", own=BROM)
    key = _ec_key(gpu.chain[0], f"{claim}.chain[0]")
    links.verify_report(key, gpu.report.signed, gpu.report.r, gpu.report.s, f"{claim}.signature")


def check_nonce(report: GpuReport | SwitchReport, expected_nonce: bytes, claim: str) -> None:
    """The report answers our nonce: stops the replay of a recording."""
    if report.nonce != expected_nonce:
        raise NonceMismatch(
            f"{claim}.nonce", f"expected {expected_nonce.hex()}, the report has {report.nonce.hex()}"
        )


def check_roles(chain: Sequence[Certificate], roles: Sequence[re.Pattern[str]], claim: str) -> str:
    """Each certificate has its role's name and a P-384 key, the leaf may sign; answers the chip.

    Stops another product's key, certified by the same root for another purpose, from posing as this device.
    """
    for depth, certificate in enumerate(chain):
        _ec_key(certificate, f"{claim}.chain[{depth}]")
        if depth < len(roles) and not roles[depth].fullmatch(certificate.subject.common_name):
            raise ChainInvalid(
                f"{claim}.chain[{depth}]",
                f"{certificate.subject.common_name!r} is not the name of such a device's certificate here",
            )
    usage = chain[0].key_usage
    if usage is None or not usage & KEY_USAGE_DIGITAL_SIGNATURE:
        raise ChainInvalid(f"{claim}.chain[0]", "the leaf may not sign reports")
    chips = [_chip(chain[depth], roles[depth]) for depth in (0, BROM)]
    if chips[0] != chips[1]:
        raise ChainInvalid(f"{claim}.chain[0]", f"leaf is of a {chips[0]}, its BROM of a {chips[1]}")
    return chips[0]


def check_device_id(brom: Certificate, pattern: re.Pattern[str], claim: str) -> str:
    """The BROM's subject names a device of the right kind; answers its device id.

    Stops a switch from being counted as a GPU, or the other way round.
    """
    device_id = brom.subject.get(OID_SERIAL_NUMBER)
    if not pattern.fullmatch(device_id):
        raise ChainInvalid(
            f"{claim}.device_id",
            f"{device_id!r} is not the id of such a device (41 for a GPU or 50 for a switch, 16 hex digits)",
        )
    return device_id


def check_reported_device(report: SwitchReport, device_id: str, claim: str) -> None:
    """The switch names itself as its certificate does: stops links to a switch that did not attest."""
    if report.device.hex().upper() != device_id[2:]:
        raise EvidenceInconsistent(
            f"{claim}.device_id", f"certified is {device_id}, the report is of {report.device.hex()}"
        )


def check_firmware_id(report: GpuReport, leaf: Certificate, claim: str) -> bool:
    """Firmware ids of report and certificate agree; False when the report carries none (driver 535).

    Stops an attestation key that was certified for an old, vulnerable firmware from signing for a new one.
    """
    if report.firmware_id is None:
        return False
    certified = certified_firmware_id(leaf, f"{claim}.chain[0]")
    if certified != report.firmware_id:
        found = "nothing" if certified is None else certified.hex()
        raise FirmwareMismatch(
            f"{claim}.firmware_id",
            f"the report says {report.firmware_id.hex()}, the leaf certificate was issued for {found}",
        )
    return True


def check_chip(report: GpuReport, certified: str, claim: str) -> None:
    """The chip a report names (newer drivers) is the certificate's."""
    if report.chip is not None and report.chip != certified:
        raise EvidenceInconsistent(
            f"{claim}.chip", f"the report is of a {report.chip}, the certificates are of a {certified}"
        )


def _chip(certificate: Certificate, role: re.Pattern[str]) -> str:
    match = role.fullmatch(certificate.subject.common_name)
    return match.group(1) if match else ""


def _ec_key(certificate: Certificate, claim: str) -> EcKey:
    if not isinstance(certificate.public_key, EcKey):
        raise ChainInvalid(claim, "the key is not P-384")
    return certificate.public_key
