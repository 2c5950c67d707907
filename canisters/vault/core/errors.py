"""What the vault refuses, one class per alternative of the Candid type `Error`."""

from __future__ import annotations

from canisters.vault.core.limits import SHOWN_VALUE


class VaultError(Exception):
    """A refused request; nothing has changed."""

    def __init__(self, text: str, /, **fields: int | str | bytes) -> None:
        super().__init__(text)
        self.fields = fields

    def variant(self) -> dict[str, dict[str, int | str | bytes]]:
        """The error as the Candid variant `Error`."""
        return {type(self).__name__: self.fields}


class NotFound(VaultError):
    """There is no such blob or upload."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"there is no {kind} {id[:SHOWN_VALUE]}", kind=kind, id=id[:SHOWN_VALUE])


class NotAuthorized(VaultError):
    """The caller may not do this; `required` says who may."""

    def __init__(self, required: str) -> None:
        super().__init__(f"only {required} may do this", required=required)


class InvalidArgument(VaultError):
    """A field of the request that cannot be accepted."""

    def __init__(self, field: str, value: str, problem: str) -> None:
        shown = value[:SHOWN_VALUE]
        super().__init__(f"{field} {shown}: {problem}", field=field, value=shown, problem=problem)


class QuotaExceeded(VaultError):
    """The owner, or the vault as a whole, would keep more bytes than allowed."""

    def __init__(self, used: int, limit: int, requested: int) -> None:
        text = f"{requested} bytes do not fit: {used} of {limit} are used; delete blobs first"
        super().__init__(text, used=used, limit=limit, requested=requested)


class HashMismatch(VaultError):
    """A chunk is not the one that was declared."""

    def __init__(self, index: int, expected: bytes, found: bytes) -> None:
        text = f"chunk {index} has the SHA-256 {found.hex()}, declared was {expected.hex()}"
        super().__init__(text, index=index, expected=expected, found=found)


class Incomplete(VaultError):
    """The blob cannot be read before all its chunks are there."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} chunks are missing", missing=missing)
