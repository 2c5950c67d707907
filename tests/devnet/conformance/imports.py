"""The functions of `ic0` and from where each may be called.

Source: IC interface specification, "Overview of imports". `I` is the pointer type; the letters are the
specification's, `Q` written out as `RQ NRQ`, and `*` is every context but the start function.
"""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = ("I", "G", "U", "RQ", "NRQ", "TQ", "CQ", "Ry", "Rt", "CRy", "CRt", "C", "CC", "F", "T")
START = "s"


@dataclass(frozen=True)
class Import:
    """One function: parameter and result types, and the contexts it may be called in."""

    name: str
    parameters: tuple[str, ...]
    results: tuple[str, ...]
    contexts: frozenset[str]


_TABLE = """
msg_arg_data_size -> I                                     | I U RQ NRQ TQ CQ Ry CRy F
msg_arg_data_copy I I I ->                                 | I U RQ NRQ TQ CQ Ry CRy F
msg_caller_size -> I                                       | *
msg_caller_copy I I I ->                                   | *
msg_caller_info_data_size -> I                             | U RQ NRQ CQ Ry Rt CRy CRt C CC F
msg_caller_info_data_copy I I I ->                         | U RQ NRQ CQ Ry Rt CRy CRt C CC F
msg_caller_info_signer_size -> I                           | U RQ NRQ CQ Ry Rt CRy CRt C CC F
msg_caller_info_signer_copy I I I ->                       | U RQ NRQ CQ Ry Rt CRy CRt C CC F
msg_reject_code -> i32                                     | Ry Rt CRy CRt C
msg_reject_msg_size -> I                                   | Rt CRt
msg_reject_msg_copy I I I ->                               | Rt CRt
msg_deadline -> i64                                        | U RQ NRQ CQ Ry Rt CRy CRt
msg_reply_data_append I I ->                               | U RQ NRQ TQ CQ Ry Rt CRy CRt
msg_reply ->                                               | U RQ NRQ TQ CQ Ry Rt CRy CRt
msg_reject I I ->                                          | U RQ NRQ TQ CQ Ry Rt CRy CRt
msg_cycles_available128 I ->                               | U RQ Rt Ry
msg_cycles_refunded128 I ->                                | Rt Ry
msg_cycles_accept128 i64 i64 I ->                          | U RQ Rt Ry
cycles_burn128 i64 i64 I ->                                | I G U RQ Ry Rt C T
canister_self_size -> I                                    | *
canister_self_copy I I I ->                                | *
canister_cycle_balance128 I ->                             | *
canister_liquid_cycle_balance128 I ->                      | *
canister_status -> i32                                     | *
canister_version -> i64                                    | *
subnet_self_size -> I                                      | *
subnet_self_copy I I I ->                                  | *
subnet_self_node_count -> i32                              | *
msg_method_name_size -> I                                  | F
msg_method_name_copy I I I ->                              | F
accept_message ->                                          | F
call_new I I I I I I I I ->                                | U CQ Ry Rt CRy CRt T
call_on_cleanup I I ->                                     | U CQ Ry Rt CRy CRt T
call_data_append I I ->                                    | U CQ Ry Rt CRy CRt T
call_with_best_effort_response i32 ->                      | U CQ Ry Rt CRy CRt T
call_cycles_add128 i64 i64 ->                              | U Ry Rt T
call_perform -> i32                                        | U CQ Ry Rt CRy CRt T
stable64_size -> i64                                       | * s
stable64_grow i64 -> i64                                   | * s
stable64_write i64 i64 i64 ->                              | * s
stable64_read i64 i64 i64 ->                               | * s
root_key_size -> I                                         | I G U RQ Ry Rt C T
root_key_copy I I I ->                                     | I G U RQ Ry Rt C T
certified_data_set I I ->                                  | I G U Ry Rt T
data_certificate_present -> i32                            | *
data_certificate_size -> I                                 | NRQ CQ
data_certificate_copy I I I ->                             | NRQ CQ
time -> i64                                                | *
global_timer_set i64 -> i64                                | I G U Ry Rt C T
performance_counter i32 -> i64                             | * s
is_controller I I -> i32                                   | * s
in_replicated_execution -> i32                             | * s
cost_call i64 i64 I ->                                     | * s
cost_create_canister I ->                                  | * s
cost_http_request i64 i64 I ->                             | * s
cost_http_request_v2 I I I ->                              | * s
cost_sign_with_ecdsa I I i32 I -> i32                      | * s
cost_sign_with_schnorr I I i32 I -> i32                    | * s
cost_vetkd_derive_key I I i32 I -> i32                     | * s
env_var_count -> I                                         | *
env_var_name_size I -> I                                   | *
env_var_name_copy I I I I ->                               | *
env_var_name_exists I I -> i32                             | *
env_var_value_size I I -> I                                | *
env_var_value_copy I I I I I ->                            | *
debug_print I I ->                                         | * s
trap I I ->                                                | * s
msg_cycles_available -> i64                                | U RQ Rt Ry
msg_cycles_refunded -> i64                                 | Rt Ry
msg_cycles_accept i64 -> i64                               | U RQ Rt Ry
canister_cycle_balance -> i64                              | *
call_cycles_add i64 ->                                     | U Ry Rt T
stable_size -> i32                                         | * s
stable_grow i32 -> i32                                     | * s
stable_write i32 i32 i32 ->                                | * s
stable_read i32 i32 i32 ->                                 | * s
"""


def _read(line: str) -> Import:
    signature, letters = line.split("|")
    name, types = signature.split(maxsplit=1)
    parameters, _, results = types.partition("->")
    contexts = frozenset(
        context for letter in letters.split() for context in (EVERYWHERE if letter == "*" else (letter,))
    )
    return Import(name, tuple(parameters.split()), tuple(results.split()), contexts)


IMPORTS = {line.split()[0]: _read(line) for line in _TABLE.strip().splitlines()}
"""By name, in the order of the specification."""

ONLY_32_BIT = (
    "msg_cycles_available",
    "msg_cycles_refunded",
    "msg_cycles_accept",
    "canister_cycle_balance",
    "call_cycles_add",
    "stable_size",
    "stable_grow",
    "stable_write",
    "stable_read",
)
"""Not offered to modules whose memory has 64-bit addresses."""
