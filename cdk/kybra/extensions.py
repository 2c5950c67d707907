"""What stock Kybra does not have. A canister that imports this module needs our cdk."""

from __future__ import annotations

import sys

from cdk.candid.codec import Codec

from .annotations import PROGRAMS, candid_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_codecs: dict[int, tuple[Any, Codec]] = {}


def candid_encode_typed(annotation: Any, value: Any) -> bytes:
    """The Candid message of one value of the annotated type, for `ic.call_raw`.

    CandidError names what does not fit. Codecs are kept, so name the annotation once at module level.
    """
    return _codec(annotation).encode((value,))


def candid_decode_typed(annotation: Any, data: bytes) -> Any:
    """The value in the Candid message `data`, read as the annotated type; CandidError if it cannot be."""
    return _codec(annotation).decode(data)[0]


def _codec(annotation: Any) -> Codec:
    known = _codecs.get(id(annotation))
    if known is None:
        type = candid_type(annotation, sys._getframe(2).f_globals)
        known = _codecs[id(annotation)] = (annotation, Codec([type], PROGRAMS))  # keeps the id taken
    return known[1]
