"""Two verdicts on the same TDX evidence: this project's, and that of the independent verifier `dcap-qvl`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation import AttestationError, VerifiedLinks
from attestation.collateral import Collateral
from attestation.crypto import ecdsa_p256
from attestation.errors import SignatureInvalid
from attestation.intel.pccs import collateral_from_json
from attestation.intel.verify import check_signatures, read_evidence
from attestation.policy import DEVELOPMENT_INTEL_ROOTS, INTEL_ROOTS
from attestation.simulator.development_pki import load_authority

NANOSECONDS = 1_000_000_000
REFUSED = "refused"


@dataclasses.dataclass(frozen=True)
class Case:
    """A quote, collateral in the exchange form of provisioning caches, a clock (s), the root (or Intel)."""

    quote: bytes
    collateral: Mapping[str, str]
    now: int
    root: bytes | None = None

    def ours(self, links: VerifiedLinks | None = None) -> str:
        """TCB status if the evidence is sound and the guest shielded from its host, else `REFUSED`."""
        try:
            given = collateral_from_json(json.dumps(self.collateral))
            evidence = read_evidence(self.quote, given, self.now * NANOSECONDS)
            check_signatures(evidence, self.now * NANOSECONDS, links or VerifiedLinks())
        except AttestationError:
            return REFUSED
        roots = INTEL_ROOTS if self.root is None else DEVELOPMENT_INTEL_ROOTS
        if evidence.root_sha256 not in roots:
            return REFUSED
        report = evidence.report
        shielded = not report.debug and not report.migratable and report.memory_exceptions_disabled
        return evidence.status if shielded else REFUSED

    def theirs(self) -> str:
        """The same by `dcap-qvl`."""
        dcap = pytest.importorskip("dcap_qvl")
        try:
            given = dcap.QuoteCollateralV3.from_json(json.dumps(self.collateral))
            if self.root is None:
                return str(dcap.verify(self.quote, given, self.now).status)
            policy = dcap.QuotePolicy.claims_only(self.now)
            claims = dcap.QuoteVerifier(self.root).verify_with_policy(self.quote, given, self.now, policy)
        except ValueError:
            return REFUSED
        return str(json.loads(claims.to_json())["tcb"]["status"])


def genuine(folder: Path, name: str, now: int) -> Case:
    """A genuine sample."""
    text = (folder / "intel" / f"{name}_collateral.json").read_text()
    return Case((folder / "intel" / name).read_bytes(), json.loads(text), now)


def exchange_form(collateral: Collateral) -> dict[str, str]:
    """Simulated collateral in the exchange form."""
    tcb_info, tcb_info_signature = _split(collateral.tcb_infos[0], "tcbInfo")
    identity, identity_signature = _split(collateral.qe_identities[0], "enclaveIdentity")
    return {
        "pck_crl_issuer_chain": _pem("intel_pck_ca", "intel_root"),
        "root_ca_crl": collateral.crls[0].hex(),
        "pck_crl": collateral.crls[1].hex(),
        "tcb_info_issuer_chain": _pem("intel_tcb_signing", "intel_root"),
        "tcb_info": tcb_info,
        "tcb_info_signature": tcb_info_signature,
        "qe_identity_issuer_chain": _pem("intel_tcb_signing", "intel_root"),
        "qe_identity": identity,
        "qe_identity_signature": identity_signature,
    }


@contextmanager
def remembered_signatures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """P-256 verification that computes the same key, message and signature once."""
    verdicts: dict[tuple[object, ...], SignatureInvalid | None] = {}
    compute = ecdsa_p256.verify

    def verify(
        key: ecdsa_p256.Point, message: bytes, r: int, s: int, claim: str, recurs: bool = False
    ) -> None:
        case = (key, message, r, s)
        if case not in verdicts:
            try:
                compute(key, message, r, s, claim, recurs)
                verdicts[case] = None
            except SignatureInvalid as error:
                verdicts[case] = error
        problem = verdicts[case]
        if problem is not None:
            raise problem

    with monkeypatch.context() as patch:
        patch.setattr(ecdsa_p256, "verify", verify)
        yield


def _split(statement: bytes, member: str) -> tuple[str, str]:
    text = statement.decode("ascii")
    at = text.rindex(',"signature":"')
    return text[len(f'{{"{member}":') : at], text[at + len(',"signature":"') : -2]


def _pem(*names: str) -> str:
    return "".join(load_authority(name).certificate.public_bytes(Encoding.PEM).decode() for name in names)
