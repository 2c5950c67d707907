"""What the ledger refuses, one class per failure a caller may handle.

The classes bear the names of the ICRC-1 and ICRC-2 error variants and carry their fields. What the standards
have no variant for is a `GenericError` with a code of its own.
"""

from __future__ import annotations


class LedgerError(Exception):
    """A refused request; nothing has changed."""

    def __init__(self, text: str, /, **fields: int | str) -> None:
        super().__init__(text)
        self.fields = fields

    def variant(self) -> dict[str, dict[str, int | str] | None]:
        """The error as the Candid variant of the standards."""
        return {type(self).__name__: self.fields or None}


class BadFee(LedgerError):
    """The caller named another fee than this transaction costs."""

    def __init__(self, expected_fee: int) -> None:
        super().__init__(f"the fee is {expected_fee}: leave it out or name it", expected_fee=expected_fee)


class BadBurn(LedgerError):
    """Fewer tokens than the least burn were sent to the minting account."""

    def __init__(self, min_burn_amount: int) -> None:
        super().__init__(f"burn at least {min_burn_amount}", min_burn_amount=min_burn_amount)


class InsufficientFunds(LedgerError):
    """The account does not hold the amount and the fee."""

    def __init__(self, balance: int) -> None:
        super().__init__(f"the account holds {balance}, less than amount and fee", balance=balance)


class InsufficientAllowance(LedgerError):
    """The spender's allowance does not cover the amount and the fee."""

    def __init__(self, allowance: int) -> None:
        super().__init__(f"the spender may draw {allowance}, less than amount and fee", allowance=allowance)


class AllowanceChanged(LedgerError):
    """The allowance is not what the caller expected it to be."""

    def __init__(self, current_allowance: int) -> None:
        super().__init__(f"the allowance is {current_allowance} now", current_allowance=current_allowance)


class Expired(LedgerError):
    """The approval would have ended before it began."""

    def __init__(self, ledger_time: int) -> None:
        super().__init__(f"expires_at is not after the ledger's time {ledger_time}", ledger_time=ledger_time)


class TooOld(LedgerError):
    """`created_at_time` lies before the deduplication window."""

    def __init__(self) -> None:
        super().__init__("created_at_time is too long ago: make a new request")


class CreatedInFuture(LedgerError):
    """`created_at_time` is further ahead of the ledger's clock than clocks may differ."""

    def __init__(self, ledger_time: int) -> None:
        super().__init__(f"created_at_time is after the ledger's time {ledger_time}", ledger_time=ledger_time)


class Duplicate(LedgerError):
    """The same transaction is in the log already."""

    def __init__(self, duplicate_of: int) -> None:
        super().__init__(f"this transaction is block {duplicate_of}", duplicate_of=duplicate_of)


class GenericError(LedgerError):
    """A refusal for which the standards have no variant."""

    code = 0

    def __init__(self, message: str) -> None:
        super().__init__(message, error_code=self.code, message=message)

    def variant(self) -> dict[str, dict[str, int | str] | None]:
        return {"GenericError": self.fields}


class InvalidSubaccount(GenericError):
    """A subaccount that is not 32 bytes long."""

    code = 1


class MemoTooLong(GenericError):
    """A memo above the length that `icrc1:max_memo_length` states."""

    code = 2


class SelfApproval(GenericError):
    """Somebody approved transfers by themselves."""

    code = 3


class MintingAccountRefused(GenericError):
    """The minting account cannot do this: approve, be drawn from, or send to itself."""

    code = 4


class SupplyExceeded(GenericError):
    """A mint would create more tokens than a balance can hold."""

    code = 5
