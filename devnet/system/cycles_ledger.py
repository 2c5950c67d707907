"""The cycles ledger, `um5iw-rqaaa-aaaaq-qaaba-cai`: cycles as a token."""

from __future__ import annotations

from typing import Any, Final

from devnet.principal import is_opaque
from devnet.replica.api import Reject, RejectCode
from devnet.replica.natives import NativeServices, NativeState
from devnet.system import interface
from devnet.system.accounts import CYCLES_LEDGER, account_identifier, of_account
from devnet.system.errors import Refused, Trap
from devnet.system.icrc import Token, TokenCanister
from devnet.system.ledger import Order
from devnet.system.methods import SystemCall

CYCLES: Final = Token("Trillion Cycles", "TCYCLES", 12, 100_000_000, None)
_REJECTION: Final = {
    RejectCode.SYS_FATAL: "SysFatal",
    RejectCode.SYS_TRANSIENT: "SysTransient",
    RejectCode.DESTINATION_INVALID: "DestinationInvalid",
    RejectCode.CANISTER_REJECT: "CanisterReject",
    RejectCode.CANISTER_ERROR: "CanisterError",
}


class CyclesLedger(TokenCanister):
    """Deposits, withdrawals to canisters, and creation of canisters.

    A withdrawal or creation that fails costs nothing here; on the Internet Computer it costs fees.
    """

    def __init__(self, state: NativeState, subnet: NativeServices) -> None:
        super().__init__(CYCLES_LEDGER, "cycles", CYCLES, state)
        self._subnet = subnet
        self.update("deposit", interface.DEPOSIT_ARGS, interface.DEPOSIT, self._deposit)
        self.update_result("withdraw", interface.WITHDRAW_ARGS, interface.WITHDRAW, self._withdraw)
        self.update_result("create_canister", interface.CREATE_ARGS, interface.CREATE, self._create)

    def credit(self, account: bytes, cycles: int, memo: bytes | None, now: int) -> int:
        """Add deposited cycles, less the fee, to an account; returns the block's index.

        Raises:
            Trap: they do not even cover the fee.
        """
        fee = self.token.fee
        if cycles < fee:
            raise Trap(f"{cycles} cycles are deposited, but the fee is {fee}")
        return self.ledger.mint(account, cycles - fee, memo, now)

    def _deposit(self, call: SystemCall, argument: Any) -> dict[str, int]:
        account = of_account(argument["to"])
        index = self.credit(account, call.cycles, argument["memo"], call.now)
        call.accept_all()
        return {"balance": self.ledger.balance(account), "block_index": index}

    def _withdraw(self, call: SystemCall, argument: Any) -> int:
        to = argument["to"]
        if not is_opaque(to):
            raise Refused("InvalidReceiver", receiver=to)
        order = _order(call, argument, to)
        index = self.ledger.burn(order, call.now, self.token.fee)
        try:
            self._subnet.deposit_cycles(to, argument["amount"])
        except Reject as reject:
            code = _REJECTION.get(RejectCode(reject.code), "Unknown")
            raise Refused(
                "FailedToWithdraw",
                fee_block=None,
                rejection_code=(code, None),
                rejection_reason=reject.message,
            ) from reject
        return index

    def _create(self, call: SystemCall, argument: Any) -> dict[str, Any]:
        creation = argument["creation_args"] or {"settings": None, "subnet_selection": None}
        self._check_subnet(creation["subnet_selection"])
        try:
            index = self.ledger.burn(_order(call, argument, b"create"), call.now, self.token.fee)
        except Refused as refused:
            raise self._with_canister(refused) from refused
        settings = controlled_by(call.caller, creation["settings"])
        try:
            created = self._subnet.create_canister(self.id, argument["amount"], settings)
        except Reject as reject:
            raise _not_created(reject.message) from reject
        self.state.put(f"cycles/created/{index}", created)
        return {"block_id": index, "canister_id": created}

    def _check_subnet(self, selection: Any) -> None:
        if selection is None or selection[0] != "Subnet":
            return
        if selection[1]["subnet"] != self._subnet.subnet_id:
            raise _not_created("there is no such subnet: this network has one only")

    def _with_canister(self, refused: Refused) -> Refused:
        """A duplicate creation names the canister of the first one."""
        if refused.case != "Duplicate":
            return refused
        first = refused.content["duplicate_of"]
        created = self.state.get(f"cycles/created/{first}")
        return Refused("Duplicate", duplicate_of=first, canister_id=created)


def controlled_by(controller: bytes, settings: dict[str, Any] | None) -> dict[str, Any]:
    """Settings of a new canister, controlled by `controller` unless they say otherwise."""
    chosen = dict(settings or {})
    if chosen.get("controllers") is None:
        chosen["controllers"] = [controller]
    return chosen


def _order(call: SystemCall, argument: Any, to: bytes) -> Order:
    source = account_identifier(call.caller, argument["from_subaccount"])
    return Order(source, to, argument["amount"], created_at=argument["created_at_time"])


def _not_created(why: str) -> Refused:
    return Refused("FailedToCreate", fee_block=None, refund_block=None, error=why)
