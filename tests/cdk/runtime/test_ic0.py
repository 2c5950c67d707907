"""The system calls as Python functions."""

import pytest

from tests.cdk.runtime.host import Canister, Message, Trapped


def test_the_message_and_the_canister_describe_themselves(canister: Canister) -> None:
    source = "result = (_ic0.msg_caller(), _ic0.canister_self(), _ic0.subnet_self(), _ic0.canister_status())"
    caller, canister_id, subnet, status = canister.evaluate(source, Message(caller=b"\x07caller"))
    assert (caller, canister_id, subnet) == (b"\x07caller", bytes(8) + b"\x01\x01", bytes(28) + b"\x02")
    assert status == 1
    source = "result = (_ic0.canister_version(), _ic0.in_replicated_execution(), _ic0.msg_deadline())"
    assert canister.evaluate(source) == (7, True, 0)


def test_controllers(canister: Canister) -> None:
    source = "result = [_ic0.is_controller(p) for p in (b'\\1controller', b'', bytearray(b'x'))]"
    assert canister.evaluate(source) == [True, False, False]


def test_cycles_are_128_bits_wide(canister: Canister) -> None:
    source = (
        "result = (_ic0.msg_cycles_available(), _ic0.msg_cycles_accept(2**127), _ic0.msg_cycles_available())"
    )
    assert canister.evaluate(source, Message(cycles_available=2**100 + 1)) == (2**100 + 1, 2**100 + 1, 0)
    assert canister.evaluate("result = _ic0.canister_cycle_balance()") == 3 * 10**21


@pytest.mark.parametrize("amount", ["-1", "2**128", "1.5", "'1'"])
def test_impossible_cycles_are_refused(canister: Canister, amount: str) -> None:
    with pytest.raises(Trapped, match=r"^(OverflowError|ValueError|TypeError): "):
        canister.evaluate(f"_ic0.msg_cycles_accept({amount})")


def test_time_is_the_messages(canister: Canister) -> None:
    canister.time = 1_800_000_000_123_456_789
    assert canister.evaluate("import time; result = (_ic0.time(), time.time_ns())") == (canister.time,) * 2
    assert canister.evaluate("import time; result = int(time.time())") == canister.time // 10**9


def test_timer(canister: Canister) -> None:
    assert canister.evaluate("result = (_ic0.global_timer_set(2**63), _ic0.global_timer_set(5))") == (
        0,
        2**63,
    )
    assert canister.timer == 5


def test_certified_data(canister: Canister) -> None:
    canister.evaluate("_ic0.certified_data_set(b'h' * 32); result = 0")
    assert canister.certified == b"h" * 32
    assert canister.evaluate("result = _ic0.data_certificate()", Message(certificate=b"cert")) == b"cert"
    assert canister.evaluate("result = _ic0.data_certificate()") is None
    with pytest.raises(Trapped, match="ValueError: certified data of 33 bytes"):
        canister.evaluate("_ic0.certified_data_set(bytes(33))")


def test_replies_can_be_appended_and_messages_rejected(canister: Canister) -> None:
    message = Message(arg=b"_ic0.msg_reply_data_append(b'a'); _ic0.msg_reply(bytearray(b'bc'))")
    assert canister.run("canister_update execute", message).reply == b"abc"
    message = Message(arg="_ic0.msg_reject('nein ☹')".encode())
    assert canister.run("canister_update execute", message).rejected == "nein ☹"


def test_print_goes_to_the_log_by_lines(canister: Canister) -> None:
    canister.evaluate("print('one', 2); print('three\\nfour'); _ic0.debug_print('five'); result = 0")
    assert canister.log == ["one 2", "three", "four", "five"]


def test_counting_instructions(canister: Canister) -> None:
    before, after = canister.evaluate(
        "a = _ic0.performance_counter(0); sum(range(1000)); result = (a, _ic0.performance_counter(0))"
    )
    assert 0 < before < after


