from kybra import (
    CallResult,
    FuncTuple,
    Opt,
    Principal,
    Record,
    Service,
    Variant,
    Vec,
    blob,
    nat32,
    nat64,
    null,
    text,
)

AccountIdentifier = blob
SubAccount = blob
BlockIndex = nat64
Memo = nat64
Address = text

class Tokens(Record):
    e8s: nat64

class TimeStamp(Record):
    timestamp_nanos: nat64

class TransferArgs(Record):
    memo: Memo
    amount: Tokens
    fee: Tokens
    from_subaccount: Opt[SubAccount]
    to: AccountIdentifier
    created_at_time: Opt[TimeStamp]

class TransferError_BadFee(Record):
    expected_fee: Tokens

class TransferError_InsufficientFunds(Record):
    balance: Tokens

class TransferError_TxTooOld(Record):
    allowed_window_nanos: nat64

class TransferError_TxDuplicate(Record):
    duplicate_of: BlockIndex

class TransferError(Variant, total=False):
    BadFee: TransferError_BadFee
    InsufficientFunds: TransferError_InsufficientFunds
    TxTooOld: TransferError_TxTooOld
    TxCreatedInFuture: null
    TxDuplicate: TransferError_TxDuplicate

class TransferResult(Variant, total=False):
    Ok: nat64
    Err: TransferError

class AccountBalanceArgs(Record):
    account: AccountIdentifier

class TransferFeeArg(Record): ...

class TransferFee(Record):
    transfer_fee: Tokens

class GetBlocksArgs(Record):
    start: BlockIndex
    length: nat64

class Operation_Mint(Record):
    to: AccountIdentifier
    amount: Tokens

class Operation_Burn(Record):
    from_: AccountIdentifier
    amount: Tokens

class Operation_Transfer(Record):
    from_: AccountIdentifier
    to: AccountIdentifier
    amount: Tokens
    fee: Tokens

class Operation(Variant, total=False):
    Mint: Operation_Mint
    Burn: Operation_Burn
    Transfer: Operation_Transfer

class Transaction(Record):
    memo: Memo
    operation: Opt[Operation]
    created_at_time: TimeStamp

class Block(Record):
    parent_hash: Opt[blob]
    transaction: Transaction
    timestamp: TimeStamp

class BlockRange(Record):
    blocks: Vec[Block]

class QueryArchiveError_BadFirstBlockIndex(Record):
    requested_index: BlockIndex
    first_valid_index: BlockIndex

class QueryArchiveError_Other(Record):
    error_code: nat64
    error_message: text

class QueryArchiveError(Variant, total=False):
    BadFirstBlockIndex: QueryArchiveError_BadFirstBlockIndex
    Other: QueryArchiveError_Other

class QueryArchiveResult(Variant, total=False):
    Ok: BlockRange
    Err: QueryArchiveError

QueryArchiveFn = FuncTuple

class QueryBlocksResponse_archived_blocks(Record):
    start: BlockIndex
    length: nat64
    callback: QueryArchiveFn

class QueryBlocksResponse(Record):
    chain_length: nat64
    certificate: Opt[blob]
    blocks: Vec[Block]
    first_block_index: BlockIndex
    archived_blocks: Vec[QueryBlocksResponse_archived_blocks]

class Archive(Record):
    canister_id: Principal

class Archives(Record):
    archives: Vec[Archive]

class SymbolResult(Record):
    symbol: text

class NameResult(Record):
    name: text

class DecimalsResult(Record):
    decimals: nat32

class Ledger(Service):
    def transfer(self, transfer_args: TransferArgs) -> CallResult[TransferResult]: ...
    def account_balance(self, account_balance_args: AccountBalanceArgs) -> CallResult[Tokens]: ...
    def transfer_fee(self, transfer_fee_arg: TransferFeeArg) -> CallResult[TransferFee]: ...
    def query_blocks(self, get_blocks_args: GetBlocksArgs) -> CallResult[QueryBlocksResponse]: ...
    def symbol(self) -> CallResult[SymbolResult]: ...
    def name(self) -> CallResult[NameResult]: ...
    def decimals(self) -> CallResult[DecimalsResult]: ...
    def archives(self) -> CallResult[Archives]: ...
