"""How fields of evidence are laid out and written."""

from collections.abc import Callable, Mapping, Sequence

Value = str | int
Fields = list[tuple[str, Value]]
# Name, offset, bytes, how to write it.
Layout = Sequence[tuple[str, int, int, Callable[[bytes], Value]]]


def read_layout(data: bytes, layout: Layout) -> Fields:
    """Every field of a table of offsets."""
    return [(name, write(data[at : at + size])) for name, at, size, write in layout]


def number(value: bytes) -> int:
    """Unsigned, little-endian."""
    return int.from_bytes(value, "little")


def hexadecimal(value: bytes) -> str:
    """Digits as the bytes stand."""
    return value.hex()


def printed(value: bytes) -> str:
    """ASCII padded with zeros; hex where it is none."""
    text = value.rstrip(b"\0").decode("latin-1")
    return text if text.isascii() and text.isprintable() else value.hex()


def flags(value: int, names: Mapping[int, str], width: int = 64) -> str:
    """A bit field with the names of the bits that are set."""
    unknown = [f"bit {bit}" for bit in range(width) if value >> bit & 1 and bit not in names]
    known = [name for bit, name in names.items() if value >> bit & 1]
    return f"{value:#x}: {', '.join(known + unknown) or 'none'}"
