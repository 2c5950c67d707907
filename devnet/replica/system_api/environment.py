"""System calls about the canister itself, the subnet, time and certified data."""

from __future__ import annotations

from devnet.principal import MAX_PRINCIPAL_BYTES
from devnet.replica import prices
from devnet.replica.execution import ContractViolation, Execution
from devnet.replica.system_api.memory import copy_out, read, read_text
from devnet.replica.system_api.table import system_call

_MAX_CERTIFIED_DATA = 32
_MAX_VARIABLE_NAME = 128
_REPLICATED_ONLY = "I G U RQ Ry Rt C T"


@system_call("-> I", "*")
def canister_self_size(execution: Execution) -> int:
    return len(execution.canister.id)


@system_call("I I I ->", "*")
def canister_self_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.canister.id, dst, offset, size)


@system_call("-> i32", "*")
def canister_status(execution: Execution) -> int:
    return int(execution.canister.status)


@system_call("-> i64", "*")
def canister_version(execution: Execution) -> int:
    return execution.canister.version


@system_call("-> I", "*")
def subnet_self_size(execution: Execution) -> int:
    return len(execution.subnet_id)


@system_call("I I I ->", "*")
def subnet_self_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.subnet_id, dst, offset, size)


@system_call("-> i32", "*")
def subnet_self_node_count(execution: Execution) -> int:
    return prices.SUBNET_NODES


@system_call("-> I", _REPLICATED_ONLY)
def root_key_size(execution: Execution) -> int:
    return len(execution.root_key)


@system_call("I I I ->", _REPLICATED_ONLY)
def root_key_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.root_key, dst, offset, size)


@system_call("I I ->", "I G U Ry Rt T")
def certified_data_set(execution: Execution, src: int, size: int) -> None:
    if size > _MAX_CERTIFIED_DATA:
        raise ContractViolation(
            "ic0_certified_data_set failed because the passed data must be no larger than "
            f"{_MAX_CERTIFIED_DATA} bytes. Found {size} bytes."
        )
    execution.certified_data = read(execution, src, size)


@system_call("-> i32", "*")
def data_certificate_present(execution: Execution) -> int:
    return int(execution.data_certificate is not None)


def _certificate(execution: Execution) -> bytes:
    certificate = execution.certificate()
    if certificate is None:
        raise ContractViolation("there is no data certificate in this execution")
    return certificate


@system_call("-> I", "NRQ CQ")
def data_certificate_size(execution: Execution) -> int:
    return len(_certificate(execution))


@system_call("I I I ->", "NRQ CQ")
def data_certificate_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, _certificate(execution), dst, offset, size)


@system_call("-> i64", "*")
def time(execution: Execution) -> int:
    return execution.now


@system_call("i64 -> i64", "I G U Ry Rt C T")
def global_timer_set(execution: Execution, timestamp: int) -> int:
    previous = execution.global_timer
    execution.global_timer = timestamp
    return execution.canister.global_timer if previous is None else previous


@system_call("i32 -> i64", "* s")
def performance_counter(execution: Execution, counter: int) -> int:
    if counter == 0:
        return execution.instructions()
    if counter == 1:
        return execution.context_instructions + execution.instructions()
    raise ContractViolation(f"ic0.performance_counter: there is no counter {counter}")


@system_call("I I -> i32", "* s")
def is_controller(execution: Execution, src: int, size: int) -> int:
    if size > MAX_PRINCIPAL_BYTES:
        raise ContractViolation(f"ic0.is_controller: {size} bytes are no principal")
    return int(read(execution, src, size) in execution.canister.settings.controllers)


@system_call("-> i32", "* s")
def in_replicated_execution(execution: Execution) -> int:
    return int(execution.replicated)


@system_call("-> I", "*")
def env_var_count(execution: Execution) -> int:
    return len(execution.environment_variables)


def _variable_name(execution: Execution, index: int) -> bytes:
    names = list(execution.environment_variables)
    if index >= len(names):
        raise ContractViolation(f"there is no environment variable {index}: only {len(names)} are set")
    return names[index].encode()


@system_call("I -> I", "*")
def env_var_name_size(execution: Execution, index: int) -> int:
    return len(_variable_name(execution, index))


@system_call("I I I I ->", "*")
def env_var_name_copy(execution: Execution, index: int, dst: int, offset: int, size: int) -> None:
    copy_out(execution, _variable_name(execution, index), dst, offset, size)


def _given_name(execution: Execution, src: int, size: int) -> str:
    if size > _MAX_VARIABLE_NAME:
        raise ContractViolation(
            f"the name of an environment variable has at most {_MAX_VARIABLE_NAME} bytes, got {size}"
        )
    return read_text(execution, src, size, "the environment variable's name")


def _variable_value(execution: Execution, src: int, size: int) -> bytes:
    name = _given_name(execution, src, size)
    value = execution.environment_variables.get(name)
    if value is None:
        raise ContractViolation(f"there is no environment variable {name!r}")
    return value.encode()


@system_call("I I -> i32", "*")
def env_var_name_exists(execution: Execution, src: int, size: int) -> int:
    return int(_given_name(execution, src, size) in execution.environment_variables)


@system_call("I I -> I", "*")
def env_var_value_size(execution: Execution, src: int, size: int) -> int:
    return len(_variable_value(execution, src, size))


@system_call("I I I I I ->", "*")
def env_var_value_copy(
    execution: Execution, name_src: int, name_size: int, dst: int, offset: int, size: int
) -> None:
    copy_out(execution, _variable_value(execution, name_src, name_size), dst, offset, size)
