"""Interface specification, "Request: Query call"."""

from __future__ import annotations

import pytest

from devnet.principal import canister_id
from devnet.replica.candid import encode_one
from tests.devnet.agent import decode
from tests.devnet.conformance import management
from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    CANISTER_REJECT,
    DESTINATION_INVALID,
    MANAGEMENT,
    SYS_TRANSIENT,
    Canister,
    Network,
    User,
    code_of,
    number,
    passed,
    poll,
    rejected,
)
from tests.devnet.conformance.program import (
    KEPT_BLOB,
    LOOP_FOR_EVER,
    add,
    append,
    blob,
    call,
    call_other,
    read,
    reject,
    reply,
    reply_number,
    set_kept_blob,
    set_variable,
    trap,
    variable,
)


@pytest.mark.parametrize("version", ["v2", "v3"])
@pytest.mark.parametrize("steps, status", [(reply(blob(b"yes")), "replied"), (reject("no"), "rejected")])
def test_answers_are_signed_by_a_node_of_the_subnet(
    user: User, canister: Canister, version: str, steps: bytes, status: str
) -> None:
    """Replies and rejects carry one node signature over the answer, checked against `/subnet`."""
    answer = user.query(canister.id, "query", steps, version)
    assert answer["status"] == status
    assert len(answer["signatures"]) == 1
    if status == "replied":
        assert set(answer) == {"status", "reply", "signatures"}
        assert answer["reply"] == {"arg": b"yes"}
    else:
        assert set(answer) - {"error_code"} == {"status", "reject_code", "reject_message", "signatures"}
        assert answer["reject_code"] == CANISTER_REJECT


def test_a_signature_is_over_this_very_answer(user: User, canister: Canister) -> None:
    """`verify_node_signatures`: a changed answer does not verify."""
    content = user.call_content(canister.id, "query", reply(blob(b"yes")), kind="query")
    answer = decode(user.send("query", content, canister.id, "v3").content)
    answer["reply"] = {"arg": b"no"}
    with pytest.raises(Exception):  # noqa: B017
        user.check_node_signature(answer, content, canister.id)


def test_queries_change_nothing(canister: Canister) -> None:
    """Query calls do not change the canister's state."""
    count = set_variable(0, add(variable(0), 1)) + reply_number(variable(0))
    assert [number(canister.query(count)) for _ in range(2)] == [1, 1]
    assert [number(canister.composite(count)) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    "steps, code", [(trap(), CANISTER_ERROR), (b"", CANISTER_ERROR), (reply() + reply(), CANISTER_ERROR)]
)
def test_failures_of_a_query(canister: Canister, steps: bytes, code: int) -> None:
    """A trap, no answer, two answers."""
    assert code_of(lambda: canister.query(steps)) == code


def test_endless_queries_are_stopped(canister: Canister) -> None:
    """`MAX_CYCLES_PER_QUERY`."""
    assert code_of(lambda: canister.query(LOOP_FOR_EVER)) == CANISTER_ERROR
    assert canister.query(reply(blob(b"alive"))) == b"alive"


def test_update_methods_cannot_be_queried(canister: Canister, user: User) -> None:
    """Only methods marked as query methods can be called this way."""
    assert code_of(lambda: user.ask(canister.id, "update", reply())) == CANISTER_ERROR
    assert code_of(lambda: user.ask(canister.id, "none", reply())) == CANISTER_ERROR


def test_canisters_that_cannot_answer(user: User) -> None:
    """Queries need a canister that exists, has code and is running."""
    assert code_of(lambda: user.ask(canister_id(2**33), "query", reply())) in (
        DESTINATION_INVALID,
        CANISTER_ERROR,
    )
    canister = user.create()
    assert code_of(lambda: canister.query(reply())) == CANISTER_ERROR
    canister.install()
    canister.manage("stop_canister")
    assert code_of(lambda: canister.query(reply())) == CANISTER_ERROR


def test_a_frozen_canister_does_not_answer(user: User) -> None:
    """Query call: SYS_TRANSIENT when the liquid balance is below zero."""
    canister = user.deploy(cycles=10**13)
    canister.set(freezing_threshold=2**50)
    assert code_of(lambda: canister.query(reply())) == SYS_TRANSIENT


def test_anonymous_queries(network: Network, canister: Canister) -> None:
    """Authentication: anybody may ask; the canister sees the anonymous principal."""
    assert network.anonymous().ask(canister.id, "query", reply(read("msg_caller"))) == b"\x04"


def test_composite_queries_ask_other_canisters(canister: Canister, other: Canister) -> None:
    """Composite queries may call queries and composite queries, in a chain."""
    inner = reply(blob(b"deep:"), read("msg_caller"))
    assert passed(canister.composite(call_other(other.id, "query", inner))) == b"deep:" + canister.id
    third = other.user.deploy()
    chain = call_other(other.id, "composite", call_other(third.id, "query", inner))
    assert passed(passed(canister.composite(chain))) == b"deep:" + other.id


