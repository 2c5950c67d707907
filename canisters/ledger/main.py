"""The token ledger of a local network: ICRC-1 and ICRC-2 endpoints over `core`.

On the Internet Computer itself an existing ledger (ICP, ckUSDC, ckBTC) is configured instead.
"""

from typing import cast

from kybra import (
    Opt,
    Principal,
    StableBTreeMap,
    Tuple,
    Vec,
    blob,
    ic,
    init,
    nat,
    nat8,
    query,
    text,
    update,
    void,
)

from canisters.ledger.core.accounts import Account as CoreAccount
from canisters.ledger.core.accounts import account_of as core_account
from canisters.ledger.core.errors import LedgerError
from canisters.ledger.core.ledger import Ledger
from canisters.ledger.core.requests import Approval, Transfer
from canisters.ledger.core.settings import Settings
from canisters.ledger.core.storage import Storage
from canisters.ledger.interface import (
    Account,
    Allowance,
    AllowanceArgs,
    ApproveArgs,
    ApproveError,
    ApproveResult,
    InitArgs,
    MetadataValue,
    Standard,
    TransferArg,
    TransferError,
    TransferFromArgs,
    TransferFromError,
    TransferFromResult,
    TransferResult,
)

# Sizes are written out, since stock Kybra reads them from the source: an account's key has 62 bytes.
settings = StableBTreeMap[blob, blob](memory_id=0, max_key_size=16, max_value_size=1_024)
balances = StableBTreeMap[blob, blob](memory_id=1, max_key_size=62, max_value_size=17)
blocks = StableBTreeMap[blob, blob](memory_id=2, max_key_size=8, max_value_size=1_024)
recent = StableBTreeMap[blob, blob](memory_id=3, max_key_size=40, max_value_size=8)
allowances = StableBTreeMap[blob, blob](memory_id=4, max_key_size=124, max_value_size=25)
expirations = StableBTreeMap[blob, blob](memory_id=5, max_key_size=132, max_value_size=1)

ledger = Ledger(Storage(settings, balances, blocks, recent, allowances, expirations))

STANDARDS: list[Standard] = [
    {"name": "ICRC-1", "url": "https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-1"},
    {"name": "ICRC-2", "url": "https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-2"},
]


def account_of(account: Account) -> CoreAccount:
    """The core's form of a Candid account."""
    return core_account(account["owner"].bytes, account["subaccount"])


def own_account(subaccount: Opt[blob]) -> CoreAccount:
    """An account of the caller."""
    return core_account(ic.caller().bytes, subaccount)


DEFAULT_TOKEN = ("Leasehold Test Token", "LHT", 8, 10_000)
"""Name, symbol, decimals and fee of a token that is installed without arguments."""


@init
def init_(args: Opt[InitArgs]) -> void:
    """Without arguments: a token for tests, which whoever installs it mints."""
    if args is None:
        ledger.install(Settings(core_account(ic.caller().bytes, None), *DEFAULT_TOKEN), [], ic.time())
        return
    ledger.install(
        Settings(
            account_of(args["minting_account"]),
            args["token_name"],
            args["token_symbol"],
            args["decimals"],
            args["transfer_fee"],
        ),
        [(account_of(account), amount) for account, amount in args["initial_balances"]],
        ic.time(),
    )


@query
def icrc1_name() -> text:
    return ledger.settings.name


@query
def icrc1_symbol() -> text:
    return ledger.settings.symbol


@query
def icrc1_decimals() -> nat8:
    return ledger.settings.decimals


@query
def icrc1_fee() -> nat:
    return ledger.settings.fee


@query
def icrc1_total_supply() -> nat:
    return ledger.total_supply()


@query
def icrc1_minting_account() -> Opt[Account]:
    account = ledger.settings.minting_account
    return {"owner": Principal(account.owner), "subaccount": account.subaccount}


@query
def icrc1_balance_of(account: Account) -> nat:
    return ledger.balance_of(account_of(account))


@query
def icrc1_metadata() -> Vec[Tuple[text, MetadataValue]]:
    return [
        (key, {"Nat": value} if isinstance(value, int) else {"Text": value})
        for key, value in ledger.settings.metadata()
    ]


@query
def icrc1_supported_standards() -> Vec[Standard]:
    return STANDARDS


@update
def icrc1_transfer(args: TransferArg) -> TransferResult:
    try:
        request = Transfer(
            source=own_account(args["from_subaccount"]),
            to=account_of(args["to"]),
            amount=args["amount"],
            fee=args["fee"],
            memo=args["memo"],
            created_at=args["created_at_time"],
        )
        return {"Ok": ledger.transfer(request, ic.time())}
    except LedgerError as error:
        return {"Err": cast(TransferError, error.variant())}


@update
def icrc2_approve(args: ApproveArgs) -> ApproveResult:
    try:
        request = Approval(
            source=own_account(args["from_subaccount"]),
            spender=account_of(args["spender"]),
            amount=args["amount"],
            expected_allowance=args["expected_allowance"],
            expires_at=args["expires_at"],
            fee=args["fee"],
            memo=args["memo"],
            created_at=args["created_at_time"],
        )
        return {"Ok": ledger.approve(request, ic.time())}
    except LedgerError as error:
        return {"Err": cast(ApproveError, error.variant())}


@query
def icrc2_allowance(args: AllowanceArgs) -> Allowance:
    allowance = ledger.allowance(account_of(args["account"]), account_of(args["spender"]), ic.time())
    return {"allowance": allowance.amount, "expires_at": allowance.expires_at}


@update
def icrc2_transfer_from(args: TransferFromArgs) -> TransferFromResult:
    try:
        request = Transfer(
            source=account_of(args["from_"]),
            to=account_of(args["to"]),
            amount=args["amount"],
            fee=args["fee"],
            memo=args["memo"],
            created_at=args["created_at_time"],
            spender=own_account(args["spender_subaccount"]),
        )
        return {"Ok": ledger.transfer(request, ic.time())}
    except LedgerError as error:
        return {"Err": cast(TransferFromError, error.variant())}
