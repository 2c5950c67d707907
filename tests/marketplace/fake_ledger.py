"""A token ledger of twenty lines: balances, a fee, and ICRC-1's deduplication."""

from dataclasses import dataclass, field

from canisters.marketplace.core import ledger_journal
from canisters.marketplace.core.ledger_journal import Accepted, Outcome, Refused
from canisters.marketplace.core.model import Transfer
from canisters.marketplace.core.state import State

MARKET = "marketplace"


@dataclass
class FakeLedger:
    fee: int
    balances: dict[str, int] = field(default_factory=dict)
    blocks: list[tuple[str, str, int, int, bytes]] = field(default_factory=list)

    def execute(self, state: State, transfer: Transfer) -> Outcome:
        """Make the ledger call of a journal entry, once."""
        memo = ledger_journal.memo(state, transfer)
        if transfer.kind == ledger_journal.DEPOSIT:
            block = (str(transfer.owner), MARKET, transfer.amount.base_units, transfer.created_at_time, memo)
        else:
            amount = transfer.amount.base_units - transfer.fee.base_units
            block = (MARKET, str(transfer.owner), amount, transfer.created_at_time, memo)
        if block in self.blocks:
            return Accepted(self.blocks.index(block))
        if transfer.fee.base_units != self.fee:
            return Refused("BadFee", "the fee changed", self.fee)
        source, target, amount = block[:3]
        if self.balances.get(source, 0) < amount + self.fee:
            return Refused("InsufficientFunds", "not enough")
        self.balances[source] -= amount + self.fee
        self.balances[target] = self.balances.get(target, 0) + amount
        self.blocks.append(block)
        return Accepted(len(self.blocks) - 1)