def test_composite_queries_make_several_calls(canister: Canister, other: Canister) -> None:
    """Callbacks of one composite query share its memory; the last one answers."""

    def ask(name: bytes, then: bytes) -> bytes:
        return call_other(other.id, "query", reply(blob(name)), on_reply=then)

    remember = set_kept_blob(read("msg_arg_data"))
    finish = append(KEPT_BLOB) + reply(read("msg_arg_data"))
    assert canister.composite(ask(b"one,", remember + ask(b"two", finish))) == b"one,two"
    assert canister.query(reply(KEPT_BLOB)) == b""


@pytest.mark.parametrize(
    "method, steps, code",
    [
        ("query", reject("no"), CANISTER_REJECT),
        ("query", trap(), CANISTER_ERROR),
        ("query", b"", CANISTER_ERROR),
        ("update", reply(), CANISTER_ERROR),
        ("none", reply(), CANISTER_ERROR),
    ],
)
def test_composite_queries_see_rejects(
    canister: Canister, other: Canister, method: str, steps: bytes, code: int
) -> None:
    """Reject callbacks of composite queries; update methods cannot be called from them."""
    found = rejected(lambda: passed(canister.composite(call_other(other.id, method, steps))))
    assert found.code == code


def test_a_trap_in_a_composite_callback_fails_the_query(canister: Canister, other: Canister) -> None:
    """Query call: "if R'' = Trap then Return Reject (CANISTER_ERROR)"."""
    steps = call_other(other.id, "query", reply(), on_reply=trap())
    assert code_of(lambda: canister.composite(steps)) == CANISTER_ERROR


def test_the_depth_of_composite_queries_is_bounded(user: User) -> None:
    """`MAX_CALL_DEPTH_COMPOSITE_QUERY`: a long chain of calls ends in CANISTER_ERROR."""
    chain = [user.deploy() for _ in range(9)]
    steps = reply(blob(b"end"))
    for callee in reversed(chain[1:]):
        onward = append(read("msg_reject_msg")) + call("msg_reply")
        steps = call_other(
            callee.id, "composite", steps, on_reply=reply(read("msg_arg_data")), on_reject=onward
        )
    assert chain[0].composite(steps) != b"end"


def test_composite_queries_are_not_for_updates(canister: Canister, other: Canister) -> None:
    """Canister methods: composite queries are not executed in replicated mode."""
    assert code_of(lambda: canister.user.call(canister.id, "composite", reply())) == CANISTER_ERROR
    found = rejected(lambda: passed(canister.update(call_other(other.id, "composite", reply()))))
    assert found.code == CANISTER_ERROR


def test_queries_of_the_management_canister(canister: Canister, user: User) -> None:
    """`canister_status` and `canister_info` may be queried; methods that are not queries may not."""
    asked = canister.user.manage("canister_status", query=True, canister_id=canister.id)
    assert asked["status"] == ("running", None)
    assert user.manage("canister_info", query=True, canister_id=canister.id)["controllers"]
    assert code_of(lambda: user.manage("raw_rand", query=True)) != 0
    assert code_of(lambda: canister.user.manage("stop_canister", query=True, canister_id=canister.id)) != 0


@pytest.mark.parametrize(
    "method",
    ["canister_status", "canister_info", "canister_metrics", "fetch_canister_logs", "list_canisters"],
)
def test_composite_queries_ask_the_management_canister(canister: Canister, method: str) -> None:
    """`canister_status` and others: "by canisters from composite query methods and their callbacks"."""
    argument, _ = management.METHODS[method]
    arg = encode_one(argument, management.filled(argument, {"canister_id": canister.id}))
    assert passed(canister.composite(call_other(MANAGEMENT, method, arg))).startswith(b"DIDL")


def test_query_statistics_count(user: User) -> None:
    """`canister_status`, `query_stats`: calls, instructions and bytes of queries."""
    canister = user.deploy()
    steps = reply(blob(b"12345"))
    canister.query(steps)
    assert code_of(lambda: canister.query(reject("12345"))) == CANISTER_REJECT

    def counted() -> bool:
        stats = canister.status()["query_stats"]
        return bool(
            stats["num_calls_total"] >= 2
            and stats["num_instructions_total"] > 0
            and stats["request_payload_bytes_total"] > len(steps)
            and stats["response_payload_bytes_total"] >= 10
        )

    poll(counted)


def test_replies_of_queries_have_at_most_three_mebibytes(canister: Canister) -> None:
    """Resource limits: query replies."""
    part = append(b"\x01" + (64 * 1024).to_bytes(8, "little") + b"\x01" + bytes(8))
    assert len(canister.query(part * 48 + call("msg_reply"))) == 3 * 1024 * 1024
    assert (
        code_of(lambda: canister.query(part * 48 + append(blob(b"x")) + call("msg_reply"))) == CANISTER_ERROR
    )
