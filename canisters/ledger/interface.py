"""The ledger's Candid types (`ledger.did`), named as in ICRC-1 and ICRC-2."""

from kybra import Opt, Principal, Record, Tuple, Variant, Vec, blob, nat, nat8, nat64, null, text


class Account(Record):
    owner: Principal
    subaccount: Opt[blob]


class InitArgs(Record):
    minting_account: Account
    token_name: text
    token_symbol: text
    decimals: nat8
    transfer_fee: nat
    initial_balances: Vec[Tuple[Account, nat]]


class TransferArg(Record):
    from_subaccount: Opt[blob]
    to: Account
    amount: nat
    fee: Opt[nat]
    memo: Opt[blob]
    created_at_time: Opt[nat64]


class ApproveArgs(Record):
    from_subaccount: Opt[blob]
    spender: Account
    amount: nat
    expected_allowance: Opt[nat]
    expires_at: Opt[nat64]
    fee: Opt[nat]
    memo: Opt[blob]
    created_at_time: Opt[nat64]


class TransferFromArgs(Record):
    spender_subaccount: Opt[blob]
    from_: Account
    to: Account
    amount: nat
    fee: Opt[nat]
    memo: Opt[blob]
    created_at_time: Opt[nat64]


class AllowanceArgs(Record):
    account: Account
    spender: Account


class Allowance(Record):
    allowance: nat
    expires_at: Opt[nat64]


class BadFee(Record):
    expected_fee: nat


class BadBurn(Record):
    min_burn_amount: nat


class InsufficientFunds(Record):
    balance: nat


class InsufficientAllowance(Record):
    allowance: nat


class AllowanceChanged(Record):
    current_allowance: nat


class LedgerTime(Record):
    ledger_time: nat64


class Duplicate(Record):
    duplicate_of: nat


class GenericError(Record):
    error_code: nat
    message: text


class TransferError(Variant, total=False):
    BadFee: BadFee
    BadBurn: BadBurn
    InsufficientFunds: InsufficientFunds
    TooOld: null
    CreatedInFuture: LedgerTime
    Duplicate: Duplicate
    TemporarilyUnavailable: null
    GenericError: GenericError


class ApproveError(Variant, total=False):
    BadFee: BadFee
    InsufficientFunds: InsufficientFunds
    AllowanceChanged: AllowanceChanged
    Expired: LedgerTime
    TooOld: null
    CreatedInFuture: LedgerTime
    Duplicate: Duplicate
    TemporarilyUnavailable: null
    GenericError: GenericError


class TransferFromError(Variant, total=False):
    BadFee: BadFee
    BadBurn: BadBurn
    InsufficientFunds: InsufficientFunds
    InsufficientAllowance: InsufficientAllowance
    TooOld: null
    CreatedInFuture: LedgerTime
    Duplicate: Duplicate
    TemporarilyUnavailable: null
    GenericError: GenericError


class TransferResult(Variant, total=False):
    Ok: nat
    Err: TransferError


class ApproveResult(Variant, total=False):
    Ok: nat
    Err: ApproveError


class TransferFromResult(Variant, total=False):
    Ok: nat
    Err: TransferFromError


class MetadataValue(Variant, total=False):
    Nat: nat
    Int: int
    Text: text
    Blob: blob


class Standard(Record):
    name: text
    url: text
