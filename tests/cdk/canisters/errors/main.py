"""Fails in every way an exception can end a message."""

from kybra import Async, CallResult, blob, init, query, text, update, void
from kybra.canisters.management import management_canister

from tests.cdk.canisters.errors import deep


@init
def init_(word: text) -> void:
    if word != "good":
        deep.fail(f"cannot begin with {word}")


@update
def fail(word: text) -> void:
    deep.fail(word)


@query
def fail_in_query(word: text) -> void:
    deep.fail(word)


@update
def fail_with_cause() -> void:
    try:
        deep.fail("first")
    except ValueError as error:
        raise RuntimeError("second") from error


@update
def fail_after_await() -> Async[void]:
    random: CallResult[blob] = yield management_canister.raw_rand()
    deep.fail(f"after {len(random.Ok)} bytes")


@update
def recurse() -> void:
    recurse()


@update
def fill_memory() -> void:
    kept = []
    while True:
        kept.append(bytes(1 << 24))
