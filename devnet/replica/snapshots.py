"""Snapshots of a canister: everything that loading one brings back.

Source: IC interface specification, `take_canister_snapshot` and the methods after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

GlobalValue = tuple[int, bytes]
"""Kind and 16 bytes, as in `devnet.replica.wasm.instance`."""

PAGE = 65536
_ZEROS = bytes(PAGE)


class Image:
    """A copy of some memory, without the pages that are zero; `dirty` are the pages not saved yet."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pages: dict[int, bytes] = {}
        self.dirty: set[int] = set()

    @classmethod
    def of(cls, size: int, read: Callable[[int, int], bytes]) -> Image:
        """Copy `size` bytes that `read(offset, size)` gives."""
        image = cls(size)
        for number in range(-(-size // PAGE)):
            offset = number * PAGE
            image._put(number, read(offset, min(PAGE, size - offset)))
        return image

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Offset and content of the pages that are not zero."""
        for number, data in self.pages.items():
            yield number * PAGE, data

    def read(self, offset: int, size: int) -> bytes:
        """The range must lie within `size`."""
        first, last = offset // PAGE, -(-(offset + size) // PAGE)
        content = b"".join(self.pages.get(number, _ZEROS).ljust(PAGE, b"\0") for number in range(first, last))
        return content[offset - first * PAGE :][:size]

    def write(self, offset: int, data: bytes) -> None:
        """The range must lie within `size`."""
        first, last = offset // PAGE, -(-(offset + len(data)) // PAGE)
        start = first * PAGE
        content = bytearray(self.read(start, min(last * PAGE, self.size) - start))
        content[offset - start : offset - start + len(data)] = data
        for number in range(first, last):
            at = (number - first) * PAGE
            self._put(number, bytes(content[at : at + PAGE]))

    def _put(self, number: int, data: bytes) -> None:
        self.dirty.add(number)
        if data.strip(b"\0"):
            self.pages[number] = data
        else:
            self.pages.pop(number, None)


IMAGES = ("module", "heap", "stable")
"""Names of a snapshot's images."""


@dataclass
class Snapshot:
    """One snapshot.

    Args:
        taken_at: ns.
        version: the canister's, when it was taken.
        uploaded: made by uploading its parts, not by taking a canister's state.
        global_timer: ns, 0 inactive; None leaves the canister's timer as it is.
        images: of `module`, `heap` and `stable`.
        saved: the state folder holds everything but the dirty pages.
    """

    id: bytes
    canister: bytes
    taken_at: int
    version: int
    uploaded: bool
    globals: list[GlobalValue]
    certified_data: bytes
    global_timer: int | None
    images: dict[str, Image]
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    saved: bool = False

    @property
    def total_size(self) -> int:
        """Bytes that the canister pays storage for."""
        images = sum(image.size for image in self.images.values())
        return images + sum(map(len, self.chunks.values())) + len(self.certified_data)

    @property
    def module(self) -> Image:
        """The module as it was installed, perhaps compressed."""
        return self.images["module"]

    @property
    def heap(self) -> Image:
        return self.images["heap"]

    @property
    def stable(self) -> Image:
        return self.images["stable"]


def snapshot_id(canister: bytes, number: int) -> bytes:
    """Id of a canister's snapshot with this number."""
    return number.to_bytes(8, "big") + canister
