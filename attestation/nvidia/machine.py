"""All NVIDIA devices of one machine: read, checked against each other, verified, and summed up as facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attestation.bundle import Evidence
from attestation.certificate_chain import VerifiedLinks
from attestation.collateral import Collateral
from attestation.facts import GpuFacts, ManifestFacts, RevocationFact, SwitchFacts
from attestation.nvidia import reference_values as reference
from attestation.nvidia.reference_values import Manifests
from attestation.nvidia.revocation import OcspAnswers, check_chain_revocation
from attestation.nvidia.rim import Manifest
from attestation.nvidia.topology import check_topology
from attestation.nvidia.verify import (
    BROM,
    VerifiedGpu,
    VerifiedSwitch,
    check_signatures,
    read_evidence,
    read_switch_evidence,
)
from attestation.x509 import Certificate


@dataclass(frozen=True)
class Machine:
    """Devices whose evidence is consistent; signatures are checked by `check_machine_signatures`."""

    gpus: tuple[VerifiedGpu, ...]
    switches: tuple[VerifiedSwitch, ...]


def read_machine(evidence: Evidence, nonce: bytes, now_ns: int) -> Machine:
    """Parse all devices, each of which must answer the 32-byte `nonce`, and check how they hang together."""
    machine = Machine(
        tuple(read_evidence(gpu, nonce, now_ns, f"gpu[{i}]") for i, gpu in enumerate(evidence.gpus)),
        tuple(
            read_switch_evidence(switch, nonce, now_ns, f"switch[{i}]")
            for i, switch in enumerate(evidence.switches)
        ),
    )
    check_topology(machine.gpus, machine.switches)
    return machine


def check_machine_signatures(machine: Machine, links: VerifiedLinks) -> None:
    """Raise `SignatureInvalid` unless every chain and report is signed."""
    for index, gpu in enumerate(machine.gpus):
        check_signatures(gpu, links, f"gpu[{index}]")
    for index, switch in enumerate(machine.switches):
        check_signatures(switch, links, f"switch[{index}]")


class MachineFacts:
    """Makes the facts of verified devices, with what `collateral` says about them at `now_ns`."""

    def __init__(self, collateral: Collateral, now_ns: int, links: VerifiedLinks) -> None:
        self._answers = OcspAnswers(collateral.ocsp)
        self._manifests = Manifests(collateral.rims)
        self._now_ns = now_ns
        self._links = links

    def of_gpu(self, gpu: VerifiedGpu, claim: str) -> GpuFacts:
        """Facts of a GPU; raises when it, or one of its manifests, is revoked or does not fit."""
        versions = {reference.DRIVER: gpu.report.driver, reference.VBIOS: gpu.report.vbios}
        manifests, compared = self._compare(gpu, "GPU", versions, claim)
        return GpuFacts(
            root_sha256=gpu.root_sha256,
            device_id=gpu.device_id,
            chip=gpu.chip,
            mode=gpu.report.mode,
            driver=gpu.report.driver,
            vbios=gpu.report.vbios,
            firmware_bound=gpu.firmware_bound,
            revocation=self._revocation(gpu.chain, BROM, f"{claim}.chain"),
            manifests=manifests,
            compared_measurements=compared,
        )

    def of_switch(self, switch: VerifiedSwitch, claim: str) -> SwitchFacts:
        """The same of a switch."""
        versions = {reference.VBIOS: switch.report.vbios}
        manifests, compared = self._compare(switch, "SWITCH", versions, claim)
        return SwitchFacts(
            root_sha256=switch.root_sha256,
            device_id=switch.device_id,
            chip=switch.chip,
            vbios=switch.report.vbios,
            revocation=self._revocation(switch.chain, BROM, f"{claim}.chain"),
            manifests=manifests,
            compared_measurements=compared,
        )

    def _compare(
        self, device: VerifiedGpu | VerifiedSwitch, edition: str, versions: dict[str, str], claim: str
    ) -> tuple[tuple[ManifestFacts, ...], int]:
        name = f"{claim}.reference_values"
        found: dict[str, Manifest] = {}
        for kind, version in versions.items():
            candidates = self._manifests.find(edition, device.chip, version)
            manifest = reference.matching_manifest(
                candidates, device.report.measurements, self._now_ns, self._links, name
            )
            if manifest is not None:
                found[kind] = manifest
        compared = reference.check_no_conflict(list(found.values()), name)
        return tuple(self._manifest_facts(kind, found[kind], claim) for kind in found), compared

    def _manifest_facts(self, kind: str, manifest: Manifest, claim: str) -> ManifestFacts:
        chain = f"{claim}.{kind}_manifest.chain"
        revocation = self._revocation(manifest.chain, 0, chain)
        return ManifestFacts(kind, manifest.sha256, manifest.root_sha256, revocation)

    def _revocation(self, chain: Sequence[Certificate], first: int, claim: str) -> tuple[RevocationFact, ...]:
        return check_chain_revocation(chain, first, self._answers, self._now_ns, self._links, claim)
