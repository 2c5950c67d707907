"""The Internet Computer system API as the runtime offers it to Python.

A thin mirror of `ic0` (interface specification, "Canister interface"): one function per system call, sizes
and copies folded into `bytes`, 128-bit cycle amounts as `int`. Calling a function from an entry point where
the specification forbids it traps the message; it does not raise. Where `bytes` are taken, any bytes-like
object will do.
"""

from typing import NoReturn

# Message
def msg_arg_data() -> bytes: ...
def msg_caller() -> bytes: ...
def msg_caller_info_data() -> bytes:
    """What the canister that signed for the caller says of them; empty if none did."""

def msg_caller_info_signer() -> bytes:
    """The canister that signed for the caller; empty if none did."""

def msg_reply(data: bytes, /) -> None:
    """Append `data` to the reply and send it (`msg_reply_data_append` then `msg_reply`)."""

def msg_reply_data_append(data: bytes, /) -> None: ...
def msg_reject(message: str, /) -> None: ...
def msg_reject_code() -> int: ...
def msg_reject_msg() -> str: ...
def msg_deadline() -> int:
    """Nanoseconds since 1970 after which the caller may stop waiting; 0: no deadline."""

def msg_method_name() -> str:
    """In `canister_inspect_message` only."""

def accept_message() -> None:
    """In `canister_inspect_message` only."""

# Cycles
def msg_cycles_available() -> int: ...
def msg_cycles_accept(max_amount: int, /) -> int: ...
def msg_cycles_refunded() -> int: ...
def canister_cycle_balance() -> int: ...
def canister_liquid_cycle_balance() -> int:
    """What can be spent before the canister freezes."""

def cycles_burn(max_amount: int, /) -> int:
    """Destroy at most so many cycles; answer how many."""

# Canister and subnet
def canister_self() -> bytes: ...
def canister_status() -> int:
    """1 running, 2 stopping, 3 stopped."""

def canister_version() -> int: ...
def is_controller(principal: bytes, /) -> bool: ...
def in_replicated_execution() -> bool: ...
def subnet_self() -> bytes: ...
def subnet_self_node_count() -> int: ...
def root_key() -> bytes:
    """The network's public key, DER. Not in queries without consensus."""

# Environment variables (set by controllers, at most 128 bytes each)
def env_var_count() -> int: ...
def env_var_name(index: int, /) -> str:
    """Raises: IndexError when there are fewer."""

def env_var_value(name: str, /) -> str | None:
    """None if it is not set."""

# Time, timer and measurement
def time() -> int:
    """Nanoseconds since 1970; constant within one message."""

def global_timer_set(timestamp: int, /) -> int:
    """Set the global timer to `timestamp` (ns, 0: off); answer the former value."""

def performance_counter(kind: int, /) -> int:
    """Instructions so far: 0 in this execution, 1 in this call context."""

# Diagnosis
def debug_print(message: str, /) -> None: ...
def trap(message: str, /) -> NoReturn: ...

# Certified data
def certified_data_set(data: bytes, /) -> None:
    """At most 32 bytes."""

def data_certificate() -> bytes | None:
    """The certificate of the certified data in a non-replicated query, else None."""

# Calls to other canisters
def call(
    callee: bytes,
    method: str,
    arg: bytes,
    cycles: int,
    callback_id: int,
    timeout_seconds: int | None = None,
    /,
) -> int:
    """Enqueue one call; answer 0, or the system's error code when it could not be enqueued.

    The answer arrives as `dispatch("reply", callback_id)` or `dispatch("reject", callback_id)`; if that
    callback traps, `dispatch("cleanup", callback_id)` follows. A call with a negative id is one-way.
    `timeout_seconds` selects a bounded-wait (best-effort) response.
    Raises: OverflowError, TypeError or ValueError for impossible arguments.
    """

# Cycles that a call would cost
def cost_call(method_name_size: int, payload_size: int, /) -> int: ...
def cost_create_canister() -> int: ...
def cost_http_request(request_size: int, max_response_bytes: int, /) -> int: ...
def cost_http_request_v2(parameters: bytes, /) -> int:
    """`parameters` is a Candid message, which the specification describes."""

def cost_sign_with_ecdsa(key_name: str, curve: int, /) -> int:
    """Raises (as the next two): ValueError when the network does not know the curve or has no such key."""

def cost_sign_with_schnorr(key_name: str, algorithm: int, /) -> int: ...
def cost_vetkd_derive_key(key_name: str, curve: int, /) -> int: ...

# Raw stable memory (64-bit system calls). A canister has either this or the maps of `_stable`, whose layout
# cdk/runtime/store.h describes: once they exist, growing and writing raise RuntimeError; reading does not.
def stable_size() -> int:
    """Size in pages of 64 KiB."""

def stable_grow(pages: int, /) -> int:
    """Grow by `pages`; answer the former size, or -1."""

def stable_read(offset: int, size: int, /) -> bytes: ...
def stable_write(offset: int, data: bytes, /) -> None: ...
