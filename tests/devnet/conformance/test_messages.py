"""Interface specification, "Blob-typed arguments" to "Canister version", and "Responding"."""

from __future__ import annotations

import pytest

from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    CANISTER_REJECT,
    Canister,
    User,
    code_of,
    number,
    passed,
    rejected,
)
from tests.devnet.conformance.program import (
    INSPECT,
    allocate,
    append,
    as_bytes,
    blob,
    call,
    call_other,
    equal,
    module,
    read,
    reject,
    reply,
    reply_number,
    set_hook,
    set_kept_blob,
    set_register,
    trap,
    when,
)

MIB = 1024 * 1024
FAR = 2**32 - 1


@pytest.mark.parametrize(
    "name", ["msg_arg_data", "msg_caller", "canister_self", "subnet_self", "msg_caller_info_data"]
)
@pytest.mark.parametrize("case", ["offset past the end", "size past the end", "outside of memory"])
def test_copies_stay_within_bounds(canister: Canister, name: str, case: str) -> None:
    """Blob-typed arguments: traps if `offset+size` exceeds the blob, or `dst+size` the memory."""
    size = call(f"{name}_size")
    good = call(f"{name}_copy", 0x9000, 0, size)
    bad = {
        "offset past the end": call(f"{name}_copy", 0x9000, b"\x01" + b"\x01" + bytes(7) + size + b"\x20", 0),
        "size past the end": call(f"{name}_copy", 0x9000, 1, size),
        "outside of memory": call(f"{name}_copy", FAR, 0, 1),
    }[case]
    assert canister.query(good + reply()) == b""
    assert code_of(lambda: canister.query(bad + reply())) == CANISTER_ERROR


@pytest.mark.parametrize("name", ["msg_reply_data_append", "msg_reject", "certified_data_set"])
def test_sources_stay_within_memory(canister: Canister, name: str) -> None:
    """Blob-typed arguments: traps if `src+size` exceeds the size of the memory."""
    assert code_of(lambda: canister.update(call(name, FAR, 1) + reply())) == CANISTER_ERROR
    assert code_of(lambda: canister.update(call(name, 0, FAR) + reply())) == CANISTER_ERROR


def test_debug_print_and_trap_take_anything(canister: Canister) -> None:
    """Debugging aids: `debug_print` never traps, even outside of memory; `trap` omits invalid UTF-8."""
    assert canister.update(call("debug_print", FAR, 10) + reply(blob(b"on"))) == b"on"
    found = rejected(lambda: canister.update(trap(b"good \xff\xfe text")))
    assert found.code == CANISTER_ERROR
    assert "good" in found.message and "text" in found.message
    assert code_of(lambda: canister.update(call("trap", FAR, 10))) == CANISTER_ERROR


@pytest.mark.parametrize("size", [0, 1, 100_000, 1_900_000])
def test_arguments_and_replies_arrive_whole(canister: Canister, other: Canister, size: int) -> None:
    """Method arguments: any bytes, also by way of another canister."""
    content = bytes(index % 251 for index in range(size))
    assert canister.update(reply(blob(content))) == content
    assert passed(canister.update(call_other(other.id, "update", reply(blob(content))))) == content


def test_replies_are_assembled_of_parts(canister: Canister) -> None:
    """Responding: `msg_reply_data_append` adds; what is not replied is discarded."""
    assert canister.update(append(blob(b"a")) + append(blob(b"b")) + reply(blob(b"c"))) == b"abc"
    later = call_other(canister.id, "query", reply(), on_reply=reply(blob(b"only this")))
    assert canister.update(append(blob(b"lost")) + later) == b"only this"
    found = rejected(lambda: canister.update(append(blob(b"data")) + reject("but no")))
    assert (found.code, found.message.endswith("but no")) == (CANISTER_REJECT, True)


@pytest.mark.parametrize("again", [reply(), reject("x"), append(blob(b""))])
@pytest.mark.parametrize("first", [reply(), reject("x")])
def test_calls_are_answered_once(canister: Canister, first: bytes, again: bytes) -> None:
    """Responding: traps "if the current call already has been … responded to"."""
    assert code_of(lambda: canister.update(first + again)) == CANISTER_ERROR
    assert code_of(lambda: canister.query(first + again)) == CANISTER_ERROR


def test_an_answered_call_is_not_answered_in_a_callback(canister: Canister) -> None:
    """Responding: the answer may come before or in the callback, not in both."""
    early = reply(blob(b"early")) + call_other(
        canister.id, "update", reply(), on_reply=set_kept_blob(blob(b"ran")) + reply()
    )
    assert canister.update(early) == b"early"
    quiet = reply(blob(b"early")) + call_other(canister.id, "query", reply(), on_reply=b"")
    assert canister.update(quiet) == b"early"


def test_reject_messages_are_text(canister: Canister) -> None:
    """Responding: `msg_reject` traps if the data is not valid UTF-8."""
    assert code_of(lambda: canister.update(reject(b"\xff"))) == CANISTER_ERROR
    found = rejected(lambda: canister.update(reject("é∀")))
    assert (found.code, "é∀" in found.message) == (CANISTER_REJECT, True)


def test_replies_have_at_most_two_mebibytes(canister: Canister) -> None:
    """Resource limits: replies of updates; more traps."""
    part = append(b"\x01" + (64 * 1024).to_bytes(8, "little") + b"\x01" + bytes(8))
    assert len(canister.update(part * 32 + call("msg_reply"))) == 2 * MIB
    too_much = part * 32 + append(blob(b"x")) + call("msg_reply")
    assert code_of(lambda: canister.update(too_much)) == CANISTER_ERROR


