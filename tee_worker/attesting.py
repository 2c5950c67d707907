"""Proving this machine to the marketplace: nonce, evidence, what vendors say about it, verification on chain.

Evidence of one GPU is verified in one message. That of more devices goes up in parts and is verified step by
step. A nonce that has run out, or evidence that was not made for it, costs nothing but another try.
"""

from __future__ import annotations

from collections.abc import Callable

from attestation import AllOf, AnyOf, AttestationError, Evidence, PolicyExpression, decode_bundle
from attestation.policy_json import policy_from_json
from leasehold.errors import CanisterError, CollateralRefused, DeadlinePassed, EvidenceRefused
from leasehold.models import AttestationRecord, Unfinished
from leasehold.network import Client
from leasehold.roles.collateral import post
from tee_worker.evidence import EvidenceProvider
from tee_worker.vendors import CollateralFetchFailed

MAX_NONCES = 3
PART_BYTES = 64 * 1024
MAX_STEPS = 512
"""More steps than any evidence takes."""
NOT_FOR_THIS_NONCE = "BindingMismatch"

Tell = Callable[[str], None]


class Attester:
    """Attests one claimed rental.

    Args:
        worker: calls as who claimed it.
        session: calls as the key in the evidence.
        provider: makes the evidence.
    """

    def __init__(
        self,
        worker: Client,
        session: Client,
        provider: EvidenceProvider,
        tell: Tell,
    ) -> None:
        self._worker, self._session = worker.marketplace, session.marketplace
        self._session_public_key = session.identity.public_key_der
        # Vendors' statements are judged at the network's time, which need not be this machine's.
        self._network_time = session.agent.now_ns
        self._provider, self._tell = provider, tell

    def attest(
        self, rental: int, operator: bytes, policy: str, transport_public_key: bytes
    ) -> AttestationRecord:
        """The record of accepted evidence.

        Raises:
            EvidenceRefused: with the rows; the attempt is over, unless the evidence was not looked at.
            DeadlinePassed: the attempt's own deadline is over.
        """
        for left in reversed(range(MAX_NONCES)):
            try:
                return self._attempt(rental, operator, policy, transport_public_key)
            except (DeadlinePassed, EvidenceRefused) as error:
                if not left or not _is_about_the_nonce(error):
                    raise
                self._tell(f"rental {rental}: {error}; trying again with a fresh nonce")
        raise AssertionError("unreachable")

    def _attempt(
        self, rental: int, operator: bytes, policy: str, transport_public_key: bytes
    ) -> AttestationRecord:
        self._tell(f"rental {rental}: collecting {self._provider.name} evidence")
        challenge = self._worker.begin_attestation(rental)
        bundle = self._provider.collect(
            nonce=challenge.nonce,
            operator=operator,
            session_public_key=self._session_public_key,
            transport_public_key=transport_public_key,
        )
        evidence = decode_bundle(bundle)
        if self._wants_collateral(policy, evidence):
            self._supply_collateral(rental, evidence)
        record = self._submit(rental, bundle, evidence)
        mark = " (SIMULATED)" if record.simulated else ""
        self._tell(f"rental {rental}: evidence of {len(bundle)} bytes accepted on chain{mark}")
        return record

    def _wants_collateral(self, policy: str, evidence: Evidence) -> bool:
        # A TDX quote is judged by Intel's statements, whatever a policy says.
        if evidence.cpu_kind == "tdx":
            return True
        try:
            return asks_for_collateral(policy_from_json(self._worker.get_policy(policy).document))
        except AttestationError:
            return True

    def _supply_collateral(self, rental: int, evidence: Evidence) -> None:
        """Fetch and post; what cannot be had may be held by the marketplace, or somebody else may post it."""
        try:
            found = self._provider.collateral(evidence, self._network_time())
        except CollateralFetchFailed as error:
            self._tell(f"rental {rental}: not all of what vendors say about this machine was found: {error}")
            found = error.found
        try:
            outcomes = post(self._session, found, evidence)
        except (CollateralRefused, AttestationError) as error:
            self._tell(f"rental {rental}: what vendors say about this machine was not posted: {error}")
            return
        new = sum(outcome.outcome in ("added", "replaced") for outcome in outcomes)
        self._tell(f"rental {rental}: {len(outcomes)} vendors' statements posted, {new} of them new")

    def _submit(self, rental: int, bundle: bytes, evidence: Evidence) -> AttestationRecord:
        if len(evidence.gpus) + len(evidence.switches) <= 1:
            return self._session.submit_attestation(rental, bundle)
        parts = [bundle[at : at + PART_BYTES] for at in range(0, len(bundle), PART_BYTES)]
        for index, part in enumerate(parts):
            self._worker.upload_evidence(rental, index, len(parts), part)
        self._tell(f"rental {rental}: evidence of {len(bundle)} bytes uploaded in {len(parts)} parts")
        for _ in range(MAX_STEPS):
            step = self._session.continue_attestation(rental)
            if not isinstance(step, Unfinished):
                return step
            self._tell(f"rental {rental}: verified {step.done} of {step.total} signatures")
        raise CanisterError("continue_attestation", "Unfinished", {"steps": MAX_STEPS})


def asks_for_collateral(policy: PolicyExpression) -> bool:
    """Whether evidence can fail for want of vendors' statements."""
    if isinstance(policy, AllOf | AnyOf):
        return any(asks_for_collateral(member) for member in policy.members)
    return policy.require_revocation or policy.require_reference_values


def _is_about_the_nonce(error: DeadlinePassed | EvidenceRefused) -> bool:
    return isinstance(error, DeadlinePassed) or error.details["kind"] == NOT_FOR_THIS_NONCE
