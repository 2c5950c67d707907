"""Candid types of the system canisters' methods.

Sources: the `.did` files of the ICRC-1 and ICRC-2 standards, of the ICP ledger, of the cycles ledger and of
the cycles minting canister.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from icp_candid import Types  # type: ignore[import-untyped]

from devnet.replica.candid import (
    BLOB,
    NAT,
    NAT64,
    NULL,
    PRINCIPAL,
    TEXT,
    CandidType,
    Opt,
    Plain,
    Record,
    Variant,
    Vec,
)
from devnet.replica.management.interface import SETTINGS

NAT8 = Plain(Types.Nat8)


@dataclass(frozen=True)
class Pair:
    """`record { first; second }`."""

    first: CandidType
    second: CandidType

    @property
    def codec(self) -> Any:
        return Types.Tuple(self.first.codec, self.second.codec)

    def load(self, value: Any) -> tuple[Any, Any]:
        return self.first.load(value[0]), self.second.load(value[1])

    def dump(self, value: tuple[Any, Any]) -> tuple[Any, Any]:
        return self.first.dump(value[0]), self.second.dump(value[1])


def result(ok: CandidType, err: CandidType) -> Variant:
    return Variant({"Ok": ok, "Err": err})


ACCOUNT = Record({"owner": PRINCIPAL, "subaccount": Opt(BLOB)})
METADATA = Vec(Pair(TEXT, Variant({"Nat": NAT, "Text": TEXT})))
STANDARDS = Vec(Record({"name": TEXT, "url": TEXT}))

_GENERIC: dict[str, CandidType] = {
    "TemporarilyUnavailable": NULL,
    "GenericError": Record({"error_code": NAT, "message": TEXT}),
}
_TIMES: dict[str, CandidType] = {
    "TooOld": NULL,
    "CreatedInFuture": Record({"ledger_time": NAT64}),
    "Duplicate": Record({"duplicate_of": NAT}),
    "InsufficientFunds": Record({"balance": NAT}),
}
_BAD_FEE = {"BadFee": Record({"expected_fee": NAT})}
_BAD_BURN = {"BadBurn": Record({"min_burn_amount": NAT})}
_ALLOWANCE = {"InsufficientAllowance": Record({"allowance": NAT})}

TRANSFER_ARGS = Record(
    {
        "from_subaccount": Opt(BLOB),
        "to": ACCOUNT,
        "amount": NAT,
        "fee": Opt(NAT),
        "memo": Opt(BLOB),
        "created_at_time": Opt(NAT64),
    }
)
TRANSFER = result(NAT, Variant({**_BAD_FEE, **_BAD_BURN, **_TIMES, **_GENERIC}))

TRANSFER_FROM_ARGS = Record(
    {
        "spender_subaccount": Opt(BLOB),
        "from": ACCOUNT,
        "to": ACCOUNT,
        "amount": NAT,
        "fee": Opt(NAT),
        "memo": Opt(BLOB),
        "created_at_time": Opt(NAT64),
    }
)
TRANSFER_FROM = result(NAT, Variant({**_BAD_FEE, **_BAD_BURN, **_ALLOWANCE, **_TIMES, **_GENERIC}))

APPROVE_ARGS = Record(
    {
        "from_subaccount": Opt(BLOB),
        "spender": ACCOUNT,
        "amount": NAT,
        "expected_allowance": Opt(NAT),
        "expires_at": Opt(NAT64),
        "fee": Opt(NAT),
        "memo": Opt(BLOB),
        "created_at_time": Opt(NAT64),
    }
)
APPROVE = result(
    NAT,
    Variant(
        {
            **_BAD_FEE,
            **_TIMES,
            **_GENERIC,
            "AllowanceChanged": Record({"current_allowance": NAT}),
            "Expired": Record({"ledger_time": NAT64}),
        }
    ),
)
ALLOWANCE_ARGS = Record({"account": ACCOUNT, "spender": ACCOUNT})
ALLOWANCE = Record({"allowance": NAT, "expires_at": Opt(NAT64)})

E8S = Record({"e8s": NAT64})
LEGACY_TRANSFER_ARGS = Record(
    {
        "memo": NAT64,
        "amount": E8S,
        "fee": E8S,
        "from_subaccount": Opt(BLOB),
        "to": BLOB,
        "created_at_time": Opt(Record({"timestamp_nanos": NAT64})),
    }
)
LEGACY_TRANSFER = result(
    NAT64,
    Variant(
        {
            "BadFee": Record({"expected_fee": E8S}),
            "InsufficientFunds": Record({"balance": E8S}),
            "TxTooOld": Record({"allowed_window_nanos": NAT64}),
            "TxCreatedInFuture": NULL,
            "TxDuplicate": Record({"duplicate_of": NAT64}),
        }
    ),
)
LEGACY_BALANCE_ARGS = Record({"account": BLOB})

DEPOSIT_ARGS = Record({"to": ACCOUNT, "memo": Opt(BLOB)})
DEPOSIT = Record({"balance": NAT, "block_index": NAT})
REJECTION = Variant(
    dict.fromkeys(
        [
            "NoError",
            "CanisterError",
            "SysTransient",
            "DestinationInvalid",
            "Unknown",
            "SysFatal",
            "CanisterReject",
        ],
        NULL,
    )
)
WITHDRAW_ARGS = Record(
    {"amount": NAT, "from_subaccount": Opt(BLOB), "to": PRINCIPAL, "created_at_time": Opt(NAT64)}
)
WITHDRAW = result(
    NAT,
    Variant(
        {
            **_BAD_FEE,
            **_TIMES,
            **_GENERIC,
            "InvalidReceiver": Record({"receiver": PRINCIPAL}),
            "FailedToWithdraw": Record(
                {"fee_block": Opt(NAT), "rejection_code": REJECTION, "rejection_reason": TEXT}
            ),
        }
    ),
)
SUBNET_SELECTION = Variant(
    {"Subnet": Record({"subnet": PRINCIPAL}), "Filter": Record({"subnet_type": Opt(TEXT)})}
)
CREATE_ARGS = Record(
    {
        "from_subaccount": Opt(BLOB),
        "created_at_time": Opt(NAT64),
        "amount": NAT,
        "creation_args": Opt(Record({"settings": Opt(SETTINGS), "subnet_selection": Opt(SUBNET_SELECTION)})),
    }
)
CREATE = result(
    Record({"block_id": NAT, "canister_id": PRINCIPAL}),
    Variant(
        {
            **_TIMES,
            **_GENERIC,
            "Duplicate": Record({"duplicate_of": NAT, "canister_id": Opt(PRINCIPAL)}),
            "FailedToCreate": Record({"fee_block": Opt(NAT), "refund_block": Opt(NAT), "error": TEXT}),
        }
    ),
)

NOTIFY_ERROR = Variant(
    {
        "Refunded": Record({"block_index": Opt(NAT64), "reason": TEXT}),
        "InvalidTransaction": TEXT,
        "Other": Record({"error_code": NAT64, "error_message": TEXT}),
        "Processing": NULL,
        "TransactionTooOld": NAT64,
    }
)
NOTIFY_MINT_ARGS = Record({"block_index": NAT64, "to_subaccount": Opt(BLOB), "deposit_memo": Opt(BLOB)})
NOTIFY_MINT = result(Record({"balance": NAT, "block_index": NAT, "minted": NAT}), NOTIFY_ERROR)
NOTIFY_TOP_UP_ARGS = Record({"block_index": NAT64, "canister_id": PRINCIPAL})
NOTIFY_TOP_UP = result(NAT, NOTIFY_ERROR)
NOTIFY_CREATE_ARGS = Record(
    {
        "block_index": NAT64,
        "controller": PRINCIPAL,
        "subnet_type": Opt(TEXT),
        "subnet_selection": Opt(SUBNET_SELECTION),
        "settings": Opt(SETTINGS),
    }
)
NOTIFY_CREATE = result(PRINCIPAL, NOTIFY_ERROR)
CONVERSION_RATE = Record(
    {
        "data": Record({"timestamp_seconds": NAT64, "xdr_permyriad_per_icp": NAT64}),
        "hash_tree": BLOB,
        "certificate": BLOB,
    }
)
SUBNET_TYPES = Record({"data": Vec(Pair(TEXT, Vec(PRINCIPAL)))})
PRINCIPALS = Vec(PRINCIPAL)
