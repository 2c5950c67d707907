"""Entry points, callbacks and what happens to exceptions."""

import pytest

from tests.cdk.runtime.conftest import APPLICATION, FILENAME
from tests.cdk.runtime.host import Canister, Message, Trapped


def test_an_update_answers_its_argument(canister: Canister) -> None:
    assert canister.update("echo", b"\x00hello\xff") == b"\x00hello\xff"
    assert canister.update("echo", b"") == b""


def test_two_mebibytes_pass_through(canister: Canister) -> None:
    blob = bytes(range(256)) * 8192
    assert canister.update("echo", blob) == blob


def test_lifecycle_and_system_tasks_reach_dispatch(canister: Canister) -> None:
    canister.run("canister_heartbeat")
    canister.run("canister_global_timer")
    canister.run("canister_pre_upgrade")
    assert canister.evaluate("result = state['events']") == [
        ("init", 0),
        ("heartbeat", 0),
        ("global_timer", 0),
        ("pre_upgrade", 0),
    ]


def test_an_upgrade_starts_afresh_with_post_upgrade(canister: Canister) -> None:
    assert canister.upgraded().evaluate("result = state['events']") == [("post_upgrade", 0)]


def test_inspect_message_sees_the_method(canister: Canister) -> None:
    for name, accepted in (("allowed", True), ("other", False)):
        message = canister.run("canister_inspect_message", Message(method_name=name))
        assert message.accepted is accepted


def test_an_uncaught_exception_traps_with_type_message_and_place(canister: Canister) -> None:
    with pytest.raises(Trapped) as trapped:
        canister.update("fail")
    line = 1 + APPLICATION.read_text().splitlines().index('    raise ValueError(f"bad amount {amount!r}")')
    assert str(trapped.value) == f"ValueError: bad amount 'x' ({FILENAME}:{line} in fail)"
    assert f"  {FILENAME}:{line} in fail\n" in canister.log[0]
    assert canister.log[0].startswith("Traceback (most recent call last):\n")


def test_the_summary_names_the_application_not_the_library(canister: Canister) -> None:
    with pytest.raises(Trapped, match=r"^JSONDecodeError: .* \(test\.py:1 in <module>\)$"):
        canister.evaluate("import json; json.loads('{')")


def test_the_cause_is_in_the_log(canister: Canister) -> None:
    with pytest.raises(Trapped, match=r"^KeyError: 'outer'"):
        canister.evaluate(
            """
            try:
                raise ValueError("inner")
            except ValueError as error:
                raise KeyError("outer") from error
            """
        )
    assert "caused by ValueError: inner" in canister.log[0]


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError('x' * 100_000)",
        "raise ValueError('\\ud800')",
        "raise ValueError(chr(0x1F600) * 5000)",
        "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "raise RecursionError",
    ],
)
def test_any_exception_gives_a_bounded_message(canister: Canister, source: str) -> None:
    with pytest.raises(Trapped) as trapped:
        canister.evaluate(source)
    assert "(test.py:1 in <module>)" in str(trapped.value)
    assert len(str(trapped.value).encode()) <= 4096
    assert all(len(line.encode()) <= 4096 for line in canister.log)


def test_a_trap_rolls_back_and_the_canister_lives_on(canister: Canister) -> None:
    with pytest.raises(Trapped):
        canister.evaluate("state['lost'] = 1; 1 / 0")
    assert canister.evaluate("result = sorted(state)") == ["events"]


def test_explicit_trap(canister: Canister) -> None:
    with pytest.raises(Trapped, match=r"^enough$"):
        canister.evaluate("_ic0.trap('enough')")


def test_calls_carry_everything_and_callbacks_come_back(canister: Canister) -> None:
    message = Message()
    assert canister.evaluate("result = _ic0.call(b'\\1\\2', 'pay', b'arg', 2**70 + 5, 42, 30)", message) == 0
    (call,) = message.calls
    assert (call.callee, call.method, call.data) == (b"\x01\x02", "pay", b"arg")
    assert (call.cycles, call.timeout) == (2**70 + 5, 30)
    assert call.cleanup is not None
    canister.callback(call.reply)
    canister.callback(call.reject)
    canister.callback(call.cleanup)
    expected = [("reply", 42), ("reject", 42), ("cleanup", 42)]
    assert canister.evaluate("result = state['events'][1:]") == expected


def test_a_callback_sees_its_answer(canister: Canister) -> None:
    message = Message()
    source = """
        def handle(kind, number):
            seen = (_ic0.msg_arg_data(), _ic0.msg_cycles_refunded()) if kind == "reply" else \\
                (_ic0.msg_reject_code(), _ic0.msg_reject_msg())
            state["events"].append(seen)
        state["handle"] = handle
        result = _ic0.call(b"", "raw_rand", b"", 0, 1)
    """
    canister.evaluate(source, message)
    canister.callback(message.calls[0].reply, Message(arg=b"answer", cycles_refunded=2**65))
    canister.callback(message.calls[0].reject, Message(reject_code=4, reject_message="no ☹"))
    assert canister.evaluate("result = state['events'][1:]") == [(b"answer", 2**65), (4, "no ☹")]


def test_one_way_calls_have_no_callbacks(canister: Canister) -> None:
    message = Message()
    canister.evaluate("result = _ic0.call(b'\\1', 'log', b'', 0, -1)", message)
    (call,) = message.calls
    assert call.reply[0] == call.reject[0] == -1
    assert call.cleanup is None and call.timeout is None
