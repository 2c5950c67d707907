"""What is told of an exception that a canister did not handle: to the caller, and to the canister's log.

The log gets every frame. The caller gets the error, its place and the frames of the canister's own source, in
at most `REJECT_BYTES`, which the network puts into the reject message.
"""

from __future__ import annotations

import _ic0
from _leasehold import describe  # type: ignore[import-not-found]  # part of the runtime

REJECT_BYTES = 3_000
_HEAD = "Traceback (most recent call last):"


def report(error: Exception) -> None:
    """End the message with a trap that tells the error, and log its traceback."""
    summary, traceback = describe(error)
    _ic0.debug_print(traceback)
    _ic0.trap(for_caller(summary, traceback))


def for_caller(summary: str, traceback: str) -> str:
    """The error and the canister's own frames; the library's, in angle brackets, are left out."""
    lines = traceback.split("\n")
    shown = [line for line in lines if line.startswith(("  ", "caused by ")) and not line.startswith("  <")]
    text = "\n".join([summary, _HEAD, *shown])
    raw = text.encode()
    return text if len(raw) <= REJECT_BYTES else raw[: REJECT_BYTES - 3].decode("utf-8", "ignore") + "…"
