"""The management canister's typed calls."""

from kybra import (
    Async,
    CallResult,
    Principal,
    Tuple,
    Variant,
    blob,
    ic,
    match,
    nat,
    nat64,
    query,
    text,
    update,
)
from kybra.canisters.ledger import Ledger
from kybra.canisters.management import (
    CanisterStatusResult,
    CreateCanisterResult,
    EcdsaPublicKeyResult,
    HttpResponse,
    HttpTransformArgs,
    SignWithEcdsaResult,
    management_canister,
)


class Done(Variant, total=False):
    Ok: text
    Err: text


KEY = {"curve": {"secp256k1": None}, "name": "test_key_1"}


def done(result: CallResult[None]) -> Done:
    return match(result, {"Ok": lambda _: {"Ok": "done"}, "Err": lambda error: {"Err": error}})


@update
def random() -> Async[blob]:
    result: CallResult[blob] = yield management_canister.raw_rand()
    return match(result, {"Ok": lambda random: random, "Err": ic.trap})


@update
def create(cycles: nat64) -> Async[Principal]:
    settings = {
        "controllers": [ic.id()],
        "compute_allocation": None,
        "memory_allocation": None,
        "freezing_threshold": 1000,
    }
    call = management_canister.create_canister({"settings": settings})
    result: CallResult[CreateCanisterResult] = yield call.with_cycles(cycles)
    return match(result, {"Ok": lambda created: created["canister_id"], "Err": ic.trap})


@update
def install(canister_id: Principal, wasm_module: blob, arg: blob) -> Async[Done]:
    result: CallResult[None] = yield management_canister.install_code(
        {"mode": {"install": None}, "canister_id": canister_id, "wasm_module": wasm_module, "arg": arg}
    )
    return done(result)


@update
def status(canister_id: Principal) -> Async[CanisterStatusResult]:
    result: CallResult[CanisterStatusResult] = yield management_canister.canister_status(
        {"canister_id": canister_id}
    )
    return match(result, {"Ok": lambda status: status, "Err": ic.trap})


@update
def fund(canister_id: Principal, cycles: nat) -> Async[Done]:
    call = management_canister.deposit_cycles({"canister_id": canister_id})
    result: CallResult[None] = yield call.with_cycles128(cycles)
    return done(result)


@update
def start(canister_id: Principal) -> Async[Done]:
    result: CallResult[None] = yield management_canister.start_canister({"canister_id": canister_id})
    return done(result)


@update
def stop_and_delete(canister_id: Principal) -> Async[Done]:
    for call in (
        management_canister.uninstall_code,
        management_canister.stop_canister,
        management_canister.delete_canister,
    ):
        result: CallResult[None] = yield call({"canister_id": canister_id})
        if result.Err is not None:
            return {"Err": result.Err}
    return {"Ok": "deleted"}


@update
def sign(message_hash: blob) -> Async[Tuple[blob, blob]]:
    path = [b"path"]
    key: CallResult[EcdsaPublicKeyResult] = yield management_canister.ecdsa_public_key(
        {"canister_id": None, "derivation_path": path, "key_id": KEY}
    )
    signed: CallResult[SignWithEcdsaResult] = yield management_canister.sign_with_ecdsa(
        {"message_hash": message_hash, "derivation_path": path, "key_id": KEY}
    ).with_cycles(30_000_000_000)
    if key.Err is not None or signed.Err is not None:
        ic.trap(key.Err or signed.Err)
    return (key.Ok["public_key"], signed.Ok["signature"])


@query
def transform(args: HttpTransformArgs) -> HttpResponse:
    return {**args["response"], "headers": []}


@update
def fetch(url: text) -> Async[text]:
    result: CallResult[HttpResponse] = yield management_canister.http_request(
        {
            "url": url,
            "max_response_bytes": 2_000,
            "method": {"get": None},
            "headers": [{"name": "accept", "value": "text/plain"}],
            "body": None,
            "transform": {"function": (ic.id(), "transform"), "context": b""},
        }
    ).with_cycles(1_000_000_000)
    return match(result, {"Ok": lambda answer: answer["body"].decode(), "Err": lambda error: error})


@update
def symbol(ledger: Principal) -> Async[text]:
    result: CallResult[dict] = yield Ledger(ledger).symbol()
    return match(result, {"Ok": lambda answer: answer["symbol"], "Err": lambda error: error})
