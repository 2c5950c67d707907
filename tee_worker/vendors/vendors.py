"""All vendors together, for one machine's evidence."""

from __future__ import annotations

import dataclasses

from attestation import AttestationError, Collateral, Evidence
from attestation.collateral import NO_COLLATERAL
from tee_worker.vendors import amd, intel, nvidia
from tee_worker.vendors.services import Addresses, CollateralFetchFailed, Service


class Vendors:
    """Asks AMD, Intel and NVIDIA, whichever the evidence is of."""

    def __init__(self, service: Service | None = None, addresses: Addresses | None = None) -> None:
        self._service = service or Service()
        self._addresses = addresses or Addresses.of_environment()

    def complete_snp_chain(self, report: bytes, chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Leaf, authority, root of a SEV-SNP report; `chain` is what the host gave.

        Raises:
            CollateralFetchFailed: AMD's service does not know the chip, or does not answer.
        """
        return amd.complete_chain(self._service, self._addresses.amd, report, chain)

    def collateral(self, evidence: Evidence, now_ns: int) -> Collateral:
        """What all vendors say about the devices in `evidence`.

        Raises:
            CollateralFetchFailed: a service could not be asked, or a part of the evidence cannot be read; it
                has what was found nevertheless.
        """
        found, problems = NO_COLLATERAL, []
        for ask in (self._about_cpu, self._manifests, self._answers):
            try:
                found = ask(evidence, found)
            except (CollateralFetchFailed, AttestationError) as error:
                problems.append(str(error))
        if problems:
            raise CollateralFetchFailed("; ".join(problems), found)
        return found

    def _about_cpu(self, evidence: Evidence, found: Collateral) -> Collateral:
        service, addresses = self._service, self._addresses
        if evidence.cpu_kind == "tdx":
            root_list = addresses.intel_root_list
            return intel.collateral(service, addresses.intel, root_list, evidence.cpu_report)
        return Collateral(crls=(amd.revocation_list(service, addresses.amd, evidence.cpu_chain),))

    def _manifests(self, evidence: Evidence, found: Collateral) -> Collateral:
        rims = nvidia.manifests(self._service, self._addresses.nvidia_manifests, evidence)
        return dataclasses.replace(found, rims=rims)

    def _answers(self, evidence: Evidence, found: Collateral) -> Collateral:
        answers = nvidia.answers(self._service, self._addresses.nvidia_answers, evidence, found.rims)
        return dataclasses.replace(found, ocsp=answers)
