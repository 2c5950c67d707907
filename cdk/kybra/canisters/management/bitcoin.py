"""Bitcoin, as Kybra 0.7.1 describes it.

The network's own interface has since moved the methods to a canister of their own and writes the cases of
`BitcoinNetwork` in small letters, so these calls fit only what still accepts the former spelling.
"""

from kybra import Opt, Record, Variant, Vec, blob, nat32, nat64, null, text

BitcoinAddress = text
BlockHash = blob
Page = blob
Satoshi = nat64
MillisatoshiPerByte = nat64


class BitcoinNetwork(Variant, total=False):
    """Which chain."""

    Mainnet: null
    Regtest: null
    Testnet: null


class GetBalanceArgs(Record):
    """`bitcoin_get_balance`."""

    address: BitcoinAddress
    min_confirmations: Opt[nat32]
    network: BitcoinNetwork


class GetCurrentFeePercentilesArgs(Record):
    """`bitcoin_get_current_fee_percentiles`."""

    network: BitcoinNetwork


class UtxosFilter(Variant, total=False):
    """Which outputs: by confirmations, or the next page of an answer."""

    MinConfirmations: nat32
    Page: blob


class GetUtxosArgs(Record):
    """`bitcoin_get_utxos`."""

    address: BitcoinAddress
    filter: Opt[UtxosFilter]
    network: BitcoinNetwork


class Outpoint(Record):
    """An output of a transaction."""

    txid: blob
    vout: nat32


class Utxo(Record):
    """An unspent output and the height of its block."""

    height: nat32
    outpoint: Outpoint
    value: Satoshi


class GetUtxosResult(Record):
    """Unspent outputs, and where the next page begins."""

    next_page: Opt[Page]
    tip_block_hash: BlockHash
    tip_height: nat32
    utxos: Vec[Utxo]


class SendTransactionArgs(Record):
    """`bitcoin_send_transaction`."""

    transaction: blob
    network: BitcoinNetwork


class SendTransactionError(Variant, total=False):
    """Why a transaction was not sent."""

    MalformedTransaction: null
    QueueFull: null
