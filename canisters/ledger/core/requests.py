"""Requests to the ledger, and the ICRC-3 `tx` values that record them."""

from __future__ import annotations

from typing import NamedTuple

from canisters.ledger.core.accounts import Account
from canisters.ledger.core.values import Value


class Transfer(NamedTuple):
    """Move tokens. With a `spender`, on the strength of an allowance (`icrc2_transfer_from`)."""

    source: Account
    to: Account
    amount: int
    fee: int | None = None
    memo: bytes | None = None
    created_at: int | None = None
    """The caller's time in ns; with it, the request is carried out once however often it is sent."""
    spender: Account | None = None


class Approval(NamedTuple):
    """Set what `spender` may draw from `source`, in place of what it was."""

    source: Account
    spender: Account
    amount: int
    expected_allowance: int | None = None
    expires_at: int | None = None
    fee: int | None = None
    memo: bytes | None = None
    created_at: int | None = None


def transfer_value(request: Transfer, minting_account: Account) -> dict[str, Value]:
    """The `tx` of a transfer, mint or burn; mints and burns name neither the minting account nor a fee."""
    tx: dict[str, Value] = {"op": "xfer", "amt": request.amount}
    if request.source == minting_account:
        tx["op"] = "mint"
    else:
        tx["from"] = request.source.value()
    if request.to == minting_account:
        tx["op"] = "burn"
    else:
        tx["to"] = request.to.value()
    if request.spender is not None:
        tx["spender"] = request.spender.value()
    if tx["op"] == "xfer" and request.fee is not None:
        tx["fee"] = request.fee
    _add_common(tx, request.memo, request.created_at)
    return tx


def approval_value(request: Approval) -> dict[str, Value]:
    """The `tx` of an approval."""
    tx: dict[str, Value] = {
        "op": "approve",
        "amt": request.amount,
        "from": request.source.value(),
        "spender": request.spender.value(),
    }
    if request.fee is not None:
        tx["fee"] = request.fee
    if request.expected_allowance is not None:
        tx["expected_allowance"] = request.expected_allowance
    if request.expires_at is not None:
        tx["expires_at"] = request.expires_at
    _add_common(tx, request.memo, request.created_at)
    return tx


def _add_common(tx: dict[str, Value], memo: bytes | None, created_at: int | None) -> None:
    if memo is not None:
        tx["memo"] = memo
    if created_at is not None:
        tx["ts"] = created_at
