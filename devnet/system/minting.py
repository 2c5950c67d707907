"""The cycles minting canister, `rkp4c-7iaaa-aaaaa-aaaca-cai`: burns ICP, makes cycles, at a fixed rate."""

from __future__ import annotations

from typing import Any, Final

from devnet.replica.api import Reject
from devnet.replica.natives import NativeServices, NativeState
from devnet.system import interface
from devnet.system.accounts import (
    MINTING,
    account_identifier,
    principal_subaccount,
)
from devnet.system.cycles_ledger import CyclesLedger, controlled_by
from devnet.system.errors import Refused
from devnet.system.icp_ledger import MEMO_BYTES, IcpLedger
from devnet.system.ledger import Order
from devnet.system.methods import SystemCall, SystemCanister

XDR_PERMYRIAD_PER_ICP: Final = 35_000
"""1 ICP = 3.5 XDR; 1 XDR = 1 T cycles, so this is also the number of cycles for 1 e8s."""

MEMO_MINT: Final = b"MINT".ljust(MEMO_BYTES, b"\0")
MEMO_TOP_UP: Final = b"TPUP".ljust(MEMO_BYTES, b"\0")
MEMO_CREATE: Final = b"CREA".ljust(MEMO_BYTES, b"\0")


class CyclesMinting(SystemCanister):
    """Turns an ICP payment, named by its block, into cycles for a person, a canister, or a new canister."""

    def __init__(
        self, state: NativeState, subnet: NativeServices, icp: IcpLedger, cycles: CyclesLedger
    ) -> None:
        super().__init__(MINTING, "the cycles minting canister", state)
        self._subnet = subnet
        self._icp = icp
        self._cycles = cycles
        self.query("get_icp_xdr_conversion_rate", None, interface.CONVERSION_RATE, _conversion_rate)
        self.query("get_default_subnets", None, interface.PRINCIPALS, lambda call, _: [subnet.subnet_id])
        self.query("get_subnet_types_to_subnets", None, interface.SUBNET_TYPES, lambda call, _: {"data": []})
        self.update_result(
            "notify_mint_cycles", interface.NOTIFY_MINT_ARGS, interface.NOTIFY_MINT, self._mint
        )
        self.update_result(
            "notify_top_up", interface.NOTIFY_TOP_UP_ARGS, interface.NOTIFY_TOP_UP, self._top_up
        )
        self.update_result(
            "notify_create_canister", interface.NOTIFY_CREATE_ARGS, interface.NOTIFY_CREATE, self._create
        )

    def _mint(self, call: SystemCall, argument: Any) -> dict[str, int]:
        index = argument["block_index"]
        earlier = self._earlier("mint", index)
        if earlier is not None:
            return dict(zip(("balance", "block_index", "minted"), earlier, strict=True))
        minted = self._take_payment(index, call.caller, MEMO_MINT, call.now)
        if minted < self._cycles.token.fee:
            raise _invalid(f"{minted} cycles do not cover the fee of a deposit")
        account = account_identifier(call.caller, argument["to_subaccount"])
        block = self._cycles.credit(account, minted, argument["deposit_memo"], call.now)
        answer = {"balance": self._cycles.ledger.balance(account), "block_index": block, "minted": minted}
        self._remember("mint", index, list(answer.values()))
        return answer

    def _top_up(self, call: SystemCall, argument: Any) -> int:
        index, canister = argument["block_index"], argument["canister_id"]
        earlier = self._earlier("top_up", index)
        if earlier is not None:
            return int(earlier)
        minted = self._take_payment(index, canister, MEMO_TOP_UP, call.now)
        try:
            self._subnet.deposit_cycles(canister, minted)
        except Reject as reject:
            raise _invalid(reject.message) from reject
        self._remember("top_up", index, minted)
        return minted

    def _create(self, call: SystemCall, argument: Any) -> bytes:
        index, controller = argument["block_index"], argument["controller"]
        earlier = self._earlier("create", index)
        if earlier is not None:
            return bytes(earlier)
        if call.caller != controller:
            raise _invalid("only the controller itself may ask for its canister")
        minted = self._take_payment(index, controller, MEMO_CREATE, call.now)
        settings = controlled_by(controller, argument["settings"])
        try:
            created = self._subnet.create_canister(self.id, minted, settings)
        except Reject as reject:
            raise _invalid(reject.message) from reject
        self._remember("create", index, created)
        return created

    def _take_payment(self, index: int, beneficiary: bytes, memo: bytes, now: int) -> int:
        """Burn the ICP of a payment and return the cycles it buys.

        Raises:
            Refused: the block is no payment for this, or was used for something else.
        """
        block = self._icp.ledger.block(index)
        account = account_identifier(self.id, principal_subaccount(beneficiary))
        if block is None or block.kind != "transfer":
            raise _invalid(f"block {index} of the ICP ledger is no transfer")
        if block.to != account:
            raise _invalid(f"block {index} does not pay to the account for this purpose")
        if block.memo != memo:
            raise _invalid(f"the memo of block {index} is not {memo.rstrip(bytes(1)).decode()}")
        used = self.state.get(f"minting/used/{index}")
        if used is not None:
            raise _invalid(f"block {index} was already used for {used}")
        minting = self._icp.ledger.minting
        assert minting is not None
        self._icp.ledger.burn(Order(account, minting, block.amount), now, fee=0)
        return block.amount * XDR_PERMYRIAD_PER_ICP

    def _earlier(self, purpose: str, index: int) -> Any:
        """The answer of the same request before: asking twice is how a lost answer is got back."""
        return self.state.get(f"minting/{purpose}/{index}")

    def _remember(self, purpose: str, index: int, answer: Any) -> None:
        self.state.put(f"minting/used/{index}", purpose)
        self.state.put(f"minting/{purpose}/{index}", answer)


def _conversion_rate(call: SystemCall, _: Any) -> dict[str, Any]:
    rate = {"timestamp_seconds": call.now // 10**9, "xdr_permyriad_per_icp": XDR_PERMYRIAD_PER_ICP}
    return {"data": rate, "hash_tree": b"", "certificate": b""}


def _invalid(why: str) -> Refused:
    return Refused("InvalidTransaction", why)
