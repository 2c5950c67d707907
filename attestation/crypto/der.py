"""Strict reader of DER (ITU-T X.690): definite minimal lengths, low tags, nothing after the value.

Only what certificates and signatures use. Anything else raises `MalformedEvidence`.
"""

from __future__ import annotations

import functools

from attestation.errors import MalformedEvidence

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31
CONTEXT_0 = 0xA0
CONTEXT_3 = 0xA3

MAX_OID_BYTES = 32
MAX_INTEGER_BYTES = 1024
MAX_KEPT_OIDS = 128


class DerReader:
    """Cursor over the content octets of one constructed value; `name` goes into error messages."""

    def __init__(self, data: bytes, name: str, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._name = name
        self._at = start
        self._end = len(data) if end is None else end

    def at_end(self) -> bool:
        """True when nothing is left."""
        return self._at == self._end

    def finish(self) -> None:
        """Refuse trailing bytes."""
        if self._at != self._end:
            raise self.error(f"{self._end - self._at} bytes follow the last element")

    def peek(self) -> int | None:
        """Tag of the next element, None at the end."""
        return self._data[self._at] if self._at < self._end else None

    def error(self, problem: str) -> MalformedEvidence:
        """Error to raise, naming structure and offset."""
        return MalformedEvidence(self._name, f"DER at offset {self._at}: {problem}")

    def value(self, tag: int) -> bytes:
        """Content octets of the next element, which must have `tag`."""
        start, end = self._header(tag)
        self._at = end
        return self._data[start:end]

    def element(self, tag: int) -> bytes:
        """The next element with its header, which must have `tag`."""
        begin = self._at
        _, end = self._header(tag)
        self._at = end
        return self._data[begin:end]

    def enter(self, tag: int) -> DerReader:
        """Reader over the content of the next element, which must have the constructed `tag`."""
        start, end = self._header(tag)
        self._at = end
        return DerReader(self._data, self._name, start, end)

    def any_value(self) -> tuple[int, bytes]:
        """Tag and content octets of the next element, whatever it is."""
        tag = self.peek()
        if tag is None:
            raise self.error("expected an element, found the end")
        return tag, self.value(tag)

    def integer(self) -> int:
        """A non-negative INTEGER in its shortest two's-complement form."""
        content = self.value(INTEGER)
        if not 1 <= len(content) <= MAX_INTEGER_BYTES:
            raise self.error(f"INTEGER of {len(content)} bytes")
        if content[0] & 0x80:
            raise self.error("negative INTEGER")
        if content[0] == 0 and len(content) > 1 and not content[1] & 0x80:
            raise self.error("INTEGER with a needless leading zero")
        return int.from_bytes(content, "big")

    def boolean(self) -> bool:
        """A BOOLEAN, whose content is 00 or FF in DER."""
        content = self.value(BOOLEAN)
        if content not in (b"\x00", b"\xff"):
            raise self.error(f"BOOLEAN with content {content.hex()}")
        return content == b"\xff"

    def bit_string(self) -> bytes:
        """A BIT STRING of whole bytes."""
        content = self.value(BIT_STRING)
        if not content or content[0] != 0:
            raise self.error("BIT STRING that is not a whole number of bytes")
        return content[1:]

    def object_identifier(self) -> str:
        """An OBJECT IDENTIFIER as dotted decimals."""
        content = self.value(OBJECT_IDENTIFIER)
        dotted = _dotted(content)
        if not dotted:
            raise self.error(f"OBJECT IDENTIFIER {content[:MAX_OID_BYTES].hex()!r} is malformed or too long")
        return dotted

    def _header(self, tag: int) -> tuple[int, int]:
        """Offsets of the content of the next element."""
        data, at = self._data, self._at
        if at + 2 > self._end:
            raise self.error(f"expected tag {tag:#04x}, found the end")
        if data[at] != tag or tag & 0x1F == 0x1F:
            raise self.error(f"expected tag {tag:#04x}, found {data[at]:#04x}")
        length = data[at + 1]
        start = at + 2
        if length & 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= 3 or start + octets > self._end:
                raise self.error(f"length of {octets} octets (indefinite, too long or cut short)")
            length = int.from_bytes(data[start : start + octets], "big")
            start += octets
            if length < 0x80 or length < 1 << 8 * (octets - 1):
                raise self.error("length not in its shortest form")
        if start + length > self._end:
            raise self.error(f"element of {length} bytes, only {self._end - start} are left")
        return start, start + length


@functools.lru_cache(MAX_KEPT_OIDS)
def _dotted(content: bytes) -> str:
    """Dotted decimals of an OBJECT IDENTIFIER's content; empty for one that is not in its only form."""
    if not 1 <= len(content) <= MAX_OID_BYTES or content[-1] & 0x80:
        return ""
    arcs: list[int] = []
    arc = 0
    fresh = True
    for octet in content:
        if fresh and octet == 0x80:
            return ""
        arc = arc << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(str(number) for number in (top, arcs[0] - 40 * top, *arcs[1:]))


def sole_element(data: bytes, tag: int, name: str) -> DerReader:
    """Reader over the content of the one element with `tag` that `data` must be."""
    outer = DerReader(data, name)
    inner = outer.enter(tag)
    outer.finish()
    return inner
