"""What the marketplace asks of other canisters, as generators: every `yield` is a point where others may run.

Nothing read before a `yield` is trusted after it: each step goes back to the core, which checks again. Money
is debited before a call and given back only on a definite refusal; a key's release is logged before it is
derived.
"""

from typing import Any

from kybra import Async, CallResult, blob, ic, nat
from kybra.canisters.management import management_canister

from canisters.marketplace import convert
from canisters.marketplace.core import gate, keys, ledger_journal, limits
from canisters.marketplace.core.errors import Unavailable, shown
from canisters.marketplace.core.ledger_journal import Accepted, Outcome, Refused, Unanswered
from canisters.marketplace.core.model import Transfer
from canisters.marketplace.core.types import Message, Timestamp, Tokens
from canisters.marketplace.services import (
    LedgerService,
    TransferResult,
    VaultService,
    VetkdDeriveKeyResult,
    VetkdPublicKeyResult,
    vetkd,
)
from canisters.marketplace.stable import state

KEY_CYCLES = {
    "key_1": 26_153_846_153 + 1_000_000_000,
    "test_key_1": 10_000_000_000,
    "dfx_test_key": 10_000_000_000,
}
"""Cycles attached to one derivation; what is not charged comes back."""


def message_now() -> Message:
    """The message being processed. Call it again after every `yield`: time has passed."""
    return Message(convert.principal_text(ic.caller()), Timestamp(ic.time()))


def transfer(kind: str, amount: Tokens, created_at: Timestamp) -> Async[Transfer]:
    """Deposit or withdraw for the caller; the journal entry as it is after the ledger's answer."""
    if state.config.ledger_fee is None:
        yield from _learn_fee()
    with state.atomically():
        begun = ledger_journal.begin(state, message_now(), kind, amount, created_at)
    if not begun.send:
        return begun.transfer
    return (yield from send(begun.transfer))


def send(entry: Transfer) -> Async[Transfer]:
    """Make the ledger call of a journal entry and note its outcome."""
    ledger = LedgerService(convert.principal(state.config.ledger))
    owner = {"owner": convert.principal(entry.owner), "subaccount": None}
    common: Any = {
        "amount": entry.amount.base_units,
        "fee": entry.fee.base_units,
        "memo": ledger_journal.memo(state, entry),
        "created_at_time": entry.created_at_time,
    }
    if entry.kind == ledger_journal.DEPOSIT:
        here = {"owner": ic.id(), "subaccount": None}
        pull: Any = {**common, "spender_subaccount": None, "from_": owner, "to": here}
        result: CallResult[TransferResult] = yield ledger.icrc2_transfer_from(pull)
    else:
        push: Any = {**common, "from_subaccount": None, "to": owner}
        push["amount"] -= push["fee"]
        result = yield ledger.icrc1_transfer(push)
    with state.atomically():
        return ledger_journal.finish(state, message_now(), entry.index, _outcome(result), entry.sent)


def resume_transfers() -> Async[int]:
    """Send again what has had no answer for too long; how many."""
    with state.atomically():
        stale = ledger_journal.resumable(state, message_now())
    for entry in stale:
        yield from send(entry)
    return len(stale)


def challenge(rental_id: int) -> Async[gate.Challenge]:
    """Fetch randomness and issue a nonce."""
    gate.check_may_begin(state, message_now(), rental_id)
    result: CallResult[blob] = yield management_canister.raw_rand()
    if result.Err is not None:
        raise Unavailable("raw_rand", result.Err)
    with state.atomically():
        return gate.begin(state, message_now(), rental_id, result.Ok)


def release(item: keys.Item, rental_id: "int | None", transport_public_key: "bytes | None") -> Async[bytes]:
    """Grant the blob, log, derive: the encrypted vetKey of `item` for the caller."""
    authorisation = keys.authorise(state, message_now(), item, rental_id, transport_public_key)
    _require_cycles()
    if authorisation.blob_id is not None:
        yield from _grant(authorisation)
    with state.atomically():
        authorisation = keys.authorise(state, message_now(), item, rental_id, transport_public_key)
        keys.record(state, message_now(), authorisation)
    encrypted_key = yield from _derive(authorisation)
    keys.confirm(state, message_now(), authorisation)
    return encrypted_key


