"""System calls that read and move cycles."""

from __future__ import annotations

from devnet.replica.execution import ContractViolation, Execution
from devnet.replica.system_api.memory import write_u128
from devnet.replica.system_api.table import system_call

_U64 = 1 << 64


def _as_u64(value: int, call: str) -> int:
    if value >= _U64:
        raise ContractViolation(f"{call}: {value} does not fit 64 bits; use {call}128")
    return value


@system_call("-> i64", "U RQ Rt Ry", only_32=True)
def msg_cycles_available(execution: Execution) -> int:
    return _as_u64(_available(execution), "ic0.msg_cycles_available")


@system_call("I ->", "U RQ Rt Ry")
def msg_cycles_available128(execution: Execution, dst: int) -> None:
    write_u128(execution, dst, _available(execution))


def _available(execution: Execution) -> int:
    return execution.available if execution.must_respond and execution.response is None else 0


@system_call("-> i64", "Rt Ry", only_32=True)
def msg_cycles_refunded(execution: Execution) -> int:
    return _as_u64(execution.refunded, "ic0.msg_cycles_refunded")


@system_call("I ->", "Rt Ry")
def msg_cycles_refunded128(execution: Execution, dst: int) -> None:
    write_u128(execution, dst, execution.refunded)


def _accept(execution: Execution, most: int) -> int:
    amount = min(most, _available(execution))
    execution.available -= amount
    execution.balance += amount
    return amount


@system_call("i64 -> i64", "U RQ Rt Ry", only_32=True)
def msg_cycles_accept(execution: Execution, max_amount: int) -> int:
    return _accept(execution, max_amount)


@system_call("i64 i64 I ->", "U RQ Rt Ry")
def msg_cycles_accept128(execution: Execution, high: int, low: int, dst: int) -> None:
    execution.address(dst, 16)
    write_u128(execution, dst, _accept(execution, high << 64 | low))


@system_call("i64 i64 I ->", "I G U RQ Ry Rt C T")
def cycles_burn128(execution: Execution, high: int, low: int, dst: int) -> None:
    amount = min(high << 64 | low, execution.liquid)
    execution.balance -= amount
    execution.burned += amount
    write_u128(execution, dst, amount)


@system_call("-> i64", "*", only_32=True)
def canister_cycle_balance(execution: Execution) -> int:
    return _as_u64(execution.balance, "ic0.canister_cycle_balance")


@system_call("I ->", "*")
def canister_cycle_balance128(execution: Execution, dst: int) -> None:
    write_u128(execution, dst, execution.balance)


@system_call("I ->", "*")
def canister_liquid_cycle_balance128(execution: Execution, dst: int) -> None:
    write_u128(execution, dst, execution.liquid)


@system_call("i64 -> i64", "U Ry Rt T", only_32=True)
def mint_cycles(execution: Execution, amount: int) -> int:
    raise ContractViolation("ic0.mint_cycles cannot be executed on non Cycles Minting Canister")


@system_call("i64 i64 I ->", "U Ry Rt T")
def mint_cycles128(execution: Execution, high: int, low: int, dst: int) -> None:
    raise ContractViolation("ic0.mint_cycles128 cannot be executed on non Cycles Minting Canister")
