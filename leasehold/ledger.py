"""The token ledger, typed. Source: ICRC-1 and ICRC-2."""

from functools import cached_property
from typing import Any

from leasehold.agent import Agent, Principal
from leasehold.errors import LeaseholdError
from leasehold.typed import TypedClient


class LedgerError(LeaseholdError):
    """The ledger refused.

    Args:
        kind: name of the variant, such as `InsufficientFunds`.
        details: its record, such as `{"balance": 5}`.
    """

    def __init__(self, method: str, kind: str, details: dict[str, Any] | None) -> None:
        self.kind = kind
        self.details = details or {}
        shown = ", ".join(f"{name} {value}" for name, value in self.details.items())
        super().__init__(f"{method}: the ledger refused: {kind}" + (f" ({shown})" if shown else ""))


class Ledger(TypedClient):
    """Client of an ICRC-1/2 ledger. Accounts are principals with their default subaccount."""

    def __init__(self, agent: Agent, canister_id: Principal | str) -> None:
        super().__init__(agent, canister_id, "ledger")
        self._owner = agent.identity.principal

    @cached_property
    def symbol(self) -> str:
        """The token's symbol."""
        symbol: str = self.canister.call("icrc1_symbol")
        return symbol

    @cached_property
    def decimals(self) -> int:
        """How many decimal places people write."""
        decimals: int = self.canister.call("icrc1_decimals")
        return decimals

    @cached_property
    def fee(self) -> int:
        """What a transfer or approval costs, in base units."""
        fee: int = self.canister.call("icrc1_fee")
        return fee

    def balance(self, owner: Principal | None = None) -> int:
        """Balance in base units; the caller's by default."""
        balance: int = self.canister.call("icrc1_balance_of", account(owner or self._owner))
        return balance

    def transfer(self, to: Principal, amount: int, *, created_at_time: int | None = None) -> int:
        """Send tokens; answers the block's index. With `created_at_time` it is done once only.

        Raises:
            LedgerError
        """
        arguments = {"to": account(to), "amount": amount, "created_at_time": created_at_time}
        return self._block("icrc1_transfer", arguments)

    def approve(self, spender: Principal, amount: int, *, created_at_time: int | None = None) -> int:
        """Let somebody take up to `amount` in all, fees included; answers the block's index.

        Raises:
            LedgerError
        """
        arguments = {"spender": account(spender), "amount": amount, "created_at_time": created_at_time}
        return self._block("icrc2_approve", arguments)

    def allowance(self, owner: Principal, spender: Principal) -> int:
        """What the spender may still take of the owner's."""
        answer = self.canister.call(
            "icrc2_allowance", {"account": account(owner), "spender": account(spender)}
        )
        allowance: int = answer["allowance"]
        return allowance

    def _block(self, method: str, arguments: dict[str, Any]) -> int:
        answer = self.canister.call(method, arguments)
        if "Err" in answer:
            ((kind, details),) = answer["Err"].items()
            if kind == "Duplicate":
                duplicate: int = details["duplicate_of"]
                return duplicate
            raise LedgerError(method, kind, details)
        block: int = answer["Ok"]
        return block


def account(owner: Principal) -> dict[str, Any]:
    """An ICRC-1 account: a principal's default subaccount."""
    return {"owner": owner, "subaccount": None}
