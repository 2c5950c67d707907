"""Money in and out of the marketplace."""

from dataclasses import dataclass

from leasehold.errors import UsageError
from leasehold.models import Balances
from leasehold.network import Client


@dataclass(frozen=True)
class Deposit:
    """A deposit, and what it cost on the ledger.

    Args:
        amount: credited.
        fees: paid to the ledger beside it: for the approval and for the transfer.
        balances: afterwards.
    """

    amount: int
    fees: int
    balances: Balances


def deposit(client: Client, amount: int, *, now: int | None = None) -> Deposit:
    """Approve and deposit tokens of the caller's.

    Args:
        amount: in base units; two ledger fees are paid beside it.
        now: nanoseconds since 1970; the same value again repeats the deposit without doing it twice.

    Raises:
        UsageError: the ledger balance does not cover it.
        LedgerError, LedgerRefused
    """
    if amount <= 0:
        raise UsageError(f"a deposit must be above zero, got {amount}")
    now = client.agent.now_ns() if now is None else now
    fee = client.ledger.fee
    balance = client.ledger.balance()
    if balance < amount + 2 * fee:
        raise UsageError(
            f"the ledger account has {balance}; a deposit of {amount} needs {amount + 2 * fee}, "
            f"with two ledger fees of {fee}"
        )
    client.ledger.approve(client.marketplace.id, amount + fee, created_at_time=now)
    balances = client.marketplace.deposit(amount, now)
    return Deposit(amount, 2 * fee, balances)


def withdraw(client: Client, amount: int, *, now: int | None = None) -> Balances:
    """Send tokens from the marketplace to the caller's ledger account, which receives them less the fee."""
    if amount <= client.ledger.fee:
        raise UsageError(f"a withdrawal must be above the ledger's fee of {client.ledger.fee}, got {amount}")
    return client.marketplace.withdraw(amount, client.agent.now_ns() if now is None else now)