def test_callers(canister: Canister, other: Canister, user: User) -> None:
    """Method arguments: the caller is a user or a canister; callbacks have the caller of their method."""
    assert user.call(canister.id, "update", reply(read("msg_caller"))) == user.sender
    assert passed(canister.update(call_other(other.id, "update", reply(read("msg_caller"))))) == canister.id
    callback = reply(read("msg_caller"))
    assert (
        user.call(canister.id, "update", call_other(other.id, "query", reply(), on_reply=callback))
        == user.sender
    )


def test_canisters_and_plain_keys_have_no_caller_info(canister: Canister, other: Canister) -> None:
    """Method arguments: caller info is empty unless canister signatures authenticated the caller."""
    info = reply(as_bytes(call("msg_caller_info_data_size")), as_bytes(call("msg_caller_info_signer_size")))
    assert canister.update(info) == bytes(16)
    assert passed(canister.update(call_other(other.id, "update", info))) == bytes(16)


def test_reject_codes_seen_by_callbacks(canister: Canister, other: Canister) -> None:
    """Method arguments: `msg_reject_code` is 0 in a reply callback; no message can be read there."""
    code = reply_number(call("msg_reject_code"))
    assert number(canister.update(call_other(other.id, "query", reply(), on_reply=code))) == 0
    assert number(canister.update(call_other(other.id, "query", trap(), on_reject=code))) == CANISTER_ERROR
    found = rejected(lambda: passed(canister.update(call_other(other.id, "query", reject("the words")))))
    assert (found.code, found.message) == (CANISTER_REJECT, "the words")


def test_ingress_has_no_deadline(canister: Canister, other: Canister) -> None:
    """Method arguments: `msg_deadline` is 0 for ingress messages, queries and calls that wait for ever."""
    deadline = reply_number(call("msg_deadline"))
    assert number(canister.update(deadline)) == 0
    assert number(canister.query(deadline)) == 0
    assert number(passed(canister.update(call_other(other.id, "update", deadline)))) == 0


def test_inspection_sees_the_message(user: User) -> None:
    """Ingress message inspection: method name, argument and caller; acceptance must be given once."""
    canister = user.create()
    name = set_kept_blob(read("msg_method_name"))
    accept_updates = name + when(equal(call("msg_method_name_size"), 6), call("accept_message"))
    canister.install(module("inspect"), set_hook(INSPECT, accept_updates))
    assert canister.update(reply(blob(b"in"))) == b"in"
    found = rejected(lambda: user.call(canister.id, "query", reply()))
    assert (found.code, found.certified) == (CANISTER_REJECT, False)
    assert canister.query(reply(blob(b"queries are not inspected"))).startswith(b"queries")
    caller = user.deploy()
    assert passed(caller.update(call_other(canister.id, "query", reply(blob(b"nor calls"))))) == b"nor calls"


@pytest.mark.parametrize("hook", [trap(), call("accept_message") * 2, b""])
def test_inspection_that_fails_denies(user: User, hook: bytes) -> None:
    """Ingress message inspection: a trap, accepting twice (a trap), and no acceptance deny access."""
    canister = user.create()
    canister.install(module("inspect"), set_hook(INSPECT, hook))
    assert not rejected(lambda: canister.update(reply())).certified


def test_inspection_changes_nothing(user: User) -> None:
    """Ingress message inspection runs in non-replicated mode."""
    canister = user.create()
    hook = set_register(9, allocate(8)) + set_kept_blob(blob(b"changed")) + call("accept_message")
    canister.install(module("inspect"), set_hook(INSPECT, hook))
    assert canister.update(reply(b"\x38")) == b""


def test_self_identification(canister: Canister, other: Canister) -> None:
    """Self-identification: the canister's own id, the subnet's, and how many nodes it has."""
    assert canister.query(reply(read("canister_self"))) == canister.id
    subnet = canister.query(reply(read("subnet_self")))
    assert subnet == other.query(reply(read("subnet_self")))
    assert len(subnet) == 29
    assert canister.number(call("subnet_self_node_count")) >= 1


def test_status_as_the_canister_sees_it(user: User, other: Canister) -> None:
    """Canister status: 1 running, 2 stopping, 3 stopped."""
    assert other.number(call("canister_status")) == 1
    canister = user.deploy()
    canister.manage("stop_canister")
    canister.install(arg=set_kept_blob(as_bytes(call("canister_status"))), mode="upgrade")
    canister.manage("start_canister")
    assert number(canister.query(reply(b"\x38"))) == 3


def test_the_version_grows_with_every_change(user: User) -> None:
    """Canister version: 0 at creation; grows with code, settings, status and successful executions."""
    canister = user.create()
    versions = [canister.status()["version"]]

    def note() -> None:
        versions.append(canister.status()["version"])

    canister.install()
    note()
    for _ in range(2):
        canister.update(reply())
        note()
    canister.replicated_query(reply())
    note()
    canister.set(freezing_threshold=1000)
    note()
    for method in ("stop_canister", "start_canister"):
        canister.manage(method)
        note()
    canister.install(mode="upgrade")
    note()
    assert versions == sorted(set(versions))
    assert canister.number(call("canister_version")) == versions[-1]
