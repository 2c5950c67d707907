"""The methods that every token has: ICRC-1 and ICRC-2 over a `TokenLedger`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from devnet.replica.candid import NAT, TEXT, Opt
from devnet.replica.natives import NativeState
from devnet.system import interface
from devnet.system.accounts import account_identifier, of_account
from devnet.system.ledger import Order, TokenLedger
from devnet.system.methods import SystemCall, SystemCanister

_STANDARDS: Final = ("ICRC-1", "ICRC-2")
_STANDARD_URL: Final = "https://github.com/dfinity/ICRC-1/tree/main/standards/"


@dataclass(frozen=True)
class Token:
    """What a token is called and what a transfer costs (base units); `minter` owns the minting account."""

    name: str
    symbol: str
    decimals: int
    fee: int
    minter: bytes | None


class TokenCanister(SystemCanister):
    """A ledger of one token."""

    def __init__(self, identifier: bytes, key: str, token: Token, state: NativeState) -> None:
        super().__init__(identifier, f"the {token.symbol} ledger", state)
        self.token = token
        minting = None if token.minter is None else account_identifier(token.minter)
        self.ledger = TokenLedger(state, key, token.fee, minting)
        self._add_descriptions()
        self.query("icrc1_balance_of", interface.ACCOUNT, NAT, self._balance)
        self.query("icrc2_allowance", interface.ALLOWANCE_ARGS, interface.ALLOWANCE, self._allowance)
        self.update_result("icrc1_transfer", interface.TRANSFER_ARGS, interface.TRANSFER, self._transfer)
        self.update_result("icrc2_approve", interface.APPROVE_ARGS, interface.APPROVE, self._approve)
        self.update_result(
            "icrc2_transfer_from",
            interface.TRANSFER_FROM_ARGS,
            interface.TRANSFER_FROM,
            self._transfer_from,
        )

    def _add_descriptions(self) -> None:
        token = self.token
        minter = None if token.minter is None else {"owner": token.minter, "subaccount": None}
        metadata = [
            ("icrc1:name", ("Text", token.name)),
            ("icrc1:symbol", ("Text", token.symbol)),
            ("icrc1:decimals", ("Nat", token.decimals)),
            ("icrc1:fee", ("Nat", token.fee)),
        ]
        standards = [{"name": name, "url": _STANDARD_URL + name} for name in _STANDARDS]
        self.query("icrc1_name", None, TEXT, lambda call, _: token.name)
        self.query("icrc1_symbol", None, TEXT, lambda call, _: token.symbol)
        self.query("icrc1_decimals", None, interface.NAT8, lambda call, _: token.decimals)
        self.query("icrc1_fee", None, NAT, lambda call, _: token.fee)
        self.query("icrc1_metadata", None, interface.METADATA, lambda call, _: metadata)
        self.query("icrc1_supported_standards", None, interface.STANDARDS, lambda call, _: standards)
        self.query("icrc1_minting_account", None, Opt(interface.ACCOUNT), lambda call, _: minter)
        self.query("icrc1_total_supply", None, NAT, lambda call, _: self.ledger.total_supply)

    def _balance(self, call: SystemCall, account: Any) -> int:
        return self.ledger.balance(of_account(account))

    def _allowance(self, call: SystemCall, argument: Any) -> dict[str, Any]:
        source, spender = of_account(argument["account"]), of_account(argument["spender"])
        amount, expires_at = self.ledger.allowance(source, spender, call.now)
        return {"allowance": amount, "expires_at": expires_at}

    def _transfer(self, call: SystemCall, argument: Any) -> int:
        source = account_identifier(call.caller, argument["from_subaccount"])
        return self.ledger.transfer(_order(source, of_account(argument["to"]), argument), call.now)

    def _transfer_from(self, call: SystemCall, argument: Any) -> int:
        spender = account_identifier(call.caller, argument["spender_subaccount"])
        source, to = of_account(argument["from"]), of_account(argument["to"])
        return self.ledger.transfer(_order(source, to, argument, spender), call.now)

    def _approve(self, call: SystemCall, argument: Any) -> int:
        source = account_identifier(call.caller, argument["from_subaccount"])
        order = _order(source, of_account(argument["spender"]), argument)
        expected, expires_at = argument["expected_allowance"], argument["expires_at"]
        return self.ledger.approve(order, call.now, expected, expires_at)


def _order(source: bytes, to: bytes, argument: Any, spender: bytes | None = None) -> Order:
    return Order(
        source,
        to,
        argument["amount"],
        argument["fee"],
        argument["memo"],
        argument["created_at_time"],
        spender,
    )
