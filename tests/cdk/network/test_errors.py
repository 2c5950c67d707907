"""An exception's traceback reaches the caller, in bounds, and the canister's log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk.candid import Codec, Principal
from cdk.candid.did_parser import parse_did
from tests.devnet.replica.harness import Net, rejected

Deploy = Callable[..., Any]
REJECT_BYTES = 3_000
FOLDER = "tests/cdk/canisters/errors"
LOGS = parse_did(
    """service : {
  fetch_canister_logs : (record { canister_id : principal })
    -> (record { canister_log_records : vec record { content : blob } }) query
}"""
).methods["fetch_canister_logs"]


@pytest.fixture
def errors(deploy: Deploy) -> Any:
    return deploy("errors", "good")


def told(call: Callable[[], Any]) -> list[str]:
    """The lines of the reject that a trap ends in, without the network's own words."""
    message = rejected(call).message
    start, _, rest = message.partition("with message: '")
    assert start.endswith("Canister called `ic0.trap` ")
    return rest.rstrip("'").split("\n")


def log(net: Net, canister: bytes) -> list[str]:
    """The canister's log as its controllers read it."""
    argument = Codec(LOGS.arguments).encode([{"canister_id": Principal(canister)}])
    [answer] = Codec(LOGS.results).decode(net.query(b"", "fetch_canister_logs", argument))
    return [record["content"].decode() for record in answer["canister_log_records"]]


@pytest.mark.parametrize("method", ["update", "query"])
def test_the_caller_sees_error_place_and_frames(errors: Any, method: str) -> None:
    name = "fail" if method == "update" else "fail_in_query"
    error, head, caller, place = told(lambda: getattr(errors, method)(name, "boom"))
    assert error == f"ValueError: boom ({FOLDER}/deep.py:5 in fail)"
    assert head == "Traceback (most recent call last):"
    assert caller.startswith(f"  {FOLDER}/main.py:") and caller.endswith(f" in {name}")
    assert place == f"  {FOLDER}/deep.py:5 in fail"


def test_the_log_has_every_frame(errors: Any, net: Net) -> None:
    rejected(lambda: errors.update("fail", "boom"))
    [traceback, *_] = [line for line in log(net, errors.raw_id) if line.startswith("Traceback")]
    lines = traceback.split("\n")
    assert lines[0] == "Traceback (most recent call last):" and lines[-1] == "ValueError: boom"
    assert any("<kybra/methods.py>" in line for line in lines)
    assert f"  {FOLDER}/deep.py:5 in fail" in lines


def test_causes_are_named(errors: Any) -> None:
    lines = told(lambda: errors.update("fail_with_cause"))
    assert lines[0].startswith(f"RuntimeError: second ({FOLDER}/main.py:")
    assert lines[-1] == "caused by ValueError: first"


def test_an_error_after_an_await_is_told_too(errors: Any) -> None:
    lines = told(lambda: errors.update("fail_after_await"))
    assert lines[0] == f"ValueError: after 32 bytes ({FOLDER}/deep.py:5 in fail)"
    assert lines[2].endswith(" in fail_after_await")


def test_an_error_at_installation_is_told_too(deploy: Deploy) -> None:
    lines = told(lambda: deploy("errors", "bad"))
    assert lines[0] == f"ValueError: cannot begin with bad ({FOLDER}/deep.py:5 in fail)"
    assert lines[2].endswith(" in init_")


def test_what_is_told_is_bounded(errors: Any, net: Net) -> None:
    for word in ("x" * 100_000, "é" * 50_000, "line\n" * 20_000):
        lines = told(lambda word=word: errors.update("fail", word))  # type: ignore[misc]
        assert lines[0].startswith("ValueError: ")
        assert len("\n".join(lines).encode()) <= REJECT_BYTES
    assert all(len(entry.encode()) <= 4096 for entry in log(net, errors.raw_id))


def test_endless_recursion_and_memory_are_told_and_do_no_harm(errors: Any) -> None:
    assert told(lambda: errors.update("recurse"))[0].startswith("RecursionError: ")
    assert "MemoryError" in rejected(lambda: errors.update("fill_memory")).message
    assert told(lambda: errors.update("fail", "still here"))[0].startswith("ValueError: still here")
