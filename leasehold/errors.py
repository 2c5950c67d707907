"""The errors of this package, and the exit code that the command line gives for each.

Every error derives from `LeaseholdError`; its text is meant to be shown to a person as it is.
"""

from collections.abc import Mapping
from typing import Any

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_TIMED_OUT = 3
EXIT_NOT_AUTHORISED = 4
EXIT_EVIDENCE_INVALID = 5
EXIT_COLLATERAL_UNAVAILABLE = 6
EXIT_POLICY_MISMATCH = 7
EXIT_JOB_FAILED = 8


class LeaseholdError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code: int = EXIT_FAILURE


class ConfigurationError(LeaseholdError):
    """A setting, an identity or a file of ours is missing or malformed."""


class UsageError(LeaseholdError):
    """An argument cannot be used as given."""

    exit_code = EXIT_USAGE


class TimedOutError(LeaseholdError):
    """Something did not happen in the time allowed."""

    exit_code = EXIT_TIMED_OUT


class NotPermittedError(LeaseholdError):
    """The identity in use may not do this."""

    exit_code = EXIT_NOT_AUTHORISED


class JobFailedError(LeaseholdError):
    """A rental ended without a result."""

    exit_code = EXIT_JOB_FAILED


class EvidenceInvalidError(LeaseholdError):
    """TEE evidence that is malformed, inconsistent, wrongly signed, or not bound to what it should be."""

    exit_code = EXIT_EVIDENCE_INVALID


class CollateralUnavailableError(LeaseholdError):
    """Sound TEE evidence that cannot be judged without vendors' statements that were not supplied."""

    exit_code = EXIT_COLLATERAL_UNAVAILABLE


class PolicyMismatchError(LeaseholdError):
    """Sound TEE evidence that a policy does not accept, or a policy that accepts nothing."""

    exit_code = EXIT_POLICY_MISMATCH


class CanisterError(LeaseholdError):
    """A canister answered `Err`. The fields of its variant are attributes of the same name.

    Args:
        method: the method that was called.
        kind: name of the variant, such as `NotFound`.
        details: its record.
    """

    def __init__(self, method: str, kind: str, details: Mapping[str, Any]) -> None:
        self.method = method
        self.kind = kind
        self.details = dict(details)
        super().__init__(f"{method}: {self.explanation()}")

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["details"][name]
        except KeyError:
            raise AttributeError(name) from None

    def explanation(self) -> str:
        """What happened, in words."""
        fields = ", ".join(f"{name} {_shown(value)}" for name, value in self.details.items())
        return f"{self.kind}: {fields}" if fields else self.kind


class NotFound(CanisterError):
    """No such listing, dataset, offer, rental or blob."""

    def explanation(self) -> str:
        return f"there is no {self.details['kind']} {self.details['id']!r}"


class NotAuthorized(CanisterError):
    """The caller is not who may do this."""

    exit_code = EXIT_NOT_AUTHORISED

    def explanation(self) -> str:
        return f"not authorised: this needs {self.details['required']}; choose it with --identity"


class InvalidState(CanisterError):
    """The record's state does not allow this."""

    def explanation(self) -> str:
        allowed = ", ".join(self.details["allowed"]) or "no state"
        return f"not possible while it is {self.details['current']!r}, only in {allowed}"


class InvalidArgument(CanisterError):
    """An argument was refused."""

    exit_code = EXIT_USAGE

    def explanation(self) -> str:
        return f"{self.details['field']} = {self.details['value']!r} is refused: {self.details['problem']}"


class InsufficientBalance(CanisterError):
    """The caller's available balance does not cover it."""

    def explanation(self) -> str:
        available, required = self.details["available"], self.details["required"]
        return (
            f"the available balance is {available}, {required} are needed; "
            f"deposit {required - available} more with `leasehold account deposit {required - available}`"
        )


class PriceAboveMaximum(CanisterError):
    """The price is above the maximum that the renter named."""

    def explanation(self) -> str:
        return f"the price {self.details['price']} is above the maximum {self.details['maximum']}"


class DeadlinePassed(CanisterError):
    """The action came at or after its deadline."""

    exit_code = EXIT_TIMED_OUT

    def explanation(self) -> str:
        late = (self.details["now"] - self.details["deadline"]) / 1e9
        return f"the deadline has passed {late:.1f} s ago"


class EvidenceRefused(CanisterError):
    """The canister's verification refused the TEE evidence, or its policy did."""

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """Evidence that is genuine but not what the policy demands has a code of its own."""
        return EXIT_POLICY_MISMATCH if self.details["kind"] == "PolicyRefused" else EXIT_EVIDENCE_INVALID

    def explanation(self) -> str:
        return f"evidence refused ({self.details['kind']}): {self.details['message']}"


class CollateralRefused(CanisterError):
    """A vendor's statement that was posted is not one, or cannot be verified."""

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """Its signer's certificate is missing, or its window over; or the statement is wrong."""
        wanting = self.details["kind"] in ("CollateralUnavailable", "CollateralExpired")
        return EXIT_COLLATERAL_UNAVAILABLE if wanting else EXIT_EVIDENCE_INVALID

    def explanation(self) -> str:
        return f"{self.details['piece']} is refused ({self.details['kind']}): {self.details['message']}"


class LedgerRefused(CanisterError):
    """The token ledger refused a transfer."""

    def explanation(self) -> str:
        return f"the ledger refused ({self.details['kind']}): {self.details['message']}"


class Unavailable(CanisterError):
    """A canister that is needed for this did not answer; try again."""

    def explanation(self) -> str:
        return f"{self.details['service']} is not available: {self.details['message']}; try again"


class QuotaExceeded(CanisterError):
    """The vault's quota of this owner is used up."""


class HashMismatch(CanisterError):
    """A chunk's bytes are not those declared."""


class Incomplete(CanisterError):
    """The blob has not been uploaded completely."""

    def explanation(self) -> str:
        return f"the blob is incomplete: {self.details['missing']} chunks are missing"


_KINDS: dict[str, type[CanisterError]] = {
    kind.__name__: kind
    for kind in (
        NotFound,
        NotAuthorized,
        InvalidState,
        InvalidArgument,
        InsufficientBalance,
        PriceAboveMaximum,
        DeadlinePassed,
        CollateralRefused,
        EvidenceRefused,
        LedgerRefused,
        Unavailable,
        QuotaExceeded,
        HashMismatch,
        Incomplete,
    )
}


def unwrap(method: str, answer: Mapping[str, Any]) -> Any:
    """The value of `variant { Ok; Err }`.

    Raises:
        CanisterError: of the subclass named like the variant in `Err`.
    """
    if "Ok" in answer:
        return answer["Ok"]
    ((kind, details),) = answer["Err"].items()
    raise _KINDS.get(kind, CanisterError)(method, kind, details or {})


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)
