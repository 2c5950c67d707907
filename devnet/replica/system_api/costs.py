"""System calls that tell what other calls cost."""

from __future__ import annotations

from typing import Any

from devnet.errors import CandidError
from devnet.replica import prices
from devnet.replica.candid import NAT32, NAT64, NULL, Opt, Record, Variant, decode_one
from devnet.replica.execution import ContractViolation, Execution
from devnet.replica.system_api.memory import read, read_text, write_u128
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


_COUNTS = Record({"min_responses": NAT32, "max_responses": NAT32, "total_requests": NAT32})
_OUTCALL_TYPE = Variant({"fully_replicated": NULL, "non_replicated": NULL, "flexible": Opt(_COUNTS)})
_OUTCALL = Record(
    {
        "request_bytes": NAT64,
        "http_roundtrip_time_ms": NAT64,
        "raw_response_bytes": NAT64,
        "transformed_response_bytes": NAT64,
        "transform_instructions": NAT64,
        "outcall_type": Opt(_OUTCALL_TYPE),
    }
)
_MAX_PARAMETERS = 1024


@system_call("I I I ->", "* s")
def cost_http_request_v2(execution: Execution, params_src: int, params_size: int, dst: int) -> None:
    if params_size > _MAX_PARAMETERS:
        raise ContractViolation(f"ic0.cost_http_request_v2: parameters of {params_size} bytes are too large")
    try:
        given = decode_one(_OUTCALL, read(execution, params_src, params_size))
    except CandidError as error:
        raise ContractViolation(f"ic0.cost_http_request_v2: {error}") from error
    write_u128(execution, dst, prices.outcall(_outcall(given)))


def _outcall(given: dict[str, Any]) -> prices.Outcall:
    nodes = prices.SUBNET_NODES
    kind, counts = given["outcall_type"] or ("fully_replicated", None)
    replicas, least, most = nodes, 1, 1
    if kind == "non_replicated":
        replicas = 1
    elif kind == "flexible":
        counts = counts or {
            "min_responses": 2 * nodes // 3 + 1,
            "max_responses": nodes,
            "total_requests": nodes,
        }
        replicas, least, most = (
            counts[name] for name in ("total_requests", "min_responses", "max_responses")
        )
    return prices.Outcall(
        request_bytes=given["request_bytes"],
        roundtrip_ms=given["http_roundtrip_time_ms"],
        raw_response_bytes=given["raw_response_bytes"],
        response_bytes=given["transformed_response_bytes"],
        transform_instructions=given["transform_instructions"],
        replicas=replicas,
        least=least,
        most=most,
        fully_replicated=kind == "fully_replicated",
    )


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
