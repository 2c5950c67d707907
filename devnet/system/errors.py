"""Failures of the system canisters."""

from __future__ import annotations

from typing import Any

from devnet.errors import DevnetError


class SystemCanisterError(DevnetError):
    """Base of the failures of this package."""


class Trap(SystemCanisterError):
    """The call is rejected as if the canister had trapped with this message."""


class Refused(SystemCanisterError):
    """The `Err` of a method's result.

    Args:
        case: the variant's case.
        content: its value, if that is not a record.
        fields: its record.
    """

    def __init__(self, case: str, content: Any = None, **fields: Any) -> None:
        self.case = case
        self.content = fields or content
        super().__init__(f"{case}: {self.content}")


def generic(message: str) -> Refused:
    """A failure that has no case of its own."""
    return Refused("GenericError", error_code=1, message=message)
