"""The canisters the marketplace calls: token ledger, vault, and the management canister's vetKD."""

# mypy: disable-error-code="empty-body"
# Service methods are declarations; the compiler supplies their bodies.

from kybra import (
    Opt,
    Principal,
    Record,
    Service,
    Variant,
    Vec,
    blob,
    nat,
    nat32,
    nat64,
    null,
    service_query,
    service_update,
    text,
)


class Account(Record):
    owner: Principal
    subaccount: Opt[blob]


class TransferArg(Record):
    from_subaccount: Opt[blob]
    to: Account
    amount: nat
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


class BadFee(Record):
    expected_fee: nat


class BadBurn(Record):
    min_burn_amount: nat


class InsufficientFunds(Record):
    balance: nat


class InsufficientAllowance(Record):
    allowance: nat


class CreatedInFuture(Record):
    ledger_time: nat64


class Duplicate(Record):
    duplicate_of: nat


class GenericError(Record):
    error_code: nat
    message: text


# ICRC-1 and ICRC-2 errors in one: the wider type reads both.
class TransferError(Variant, total=False):
    BadFee: BadFee
    BadBurn: BadBurn
    InsufficientFunds: InsufficientFunds
    InsufficientAllowance: InsufficientAllowance
    TooOld: null
    CreatedInFuture: CreatedInFuture
    Duplicate: Duplicate
    TemporarilyUnavailable: null
    GenericError: GenericError


class TransferResult(Variant, total=False):
    Ok: nat
    Err: TransferError


# An ICRC-1 and ICRC-2 token ledger.
class LedgerService(Service):
    @service_query
    def icrc1_fee(self) -> nat: ...

    @service_update
    def icrc1_transfer(self, arg: TransferArg) -> TransferResult: ...

    @service_update
    def icrc2_transfer_from(self, arg: TransferFromArgs) -> TransferResult: ...


class GrantArgs(Record):
    blob_id: text
    reader: Principal
    until: nat64


class VaultNotFound(Record):
    kind: text
    id: text


class VaultNotAuthorized(Record):
    required: text


class VaultInvalidArgument(Record):
    field: text
    value: text
    problem: text


class VaultQuotaExceeded(Record):
    used: nat64
    limit: nat64
    requested: nat64


class VaultHashMismatch(Record):
    index: nat32
    expected: blob
    found: blob


class VaultIncomplete(Record):
    missing: nat32


class VaultError(Variant, total=False):
    NotFound: VaultNotFound
    NotAuthorized: VaultNotAuthorized
    InvalidArgument: VaultInvalidArgument
    QuotaExceeded: VaultQuotaExceeded
    HashMismatch: VaultHashMismatch
    Incomplete: VaultIncomplete


class GrantResult(Variant, total=False):
    Ok: nat32
    Err: VaultError


# The store of sealed blobs.
class VaultService(Service):
    @service_update
    def grant(self, grants: Vec[GrantArgs]) -> GrantResult: ...


class VetkdCurve(Variant, total=False):
    bls12_381_g2: null


class VetkdKeyId(Record):
    curve: VetkdCurve
    name: text


class VetkdPublicKeyArgs(Record):
    canister_id: Opt[Principal]
    context: blob
    key_id: VetkdKeyId


class VetkdPublicKeyResult(Record):
    public_key: blob


class VetkdDeriveKeyArgs(Record):
    input: blob
    context: blob
    transport_public_key: blob
    key_id: VetkdKeyId


class VetkdDeriveKeyResult(Record):
    encrypted_key: blob


# The management canister's vetKD.
class VetkdService(Service):
    @service_update
    def vetkd_public_key(self, args: VetkdPublicKeyArgs) -> VetkdPublicKeyResult: ...

    @service_update
    def vetkd_derive_key(self, args: VetkdDeriveKeyArgs) -> VetkdDeriveKeyResult: ...


vetkd = VetkdService(Principal.management_canister())
