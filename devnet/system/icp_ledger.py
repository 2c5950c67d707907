"""The ICP ledger, `ryjl3-tyaaa-aaaaa-aaaba-cai`."""

from __future__ import annotations

from typing import Any, Final

from devnet.replica.candid import BLOB
from devnet.replica.natives import NativeState
from devnet.system import interface
from devnet.system.accounts import (
    GOVERNANCE,
    ICP_LEDGER,
    account_identifier,
    is_account_identifier,
    of_account,
)
from devnet.system.errors import Refused, Trap
from devnet.system.icrc import Token, TokenCanister
from devnet.system.ledger import WINDOW_NS, Order
from devnet.system.methods import SystemCall

ICP: Final = Token("Internet Computer", "ICP", 8, 10_000, GOVERNANCE)
MEMO_BYTES: Final = 8


class IcpLedger(TokenCanister):
    """ICRC-1, ICRC-2 and the older `transfer` to an account identifier."""

    def __init__(self, state: NativeState) -> None:
        super().__init__(ICP_LEDGER, "icp", ICP, state)
        self.query("account_balance", interface.LEGACY_BALANCE_ARGS, interface.E8S, self._account_balance)
        self.query("account_identifier", interface.ACCOUNT, BLOB, lambda call, account: of_account(account))
        self.update_result(
            "transfer", interface.LEGACY_TRANSFER_ARGS, interface.LEGACY_TRANSFER, self._legacy_transfer
        )

    def _account_balance(self, call: SystemCall, argument: Any) -> dict[str, int]:
        return {"e8s": self.ledger.balance(argument["account"])}

    def _legacy_transfer(self, call: SystemCall, argument: Any) -> int:
        if not is_account_identifier(argument["to"]):
            raise Trap("'to' is no account identifier: its length or checksum is wrong")
        created_at = argument["created_at_time"]
        order = Order(
            account_identifier(call.caller, argument["from_subaccount"]),
            argument["to"],
            argument["amount"]["e8s"],
            argument["fee"]["e8s"],
            argument["memo"].to_bytes(MEMO_BYTES, "little"),
            None if created_at is None else created_at["timestamp_nanos"],
        )
        try:
            return self.ledger.transfer(order, call.now)
        except Refused as refused:
            raise _legacy(refused) from refused


def _legacy(refused: Refused) -> Exception:
    """The case of the older `TransferError` that says the same."""
    fields = refused.content
    match refused.case:
        case "BadFee":
            return Refused("BadFee", expected_fee={"e8s": fields["expected_fee"]})
        case "InsufficientFunds":
            return Refused("InsufficientFunds", balance={"e8s": fields["balance"]})
        case "TooOld":
            return Refused("TxTooOld", allowed_window_nanos=WINDOW_NS)
        case "CreatedInFuture":
            return Refused("TxCreatedInFuture")
        case "Duplicate":
            return Refused("TxDuplicate", duplicate_of=fields["duplicate_of"])
    return Trap(f"the ICP ledger refused the transfer: {refused}")
