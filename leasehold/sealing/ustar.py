"""Reading tar archives as strictly as they are written: plain ustar headers of ordinary files, nothing else.

No extended headers, links, sparse files, base-256 numbers or long names: each has let some reader be misled,
exhausted or kept in a loop. Source: POSIX.1-1988 ustar, "Extended tar format".

| offset | bytes | field |
|---|---|---|
| 0 | 100 | name, ended by zero unless it fills the field |
| 124 | 12 | size, octal digits |
| 148 | 8 | checksum: sum of the header's bytes with this field as blanks, octal digits |
| 156 | 1 | type, `0` for an ordinary file |
| 257 | 8 | `ustar` 00 `00` |
| 345 | 155 | prefix of the name, unused |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from leasehold.sealing.errors import PackingError

MAX_FILES = 1_000
MAX_FILE_BYTES = 8**11 - 1
"""What eleven octal digits can say: 8 GiB."""

BLOCK_BYTES = 512
_NAME = slice(0, 100)
_SIZE = slice(124, 136)
_CHECKSUM = slice(148, 156)
_TYPE = slice(156, 157)
_MAGIC = slice(257, 265)
_PREFIX = slice(345, 500)


@dataclass(frozen=True)
class Entry:
    """An ordinary file in an archive: its content is `size` bytes from `offset` on."""

    name: str
    size: int
    offset: int


def read_entries(archive: BinaryIO, length: int) -> Iterator[Entry]:
    """The files of an archive of `length` bytes, up to the first empty header.

    Raises:
        PackingError: anything but ordinary files, or more than `MAX_FILES`.
    """
    offset, count = 0, 0
    while True:
        archive.seek(offset)
        header = archive.read(BLOCK_BYTES)
        if len(header) != BLOCK_BYTES:
            raise PackingError("it is cut short")
        if not any(header):
            return
        entry = _entry(header, offset + BLOCK_BYTES)
        count += 1
        if count > MAX_FILES:
            raise PackingError(f"it has more than {MAX_FILES} files")
        offset = entry.offset + -(-entry.size // BLOCK_BYTES) * BLOCK_BYTES
        if offset > length:
            raise PackingError(f"{entry.name!a} is cut short")
        yield entry


def _entry(header: bytes, offset: int) -> Entry:
    if header[_MAGIC] != b"ustar\x0000":
        raise PackingError("a header is not that of a ustar archive")
    blanked = header[: _CHECKSUM.start] + b" " * 8 + header[_CHECKSUM.stop :]
    if _octal(header[_CHECKSUM]) != sum(blanked):
        raise PackingError("a header's checksum is wrong")
    name = header[_NAME].split(b"\x00", 1)[0].decode("utf-8", "replace")
    if header[_TYPE] != b"0" or any(header[_PREFIX]):
        raise PackingError(f"{name!a} is no ordinary file with a short name")
    return Entry(name, _octal(header[_SIZE]), offset)


def _octal(field: bytes) -> int:
    digits = field.rstrip(b" \x00")
    if not digits or not set(digits) <= set(b"01234567"):
        raise PackingError(f"{field!r} is no octal number")
    return int(digits, 8)
