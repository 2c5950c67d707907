"""System calls about the message being processed, and about answering it."""

from __future__ import annotations

from devnet.replica import rejects
from devnet.replica.execution import CalledTrap, ContractViolation, Execution
from devnet.replica.system_api.memory import copy_out, read, read_leniently, read_text
from devnet.replica.system_api.table import system_call

_CALLBACKS = "U RQ NRQ TQ CQ Ry Rt CRy CRt"
_CALLER_INFO = "U RQ NRQ CQ Ry Rt CRy CRt C CC F"
_ARGUMENT = "I U RQ NRQ TQ CQ Ry CRy F"
_MAX_MESSAGE = 16 * 1024
"""Longest text of a trap or log line that is kept."""


@system_call("-> I", _ARGUMENT)
def msg_arg_data_size(execution: Execution) -> int:
    return len(execution.arg)


@system_call("I I I ->", _ARGUMENT)
def msg_arg_data_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.arg, dst, offset, size)


@system_call("-> I", "*")
def msg_caller_size(execution: Execution) -> int:
    return len(execution.caller)


@system_call("I I I ->", "*")
def msg_caller_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.caller, dst, offset, size)


@system_call("-> I", _CALLER_INFO)
def msg_caller_info_data_size(execution: Execution) -> int:
    return len(execution.sender_info.info)


@system_call("I I I ->", _CALLER_INFO)
def msg_caller_info_data_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.sender_info.info, dst, offset, size)


@system_call("-> I", _CALLER_INFO)
def msg_caller_info_signer_size(execution: Execution) -> int:
    return len(execution.sender_info.signer)


@system_call("I I I ->", _CALLER_INFO)
def msg_caller_info_signer_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.sender_info.signer, dst, offset, size)


@system_call("-> i32", "Ry Rt CRy CRt C")
def msg_reject_code(execution: Execution) -> int:
    return 0 if execution.reject is None else execution.reject.code


def _reject_message(execution: Execution) -> bytes:
    if execution.reject is None:
        raise ContractViolation("there is no reject message: the response is a reply")
    return execution.reject.message.encode()


@system_call("-> I", "Rt CRt")
def msg_reject_msg_size(execution: Execution) -> int:
    return len(_reject_message(execution))


@system_call("I I I ->", "Rt CRt")
def msg_reject_msg_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, _reject_message(execution), dst, offset, size)


@system_call("-> i64", "U RQ NRQ CQ Ry Rt CRy CRt")
def msg_deadline(execution: Execution) -> int:
    return execution.deadline


def _check_answerable(execution: Execution, call: str) -> None:
    if execution.response is not None or not execution.must_respond:
        raise ContractViolation(f"{call}: the call is already replied")


@system_call("I I ->", _CALLBACKS)
def msg_reply_data_append(execution: Execution, src: int, size: int) -> None:
    _check_answerable(execution, "ic0.msg_reply_data_append")
    total = len(execution.reply_data) + size
    if total > execution.reply_limit:
        raise ContractViolation(
            f"ic0.msg_reply_data_append: application payload size ({total}) "
            f"cannot be larger than {execution.reply_limit}."
        )
    execution.reply_data += read(execution, src, size)


@system_call("->", _CALLBACKS)
def msg_reply(execution: Execution) -> None:
    _check_answerable(execution, "ic0.msg_reply")
    execution.response = bytes(execution.reply_data)


@system_call("I I ->", _CALLBACKS)
def msg_reject(execution: Execution, src: int, size: int) -> None:
    _check_answerable(execution, "ic0.msg_reject")
    if size > execution.reply_limit:
        raise ContractViolation(
            f"ic0.msg_reject: application payload size ({size}) "
            f"cannot be larger than {execution.reply_limit}."
        )
    execution.response = rejects.canister_rejected(read_text(execution, src, size, "ic0.msg_reject: message"))


@system_call("-> I", "F")
def msg_method_name_size(execution: Execution) -> int:
    return len(execution.method.encode())


@system_call("I I I ->", "F")
def msg_method_name_copy(execution: Execution, dst: int, offset: int, size: int) -> None:
    copy_out(execution, execution.method.encode(), dst, offset, size)


@system_call("->", "F")
def accept_message(execution: Execution) -> None:
    if execution.accepted:
        raise ContractViolation("ic0.accept_message: the message is already accepted")
    execution.accepted = True


@system_call("I I ->", "* s")
def debug_print(execution: Execution, src: int, size: int) -> None:
    execution.log.append(read_leniently(execution, src, size, _MAX_MESSAGE))


@system_call("I I ->", "* s")
def trap(execution: Execution, src: int, size: int) -> None:
    raise CalledTrap(read_leniently(execution, src, size, _MAX_MESSAGE).decode(errors="ignore"))
