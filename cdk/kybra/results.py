"""Ready-made record and variant types that stock Kybra exports, and `match`."""

from __future__ import annotations

from .types import Record, Variant, nat32, nat64, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TimerId = nat64
Duration = nat64


class GuardResult(Variant, total=False):
    """What a guard function returns; `Err` rejects the message."""

    Ok: None
    Err: text


GuardType: Any = object
"""The type of guard functions, for annotations."""


class RejectionCode(Variant, total=False):
    """Why a call was rejected."""

    NoError: None
    SysFatal: None
    SysTransient: None
    DestinationInvalid: None
    CanisterReject: None
    CanisterError: None
    Unknown: None


class NotifyResult(Variant, total=False):
    """The outcome of a one-way call."""

    Ok: None
    Err: RejectionCode


class KeyTooLarge(Record):
    """A key's size in bytes and the most that is allowed."""

    given: nat32
    max: nat32


class ValueTooLarge(Record):
    """A value's size in bytes and the most that is allowed."""

    given: nat32
    max: nat32


class StableMemoryError(Variant, total=False):
    """Why stable memory could not be used."""

    OutOfMemory: None
    OutOfBounds: None


class StableGrowResult(Variant, total=False):
    """The former size in pages, or why stable memory did not grow."""

    Ok: nat32
    Err: StableMemoryError


class Stable64GrowResult(Variant, total=False):
    """The former size in pages, or why stable memory did not grow."""

    Ok: nat64
    Err: StableMemoryError


def match(variant: Any, matcher: dict[str, Callable[[Any], Any]]) -> Any:
    """Call the function of the variant's case with its content; `"_"` stands for every other case.

    Works on variant dicts and on CallResult. ValueError when no case fits.
    """
    if isinstance(variant, dict):
        for case, content in variant.items():
            if case in matcher:
                return matcher[case](content)
    else:
        case = "Ok" if variant.Err is None else "Err"
        if case in matcher:
            return matcher[case](getattr(variant, case))
    if "_" in matcher:
        return matcher["_"](None)
    raise ValueError(f"no case of {', '.join(matcher)} fits {variant!r}")
