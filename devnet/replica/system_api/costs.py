"""System calls that tell what other calls cost."""

from __future__ import annotations

from devnet.replica import prices
from devnet.replica.execution import Execution
from devnet.replica.system_api.memory import read_text, write_u128
from devnet.replica.system_api.table import system_call

_OK, _INVALID_CURVE, _INVALID_KEY_NAME = 0, 1, 2


@system_call("i64 i64 I ->", "* s")
def cost_call(execution: Execution, method_name_size: int, payload_size: int, dst: int) -> None:
    fee = prices.call(method_name_size + payload_size)
    write_u128(execution, dst, fee + prices.response_reservation(execution.limits))


@system_call("I ->", "* s")
def cost_create_canister(execution: Execution, dst: int) -> None:
    write_u128(execution, dst, prices.CREATE_CANISTER)


@system_call("i64 i64 I ->", "* s")
def cost_http_request(execution: Execution, request_size: int, max_res_bytes: int, dst: int) -> None:
    write_u128(execution, dst, prices.http_request(request_size, max_res_bytes))


def _threshold_cost(execution: Execution, src: int, size: int, curve: int, curves: int, dst: int) -> int:
    name = read_text(execution, src, size, "key name")
    execution.address(dst, 16)
    if curve >= curves:
        return _INVALID_CURVE
    if name not in prices.THRESHOLD_KEYS:
        return _INVALID_KEY_NAME
    write_u128(execution, dst, prices.THRESHOLD_KEYS[name])
    return _OK


@system_call("I I i32 I -> i32", "* s")
def cost_sign_with_ecdsa(execution: Execution, src: int, size: int, curve: int, dst: int) -> int:
    return _threshold_cost(execution, src, size, curve, 1, dst)


@system_call("I I i32 I -> i32", "* s")
def cost_sign_with_schnorr(execution: Execution, src: int, size: int, algorithm: int, dst: int) -> int:
    return _threshold_cost(execution, src, size, algorithm, 2, dst)


@system_call("I I i32 I -> i32", "* s")
def cost_vetkd_derive_key(execution: Execution, src: int, size: int, curve: int, dst: int) -> int:
    return _threshold_cost(execution, src, size, curve, 1, dst)
