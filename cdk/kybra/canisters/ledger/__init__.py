"""The ICP ledger's own interface, as Kybra 0.7.1 describes it; ICRC methods it shares with every ledger.

Amounts are in e8s, 10**-8 ICP; an account identifier is a CRC-32 and a SHA-224 (`Principal.to_account_id`).
"""

# mypy: disable-error-code="empty-body"
# Service methods are declarations: their bodies never run.

from kybra import (
    Func,
    Opt,
    Principal,
    Query,
    Record,
    Service,
    Variant,
    Vec,
    blob,
    nat32,
    nat64,
    null,
    service_query,
    service_update,
    text,
)

AccountIdentifier = blob
SubAccount = blob
BlockIndex = nat64
Memo = nat64
Address = text


class Tokens(Record):
    """An amount."""

    e8s: nat64


class TimeStamp(Record):
    """Nanoseconds since 1970."""

    timestamp_nanos: nat64


class TransferArgs(Record):
    """`transfer`: `amount` to `to`, out of an account of the caller; `fee` must be the ledger's."""

    memo: Memo
    amount: Tokens
    fee: Tokens
    from_subaccount: Opt[SubAccount]
    to: AccountIdentifier
    created_at_time: Opt[TimeStamp]


class TransferError_BadFee(Record):
    """The fee that is expected."""

    expected_fee: Tokens


class TransferError_InsufficientFunds(Record):
    """What the account holds."""

    balance: Tokens


class TransferError_TxTooOld(Record):
    """How old a transfer may be."""

    allowed_window_nanos: nat64


class TransferError_TxDuplicate(Record):
    """The block of the same transfer."""

    duplicate_of: BlockIndex


class TransferError(Variant, total=False):
    """Why a transfer was refused."""

    BadFee: TransferError_BadFee
    InsufficientFunds: TransferError_InsufficientFunds
    TxTooOld: TransferError_TxTooOld
    TxCreatedInFuture: null
    TxDuplicate: TransferError_TxDuplicate


class TransferResult(Variant, total=False):
    """The transfer's block, or why there is none."""

    Ok: nat64
    Err: TransferError


class AccountBalanceArgs(Record):
    """`account_balance`."""

    account: AccountIdentifier


class TransferFeeArg(Record):
    """`transfer_fee` asks for nothing."""


class TransferFee(Record):
    """What a transfer costs."""

    transfer_fee: Tokens


class GetBlocksArgs(Record):
    """`length` blocks from `start`."""

    start: BlockIndex
    length: nat64


class Operation_Mint(Record):
    """Tokens that came into being."""

    to: AccountIdentifier
    amount: Tokens


class Operation_Burn(Record):
    """Tokens that were destroyed."""

    from_: AccountIdentifier
    amount: Tokens


class Operation_Transfer(Record):
    """Tokens that changed hands."""

    from_: AccountIdentifier
    to: AccountIdentifier
    amount: Tokens
    fee: Tokens


class Operation(Variant, total=False):
    """What a transaction did."""

    Mint: Operation_Mint
    Burn: Operation_Burn
    Transfer: Operation_Transfer


class Transaction(Record):
    """What was asked for."""

    memo: Memo
    operation: Opt[Operation]
    created_at_time: TimeStamp


class Block(Record):
    """A transaction in the chain."""

    parent_hash: Opt[blob]
    transaction: Transaction
    timestamp: TimeStamp


class BlockRange(Record):
    """Blocks one after the other; there may be fewer than were asked for."""

    blocks: Vec[Block]


class QueryArchiveError_BadFirstBlockIndex(Record):
    """The archive begins later."""

    requested_index: BlockIndex
    first_valid_index: BlockIndex


class QueryArchiveError_Other(Record):
    """Anything else."""

    error_code: nat64
    error_message: text


class QueryArchiveError(Variant, total=False):
    """Why an archive did not answer."""

    BadFirstBlockIndex: QueryArchiveError_BadFirstBlockIndex
    Other: QueryArchiveError_Other


class QueryArchiveResult(Variant, total=False):
    """What an archive answers."""

    Ok: BlockRange
    Err: QueryArchiveError


QueryArchiveFn = Func(Query[[GetBlocksArgs], QueryArchiveResult])
"""Where archived blocks can be read."""


class QueryBlocksResponse_archived_blocks(Record):
    """`length` blocks from `start` are to be had from `callback`."""

    start: BlockIndex
    length: nat64
    callback: QueryArchiveFn  # type: ignore[valid-type]


class QueryBlocksResponse(Record):
    """The blocks that the ledger still holds, and where the others are."""

    chain_length: nat64
    certificate: Opt[blob]
    blocks: Vec[Block]
    first_block_index: BlockIndex
    archived_blocks: Vec[QueryBlocksResponse_archived_blocks]


class Archive(Record):
    """A canister with old blocks."""

    canister_id: Principal


class Archives(Record):
    """All of them."""

    archives: Vec[Archive]


class SymbolResult(Record):
    """The token's symbol."""

    symbol: text


class NameResult(Record):
    """The token's name."""

    name: text


class DecimalsResult(Record):
    """Digits after the point."""

    decimals: nat32


class Ledger(Service):
    """The ledger's methods."""

    @service_update
    def transfer(self, transfer_args: TransferArgs) -> TransferResult: ...

    @service_query
    def account_balance(self, account_balance_args: AccountBalanceArgs) -> Tokens: ...

    @service_query
    def transfer_fee(self, transfer_fee_arg: TransferFeeArg) -> TransferFee: ...

    @service_query
    def query_blocks(self, get_blocks_args: GetBlocksArgs) -> QueryBlocksResponse: ...

    @service_query
    def symbol(self) -> SymbolResult: ...

    @service_query
    def name(self) -> NameResult: ...

    @service_query
    def decimals(self) -> DecimalsResult: ...

    @service_query
    def archives(self) -> Archives: ...
