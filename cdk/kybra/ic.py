"""The object `ic`: what a canister asks of the system."""

from __future__ import annotations

import _ic0

from cdk.candid.principal import Principal

from . import methods, timers
from .service import REJECT_CODES, Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_PAGE = 1 << 16
_PAGES_32 = 1 << 16
"""Pages that 32-bit offsets reach."""


def _grown(former: int) -> dict[str, Any]:
    return {"Ok": former} if former >= 0 else {"Err": {"OutOfMemory": None}}


class ic:
    """The system as the canister sees it. Everything is static; times are nanoseconds since 1970."""

    @staticmethod
    def accept_message() -> None:
        """In `@inspect_message` only: let the message in."""
        _ic0.accept_message()

    @staticmethod
    def arg_data_raw() -> bytes:
        """The undecoded argument of this message."""
        return _ic0.msg_arg_data()

    @staticmethod
    def arg_data_raw_size() -> int:
        """Its size in bytes."""
        return len(_ic0.msg_arg_data())

    @staticmethod
    def call_raw(canister_id: Principal, method: str, args_raw: bytes, payment: int = 0) -> Call:
        """A call with bytes in and bytes out; yield it."""
        return Call(canister_id, method, args_raw, None, payment)

    call_raw128 = call_raw

    @staticmethod
    def notify_raw(canister_id: Principal, method: str, args_raw: bytes, payment: int = 0) -> dict[str, Any]:
        """A one-way call with bytes."""
        return Call(canister_id, method, args_raw, None, payment).notify()

    @staticmethod
    def caller() -> Principal:
        """Who sent this message; after an await, still who sent the original one."""
        return Principal(_ic0.msg_caller())

    @staticmethod
    def is_controller(principal: Principal) -> bool:
        """Extension: whether `principal` controls this canister."""
        return _ic0.is_controller(principal.bytes)

    @staticmethod
    def candid_encode(candid_string: str) -> bytes:
        """The message for Candid values in text form, such as `(1 : nat64, "a")`."""
        from cdk.candid.text import encode_text

        return encode_text(candid_string)

    @staticmethod
    def candid_decode(candid_encoded: bytes) -> str:
        """A message's values in text form."""
        from cdk.candid.text import decode_text

        return decode_text(candid_encoded)

    @staticmethod
    def canister_balance() -> int:
        """The canister's cycles."""
        return _ic0.canister_cycle_balance()

    canister_balance128 = canister_balance

    @staticmethod
    def clear_timer(id: int) -> None:
        """Forget a timer."""
        timers.clear_timer(id)

    @staticmethod
    def set_timer(delay: int, func: Callable[[], Any]) -> int:
        """Call `func` once in `delay` seconds. Does not survive an upgrade."""
        return timers.set_timer(delay, func)

    @staticmethod
    def set_timer_interval(interval: int, func: Callable[[], Any]) -> int:
        """Call `func` every `interval` seconds. Does not survive an upgrade."""
        if interval <= 0:
            raise ValueError(f"an interval must be at least 1 s, not {interval}")
        return timers.set_timer(interval, func, interval)

    @staticmethod
    def data_certificate() -> bytes | None:
        """In a query: the certificate of the certified data."""
        return _ic0.data_certificate()

    @staticmethod
    def set_certified_data(data: bytes) -> None:
        """Set the certified data: at most 32 bytes."""
        if len(data) > 32:
            raise ValueError(f"certified data is at most 32 bytes, not {len(data)}")
        _ic0.certified_data_set(data)

    @staticmethod
    def id() -> Principal:
        """This canister."""
        return Principal(_ic0.canister_self())

    @staticmethod
    def canister_version() -> int:
        """Extension: the system's count of changes of this canister."""
        return _ic0.canister_version()

    @staticmethod
    def method_name() -> str:
        """The method called; in `@inspect_message` from the system, else the endpoint's name."""
        return methods.current.name if methods.current is not None else _ic0.msg_method_name()

    @staticmethod
    def msg_cycles_accept(max_amount: int) -> int:
        """Take at most `max_amount` of the attached cycles; answers how many were taken."""
        return _ic0.msg_cycles_accept(max_amount)

    msg_cycles_accept128 = msg_cycles_accept

    @staticmethod
    def msg_cycles_available() -> int:
        """Cycles attached to this message and not yet taken."""
        return _ic0.msg_cycles_available()

    msg_cycles_available128 = msg_cycles_available

    @staticmethod
    def msg_cycles_refunded() -> int:
        """After an await: cycles that came back."""
        return _ic0.msg_cycles_refunded()

    msg_cycles_refunded128 = msg_cycles_refunded

    @staticmethod
    def performance_counter(counter_type: int = 0) -> int:
        """Instructions so far: 0 in this message, 1 in this call."""
        return _ic0.performance_counter(counter_type)

    @staticmethod
    def print(*args: Any) -> None:
        """Write to the canister's log."""
        _ic0.debug_print(" ".join([str(arg) for arg in args]))

    @staticmethod
    def reject(x: str) -> None:
        """Reject the message; the endpoint must return `Manual[…]`."""
        _ic0.msg_reject(x)

    @staticmethod
    def reject_code() -> dict[str, None]:
        """After an await: the reject code as a variant."""
        return {REJECT_CODES.get(_ic0.msg_reject_code(), "Unknown"): None}

    @staticmethod
    def reject_message() -> str:
        """After an await that was rejected: why."""
        return _ic0.msg_reject_msg()

    @staticmethod
    def reply(value: Any = None) -> None:
        """Answer the message; the endpoint must return `Manual[…]`."""
        if methods.current is None:
            raise RuntimeError("ic.reply outside of an endpoint")
        methods.current.reply(value)

    @staticmethod
    def reply_raw(x: bytes) -> None:
        """Answer with bytes; the endpoint must return `Manual[…]`."""
        _ic0.msg_reply(x)

    # Raw stable memory. A canister has either this or StableBTreeMaps: beside maps, growing and writing raise
    # RuntimeError. Reading or writing past the end raises ValueError, which traps unless it is caught.

    @staticmethod
    def stable64_size() -> int:
        """Pages of 64 KiB that stable memory has."""
        return _ic0.stable_size()

    @staticmethod
    def stable64_grow(new_pages: int) -> dict[str, Any]:
        """Add pages: `{"Ok": former size}`, or `{"Err": {"OutOfMemory": None}}`."""
        return _grown(_ic0.stable_grow(new_pages))

    @staticmethod
    def stable64_read(offset: int, length: int) -> bytes:
        """`length` bytes at `offset`."""
        return _ic0.stable_read(offset, length)

    @staticmethod
    def stable64_write(offset: int, buf: bytes) -> None:
        """Write `buf` at `offset`."""
        _ic0.stable_write(offset, buf)

    @staticmethod
    def stable_size() -> int:
        """Pages of stable memory; traps when there are more than 32-bit offsets reach (4 GiB)."""
        pages = _ic0.stable_size()
        if pages > _PAGES_32:
            _ic0.trap(f"stable memory has {pages} pages, more than {_PAGES_32}: use the stable64 functions")
        return pages

    @staticmethod
    def stable_grow(new_pages: int) -> dict[str, Any]:
        """`stable64_grow` up to 4 GiB."""
        too_large = ic.stable_size() + new_pages > _PAGES_32
        return _grown(-1 if too_large else _ic0.stable_grow(new_pages))

    stable_read = stable64_read
    stable_write = stable64_write

    @staticmethod
    def stable_bytes() -> bytes:
        """All of stable memory."""
        return _ic0.stable_read(0, _ic0.stable_size() * _PAGE)

    @staticmethod
    def time() -> int:
        """Now, in nanoseconds since 1970; the same during one message."""
        return _ic0.time()

    @staticmethod
    def trap(message: str) -> NoReturn:
        """Abort the message and undo its changes."""
        _ic0.trap(message)