def test_raw_stable_memory(canister: Canister) -> None:
    source = """
        grown = _ic0.stable_grow(2)
        _ic0.stable_write(65536, b"data")
        result = (grown, _ic0.stable_size(), _ic0.stable_read(65535, 6))
    """
    assert canister.evaluate(source) == (0, 2, b"\0data\0")
    for source in (
        "_ic0.stable_read(131072, 1)",
        "_ic0.stable_write(131070, b'abc')",
        "_ic0.stable_read(2**64 - 1, 2)",
    ):
        with pytest.raises(Trapped, match=r"^ValueError: stable memory"):
            canister.evaluate(source)


def test_surroundings_of_the_canister(canister: Canister) -> None:
    source = "result = (_ic0.root_key(), _ic0.subnet_self_node_count())"
    assert canister.evaluate(source) == (bytes(132) + b"k", 13)
    source = "result = (_ic0.msg_caller_info_data(), _ic0.msg_caller_info_signer())"
    assert canister.evaluate(source) == (b"data", b"")
    source = "result = (_ic0.canister_liquid_cycle_balance(), _ic0.cycles_burn(5), _ic0.cycles_burn(2**127))"
    assert canister.evaluate(source) == (2 * 10**21, 5, 10**21)


def test_environment_variables(canister: Canister) -> None:
    source = """
        names = [_ic0.env_var_name(index) for index in range(_ic0.env_var_count())]
        result = {name: _ic0.env_var_value(name) for name in names}, _ic0.env_var_value("missing")
    """
    assert canister.evaluate(source) == (canister.environment, None)
    for index in ("-1", "2"):
        with pytest.raises(Trapped, match=rf"^IndexError: environment variable {index} of 2"):
            canister.evaluate(f"_ic0.env_var_name({index})")


def test_costs_of_calls(canister: Canister) -> None:
    source = """
        result = (
            _ic0.cost_call(3, 4), _ic0.cost_create_canister(), _ic0.cost_http_request(2, 5),
            _ic0.cost_http_request_v2(b"\\1\\0"), _ic0.cost_sign_with_ecdsa("key_1", 0),
            _ic0.cost_sign_with_schnorr("key_1", 0), _ic0.cost_vetkd_derive_key("key_1", 0),
        )
    """
    threshold = (26 * 10**9,) * 3
    assert canister.evaluate(source) == (2**64 + 3_004, 500 * 10**9, 20_005, 256, *threshold)
    with pytest.raises(Trapped, match="ValueError: the network has no key 'key_2'"):
        canister.evaluate("_ic0.cost_vetkd_derive_key('key_2', 0)")
    with pytest.raises(Trapped, match="ValueError: the network knows no curve or algorithm 7"):
        canister.evaluate("_ic0.cost_sign_with_ecdsa('key_1', 7)")


@pytest.mark.parametrize(
    "source",
    [
        "_ic0.cycles_burn(-1)",
        "_ic0.env_var_value(b'bytes')",
        "_ic0.cost_call(1)",
        "_ic0.cost_http_request_v2('text')",
        "_ic0.cost_sign_with_ecdsa(b'key_1', 'curve')",
        "_ic0.msg_reply('text')",
        "_ic0.msg_reject(b'bytes')",
        "_ic0.debug_print(7)",
        "_ic0.is_controller(None)",
        "_ic0.call(b'', 'm', b'', 0)",
        "_ic0.call(b'', 'm', b'', 0, 2**31)",
        "_ic0.call(b'', 'm', b'', 0, 1, -1)",
        "_ic0.global_timer_set(-1)",
        "_ic0.stable_read(0, -1)",
    ],
)
def test_wrong_arguments_raise(canister: Canister, source: str) -> None:
    source = f"""
        try:
            {source}
        except (TypeError, ValueError, OverflowError) as error:
            result = "refused"
    """
    assert canister.evaluate(source) == "refused"
