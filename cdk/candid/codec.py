"""`Codec`: encodes and decodes messages whose values have known types. Make one per endpoint and keep it."""

from __future__ import annotations

import struct

from .decode import DecoderBuilder
from .encode import EncoderBuilder
from .errors import CandidError
from .header import read_header, usual_headers, write_header
from .limits import CACHED_HEADERS, MAX_CACHED_HEADER
from .primitives import read_null
from .subtype import may_be_missing
from .types import Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .primitives import Reader, Writer


class Programs:
    """Compiled readers and writers of types, to be shared by the codecs of one canister."""

    def __init__(self) -> None:
        self.encoder = EncoderBuilder()
        self.decoder = DecoderBuilder()


class Codec:
    """Messages of values of `types`, in order.

    Decoders are compiled for the type sections that senders actually use, and looked up by those bytes;
    the encoder and its type section are made on first use.
    """

    def __init__(self, types: Sequence[Type], programs: Programs | None = None) -> None:
        self.types = tuple(types)
        self._programs = programs or Programs()
        self._decoders: list[tuple[bytes, DecoderBuilder, list[Reader]]] = []
        self._encoder: tuple[bytes, list[Writer]] | None = None

    def warm_encoder(self) -> tuple[bytes, list[Writer]]:
        """Compile now what encoding needs: a query cannot keep what it compiles."""
        writer = self._programs.encoder.writer
        self._encoder = (write_header(self.types), [writer(type) for type in self.types])
        return self._encoder

    def warm_decoder(self, from_agents: bool = False) -> None:
        """Compile now what decoding needs: messages in our notation, or in those of the usual agents too."""
        headers = usual_headers(self.types) if from_agents else [write_header(self.types)]
        decoder = self._programs.decoder
        readers = [decoder.reader(type, type) for type in self.types]
        self._decoders = [(header, decoder, readers) for header in headers]

    def encode(self, values: Sequence[Any]) -> bytes:
        """The message of `values`; CandidError names the value that does not fit and where it is."""
        return bytes(self.encode_once(values))

    def encode_once(self, values: Sequence[Any]) -> bytes:
        """`encode` without the last copy: in truth a bytearray, to be sent and forgotten."""
        header, writers = self._encoder or self.warm_encoder()
        if len(values) != len(writers):
            raise CandidError(f"{len(writers)} values expected, got {len(values)}")
        self._programs.encoder.start()
        out = bytearray(header)
        index = 0
        try:
            for write in writers:
                write(out, values[index])
                index += 1
        except RecursionError:
            raise CandidError("the value is nested too deep") from None
        except CandidError as error:
            raise (error.within(f"value {index + 1}") if len(writers) > 1 else error) from None
        return out  # type: ignore[return-value]

    def decode(self, data: bytes) -> list[Any]:
        """The values of the message `data`; CandidError says what is wrong with it."""
        try:
            for index, (header, builder, readers) in enumerate(self._decoders):
                if data.startswith(header):
                    if index:  # often used decoders move to the front
                        self._decoders.insert(index - 1, self._decoders.pop(index))
                    return self._read(data, len(header), builder, readers)
            return self._compile_and_read(data)
        except (IndexError, struct.error):
            raise CandidError("the message ends in the middle of a value") from None
        except UnicodeDecodeError as error:
            raise CandidError(f"a text is not UTF-8: {error.reason} at byte {error.start}") from None
        except RecursionError:
            raise CandidError("the message is nested too deep") from None

    def _read(self, data: bytes, position: int, builder: DecoderBuilder, readers: list[Reader]) -> list[Any]:
        builder.start()
        values = []
        try:
            for read in readers:
                value, position = read(data, position)
                values.append(value)
        except CandidError as error:
            raise (error.within(f"argument {len(values) + 1}") if len(readers) > 1 else error) from None
        if position != len(data):
            raise CandidError(f"{len(data) - position} bytes after the last value")
        return values[: len(self.types)]

    def _compile_and_read(self, data: bytes) -> list[Any]:
        wire, position = read_header(data)
        builder = DecoderBuilder()
        readers = self._readers(wire, builder)
        if position <= MAX_CACHED_HEADER:
            del self._decoders[CACHED_HEADERS - 1 :]
            self._decoders.append((data[:position], builder, readers))
        return self._read(data, position, builder, readers)

    def _readers(self, wire: list[Type], builder: DecoderBuilder) -> list[Reader]:
        readers = []
        for index, expected in enumerate(self.types):
            if index < len(wire):
                if not builder.subtyping.holds(wire[index], expected):
                    raise _does_not_fit(wire[index], expected, index + 1)
                readers.append(builder.reader(wire[index], expected))
            elif may_be_missing(expected):
                readers.append(read_null)
            else:
                raise CandidError(f"{len(self.types)} arguments expected, got {len(wire)}")
        readers += [builder.skipper(extra) for extra in wire[len(self.types) :]]
        return readers


def _does_not_fit(wire: Type, expected: Type, number: int) -> CandidError:
    from .did import type_text  # only for the message

    return CandidError(
        f"argument {number}: a value of type `{type_text(wire)}` cannot be read as `{type_text(expected)}`"
    )
