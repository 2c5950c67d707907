"""Bounded reading of a WebAssembly binary (core specification, "Binary Format"), and writing."""

from cdk.errors import CdkError


class WasmError(CdkError):
    """The bytes are not a WebAssembly module that the builder can work with."""


U32_MAX = 2**32 - 1
VARINT_BYTES_MAX = 5  # of a 32-bit number


class Reader:
    """A cursor over `data[offset:end]`; reading past the end raises WasmError."""

    def __init__(self, data: bytes, offset: int = 0, end: int | None = None) -> None:
        self.data = data
        self.offset = offset
        self.end = len(data) if end is None else end

    def at_end(self) -> bool:
        return self.offset >= self.end

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size > self.end - self.offset:
            raise WasmError(
                f"truncated module: {size} bytes wanted at {self.offset}, {self.end - self.offset} left"
            )
        self.offset += size
        return self.data[self.offset - size : self.offset]

    def byte(self) -> int:
        return self.take(1)[0]

    def u32(self) -> int:
        """An unsigned LEB128 number below 2**32."""
        value = self._varint()
        if value > U32_MAX:
            raise WasmError(f"number {value} at offset {self.offset} exceeds 32 bits")
        return value

    def s32(self) -> int:
        """A signed LEB128 number of 32 bits."""
        start = self.offset
        value = self._varint()
        bits = 7 * (self.offset - start)
        value -= (value >> (bits - 1)) << bits
        if not -(2**31) <= value < 2**31:
            raise WasmError(f"number {value} at offset {start} exceeds 32 bits")
        return value

    def name(self) -> str:
        """A length-prefixed UTF-8 string."""
        raw = self.take(self.u32())
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise WasmError(f"name before offset {self.offset} is not UTF-8") from error

    def _varint(self) -> int:
        value = 0
        for index in range(VARINT_BYTES_MAX):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value
        raise WasmError(f"number before offset {self.offset} is longer than {VARINT_BYTES_MAX} bytes")


def u32(value: int) -> bytes:
    """`value` as unsigned LEB128."""
    if not 0 <= value <= U32_MAX:
        raise WasmError(f"number {value} does not fit in 32 bits")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def s32(value: int) -> bytes:
    """`value` as signed LEB128."""
    if not -(2**31) <= value < 2**31:
        raise WasmError(f"number {value} does not fit in 32 signed bits")
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def name(text: str) -> bytes:
    """`text` as a length-prefixed UTF-8 string."""
    raw = text.encode()
    return u32(len(raw)) + raw
