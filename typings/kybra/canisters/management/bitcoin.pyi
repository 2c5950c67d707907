from kybra import Opt, Record, Variant, Vec, blob, nat32, nat64, null, text

BitcoinAddress = text
BlockHash = blob
Page = blob
Satoshi = nat64
MillisatoshiPerByte = nat64

class BitcoinNetwork(Variant, total=False):
    Mainnet: null
    Regtest: null
    Testnet: null

class GetBalanceArgs(Record):
    address: BitcoinAddress
    min_confirmations: Opt[nat32]
    network: BitcoinNetwork

class GetCurrentFeePercentilesArgs(Record):
    network: BitcoinNetwork

class UtxosFilter(Variant, total=False):
    MinConfirmations: nat32
    Page: blob

class GetUtxosArgs(Record):
    address: BitcoinAddress
    filter: Opt[UtxosFilter]
    network: BitcoinNetwork

class Outpoint(Record):
    txid: blob
    vout: nat32

class Utxo(Record):
    height: nat32
    outpoint: Outpoint
    value: Satoshi

class GetUtxosResult(Record):
    next_page: Opt[Page]
    tip_block_hash: BlockHash
    tip_height: nat32
    utxos: Vec[Utxo]

class SendTransactionArgs(Record):
    transaction: blob
    network: BitcoinNetwork

class SendTransactionError(Variant, total=False):
    MalformedTransaction: null
    QueueFull: null
