"""Which pieces of collateral a bundle's evidence wants, and how to send them to a marketplace."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from attestation.bundle import Evidence, GpuEvidence, SwitchEvidence
from attestation.certificate_chain import parse_chain
from attestation.collateral import KINDS, MAX_COLLATERAL_BYTES, Collateral
from attestation.collateral_subjects import (
    authority_subject,
    certificate_subject,
    manifest_prefix,
    tcb_info_subject,
    tcb_signer_prefix,
)
from attestation.intel import pck
from attestation.intel.quote import parse_quote
from attestation.nvidia.reference_values import Manifests, read_manifest
from attestation.nvidia.report import parse_report
from attestation.nvidia.switch_report import parse_switch_report
from attestation.nvidia.verify import BROM, CHAIN_LENGTH, GPU_ROLES, SWITCH_ROLES, check_roles
from attestation.x509 import Certificate

MAX_POSTED_PIECES = 40
MAX_POSTED_MANIFESTS = 8
SNP_CHAIN_LENGTH = 3
BYTES_AROUND_A_PIECE = 8


class Need(NamedTuple):
    """A piece of `kind` about `subject`, or all whose subjects begin with it if not `exact`."""

    kind: str
    subject: str
    exact: bool = True


def collateral_needs(evidence: Evidence, rims: Sequence[bytes] = ()) -> tuple[Need, ...]:
    """What the vendors should say about the machine, each once.

    With `rims`, the manifests that are there already, it includes the answers about their signers. Nothing
    is verified; raises `MalformedEvidence` or `ChainInvalid` for evidence that no verifier would accept.
    """
    needs = list(_cpu_needs(evidence))
    manifests = Manifests(rims)
    devices: list[tuple[GpuEvidence | SwitchEvidence, str]] = []
    devices += [(gpu, f"gpu[{index}]") for index, gpu in enumerate(evidence.gpus)]
    devices += [(switch, f"switch[{index}]") for index, switch in enumerate(evidence.switches)]
    for device, claim in devices:
        chain = parse_chain(device.chain, CHAIN_LENGTH, f"{claim}.chain")
        needs += _answers(chain, BROM)
        for edition, chip, version in _versions(device, chain, claim):
            needs.append(Need("rims", manifest_prefix(edition, chip, version), exact=False))
            for _, manifest in manifests.find(edition, chip, version):
                needs += _answers(manifest.chain, 0)
    return tuple(dict.fromkeys(needs))


def with_issuers(collateral: Collateral, evidence: Evidence | None = None) -> Collateral:
    """`collateral` with the CA certificates that show who signed it: those in the chains of its manifests
    and of `evidence`. A marketplace that does not hold them needs them.
    """
    found = dict.fromkeys(collateral.certificates)
    for index, rim in enumerate(collateral.rims):
        chain = read_manifest(rim, f"collateral.rims[{index}]").chain
        found.update(dict.fromkeys(certificate.der for certificate in chain[1:]))
    if evidence is not None:
        found.update(dict.fromkeys(_authorities(evidence)))
    return dataclasses.replace(collateral, certificates=tuple(found))


def posting_batches(collateral: Collateral) -> list[Collateral]:
    """`collateral` in portions that a marketplace takes in one call, certificates first."""
    batches: list[Collateral] = []
    pending: dict[str, list[bytes]] = {}
    size = 0
    for kind, piece in _issuers_first(collateral):
        count = sum(map(len, pending.values()))
        full = count == MAX_POSTED_PIECES or size + len(piece) + BYTES_AROUND_A_PIECE > MAX_COLLATERAL_BYTES
        if full or (kind == "rims" and len(pending.get("rims", ())) == MAX_POSTED_MANIFESTS):
            batches.append(_collateral(pending))
            pending, size = {}, 0
        pending.setdefault(kind, []).append(piece)
        size += len(piece) + BYTES_AROUND_A_PIECE
    return [*batches, _collateral(pending)] if pending else batches


def _cpu_needs(evidence: Evidence) -> Iterator[Need]:
    if evidence.cpu_kind != "tdx":
        chain = parse_chain(evidence.cpu_chain, SNP_CHAIN_LENGTH, "cpu.chain")
        yield Need("crls", authority_subject(chain[-1]))
        return
    chain = parse_chain(_pem_chain(evidence), pck.CHAIN_LENGTH, "cpu.chain")
    leaf, authority, root = chain
    platform = pck.read_platform(leaf, "cpu.chain[0]")
    yield Need("tcb_infos", tcb_info_subject(root.sha256, platform.fmspc, platform.pce_id))
    yield Need("qe_identities", root.sha256)
    yield Need("certificates", tcb_signer_prefix(root.sha256), exact=False)
    yield Need("crls", authority_subject(root))
    yield Need("crls", authority_subject(authority))


def _answers(chain: Sequence[Certificate], first: int) -> Iterator[Need]:
    for depth in range(first, len(chain) - 1):
        yield Need("ocsp", certificate_subject(chain[depth], chain[depth + 1]))


def _versions(
    device: GpuEvidence | SwitchEvidence, chain: Sequence[Certificate], claim: str
) -> list[tuple[str, str, str]]:
    if isinstance(device, GpuEvidence):
        report = parse_report(device.report, f"{claim}.report")
        chip = check_roles(chain, GPU_ROLES, claim)
        return [("GPU", chip, report.driver), ("GPU", chip, report.vbios)]
    vbios = parse_switch_report(device.report, f"{claim}.report").vbios
    return [("SWITCH", check_roles(chain, SWITCH_ROLES, claim), vbios)]


def _authorities(evidence: Evidence) -> Iterator[bytes]:
    yield from (_pem_chain(evidence) if evidence.cpu_kind == "tdx" else evidence.cpu_chain)[1:]
    devices: tuple[GpuEvidence | SwitchEvidence, ...] = (*evidence.gpus, *evidence.switches)
    for device in devices:
        yield from device.chain[BROM + 1 :]


def _pem_chain(evidence: Evidence) -> tuple[bytes, ...]:
    return pck.certificates_of_pem(parse_quote(evidence.cpu_report).pck_chain, "cpu.chain")


def _issuers_first(collateral: Collateral) -> Iterator[tuple[str, bytes]]:
    kinds = [kind.field for kind in KINDS]
    for kind in ["certificates", *(kind for kind in kinds if kind != "certificates")]:
        for piece in getattr(collateral, kind):
            yield kind, piece


def _collateral(pieces: dict[str, list[bytes]]) -> Collateral:
    return Collateral(**{kind: tuple(contents) for kind, contents in pieces.items()})