def public_key() -> Async[bytes]:
    """The marketplace's vetKD public key; asked for once, then remembered."""
    known = state.config.vetkd_public_key
    if known is not None:
        return known
    question: Any = {"canister_id": None, "context": keys.CONTEXT, "key_id": _key_id()}
    result: CallResult[VetkdPublicKeyResult] = yield vetkd.vetkd_public_key(question)
    if result.Err is not None:
        raise Unavailable("vetkd", result.Err)
    found: bytes = result.Ok["public_key"]
    with state.atomically():
        keys.remember_public_key(state, found)
    return found


def _learn_fee() -> Async[None]:
    result: CallResult[nat] = yield LedgerService(convert.principal(state.config.ledger)).icrc1_fee()
    if result.Err is not None:
        raise Unavailable("ledger", result.Err)
    if result.Ok > limits.MAX_AMOUNT:
        raise Unavailable("ledger", f"its fee is no amount: {shown(result.Ok)}")
    with state.atomically():
        ledger_journal.remember_fee(state, Tokens(result.Ok))


def _require_cycles() -> None:
    needed, held = KEY_CYCLES[state.config.vetkd_key_name], ic.canister_balance128()
    if held < needed:
        raise Unavailable("vetkd", f"the marketplace has {held} cycles, a key costs {needed}; top it up")


def _grant(authorisation: keys.Authorisation) -> Async[None]:
    grant: Any = {
        "blob_id": authorisation.blob_id,
        "reader": convert.principal(authorisation.reader),
        "until": authorisation.until,
    }
    result = yield VaultService(convert.principal(state.config.vault)).grant([grant])
    if result.Err is not None:
        raise Unavailable("vault", result.Err)
    if "Err" in result.Ok:
        raise Unavailable("vault", f"no access to blob {authorisation.blob_id}: {result.Ok['Err']}")


def _derive(authorisation: keys.Authorisation) -> Async[bytes]:
    question: Any = {
        "input": authorisation.input.encode("ascii"),
        "context": keys.CONTEXT,
        "transport_public_key": authorisation.transport_public_key,
        "key_id": _key_id(),
    }
    cycles = KEY_CYCLES[state.config.vetkd_key_name]
    result: CallResult[VetkdDeriveKeyResult] = yield vetkd.vetkd_derive_key(question).with_cycles128(cycles)
    if result.Err is not None:
        raise Unavailable("vetkd", result.Err)
    encrypted_key: bytes = result.Ok["encrypted_key"]
    return encrypted_key


def _key_id() -> Any:
    return {"curve": {"bls12_381_g2": None}, "name": state.config.vetkd_key_name}


def _outcome(result: "CallResult[TransferResult]") -> Outcome:
    if result.Err is not None:
        return Unanswered(result.Err)
    answer: Any = result.Ok
    if "Ok" in answer:
        return Accepted(answer["Ok"])
    ((kind, details),) = answer["Err"].items()
    if kind == "Duplicate":
        return Accepted(details["duplicate_of"])
    expected = details["expected_fee"] if kind == "BadFee" else None
    return Refused(kind, _explained(kind, details), expected)


def _explained(kind: str, details: Any) -> str:
    if kind == "InsufficientAllowance":
        allowance = shown(details["allowance"])
        return f"the ledger allows the marketplace {allowance}; approve the amount plus the fee first"
    if kind == "InsufficientFunds":
        balance = shown(details["balance"])
        return f"the account has {balance} on the ledger; the amount plus the fee is needed"
    if kind == "BadFee":
        fee = shown(details["expected_fee"])
        return f"the ledger's fee is now {fee}; ask again with another created_at_time"
    fields = details.items() if details else ()
    return ", ".join((kind, *(f"{name} {shown(value)}" for name, value in fields)))
