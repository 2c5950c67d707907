"""Genuine evidence of this machine: CPU quote, GPU reports, and the reports of its switches."""

from __future__ import annotations

from collections.abc import Callable

from attestation import (
    AttestationError,
    Collateral,
    Evidence,
    GuestClaims,
    SwitchEvidence,
    encode_bundle,
    encode_guest_claims,
    gpu_nonce,
    report_data,
)
from tee_worker.errors import EvidenceUnavailable
from tee_worker.evidence import configfs_tsm, nscq, nvml
from tee_worker.evidence.provider import WORKER_VERSION
from tee_worker.evidence.snp_certificates import chain_of_table
from tee_worker.vendors import Vendors


class HardwareProvider:
    """Evidence of the confidential guest that this process runs in.

    Args:
        vendors: who is asked for AMD's certificates, if the host gives none, and for collateral.
        read_quote: the platform's quote over 64 bytes.
        read_gpus: GPUs' reports over a nonce.
        read_switches: NVSwitches' reports over a nonce; asked only under protected PCIe.
    """

    name = "hardware"
    simulated = False

    def __init__(
        self,
        vendors: Vendors | None = None,
        read_quote: Callable[[bytes], configfs_tsm.Quote] = configfs_tsm.read_quote,
        read_gpus: Callable[[bytes], nvml.Gpus] = nvml.read_gpus,
        read_switches: Callable[[bytes], tuple[SwitchEvidence, ...]] = nscq.read_switches,
    ) -> None:
        self._vendors = vendors or Vendors()
        self._read_quote = read_quote
        self._read_gpus, self._read_switches = read_gpus, read_switches

    def collect(
        self, *, nonce: bytes, operator: bytes, session_public_key: bytes, transport_public_key: bytes
    ) -> bytes:
        """An encoded bundle; arguments as in `attestation.report_data`."""
        asked = gpu_nonce(nonce)
        gpus = self._read_gpus(asked)
        switches = self._read_switches(asked) if gpus.state.protected_pcie else ()
        claims = _claims(gpus.state)
        keys = (session_public_key, transport_public_key)
        bound = report_data(nonce, *keys, operator, gpus.evidence, claims, switches)
        kind, report, chain = self._quote(bound)
        evidence = Evidence(kind, report, chain, gpus.evidence, claims, *keys, switches)
        try:
            return encode_bundle(evidence)
        except AttestationError as error:
            raise EvidenceUnavailable(f"the platform's evidence is out of bounds: {error}") from error

    def collateral(self, evidence: Evidence, now_ns: int) -> Collateral:
        """What the vendors' services say about these devices."""
        return self._vendors.collateral(evidence, now_ns)

    def _quote(self, bound: bytes) -> tuple[str, bytes, tuple[bytes, ...]]:
        quote = self._read_quote(bound)
        if quote.kind == "tdx":
            return quote.kind, quote.report, ()
        try:
            chain = chain_of_table(quote.auxiliary)
        except AttestationError as error:
            raise EvidenceUnavailable(f"the host's certificates cannot be read: {error}") from error
        return quote.kind, quote.report, self._vendors.complete_snp_chain(quote.report, chain)


def _claims(state: nvml.DriverState) -> bytes:
    return encode_guest_claims(
        GuestClaims(
            cc_mode=state.cc_mode, devtools=state.devtools, driver=state.driver, worker=WORKER_VERSION
        )
    )
