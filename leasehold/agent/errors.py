"""What can go wrong between this machine and the Internet Computer."""

from leasehold.errors import EXIT_TIMED_OUT, LeaseholdError

REJECT_CODES = {
    1: "the system cannot do it",
    2: "the system cannot do it now",
    3: "the canister or method does not exist",
    4: "the canister refused",
    5: "the canister trapped",
    6: "the outcome is unknown",
}


class AgentError(LeaseholdError):
    """Base of the agent's errors."""


class NetworkError(AgentError):
    """The node could not be reached, or answered something that is no answer."""


class AnswerTimeoutError(NetworkError):
    """No certified answer came in time; the call may or may not have been executed."""

    exit_code = EXIT_TIMED_OUT


class RejectedError(AgentError):
    """The call was rejected.

    Args:
        code: reject code of the interface specification, 1 to 6.
        message: the system's or the canister's text.
        error_code: the implementation's code, such as `IC0503`, when given.
        certified: whether a certificate says so; a rejection by a single node is not certified.
    """

    def __init__(self, code: int, message: str, error_code: str | None, *, certified: bool = True) -> None:
        self.code = code
        self.message = message
        self.error_code = error_code
        self.certified = certified
        meaning = REJECT_CODES.get(code, f"reject code {code}")
        suffix = f" [{error_code}]" if error_code else ""
        super().__init__(f"{meaning}: {message}{suffix}")


class CertificateError(AgentError):
    """A certificate or a signature over an answer does not hold: trust nothing of the answer."""


class UntimelyError(CertificateError):
    """What was signed is too old or too new for this machine's clock."""


class CandidError(AgentError):
    """A value does not have its Candid type, or a message cannot be decoded."""


class IdentityError(LeaseholdError):
    """A key or a PEM file cannot be used."""


class PrincipalError(LeaseholdError):
    """A text or byte string is no principal."""
