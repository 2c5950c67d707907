"""Idempotent creation: the same caller, request id and arguments make one record, however often they are
sent.
"""

from __future__ import annotations

import hashlib

from canisters.marketplace.core import limits, validate
from canisters.marketplace.core.model import OfferArgs, RentalArgs, Request
from canisters.marketplace.core.records import Codec
from canisters.marketplace.core.state import State
from canisters.marketplace.core.types import Message

_OFFER_ARGS = Codec(OfferArgs)
_RENTAL_ARGS = Codec(RentalArgs)


def made_before(
    state: State, message: Message, kind: str, request_id: bytes, args: OfferArgs | RentalArgs
) -> int | None:
    """Id of the record this request made earlier, or None; `InvalidArgument` if it was made with other
    arguments.
    """
    validate.exact_bytes("request_id", request_id, limits.REQUEST_ID_BYTES)
    request = state.requests.get(_key(message, kind, request_id))
    if request is None:
        return None
    if request.arguments_sha256 != _digest(args):
        problem = f"was used for {kind} {request.id} with other arguments; use 16 new random bytes"
        raise validate.refuse("request_id", request_id, problem)
    return request.id


def remember(
    state: State, message: Message, kind: str, request_id: bytes, args: OfferArgs | RentalArgs, made: int
) -> None:
    """Note that this request made record `made`."""
    state.requests.put(_key(message, kind, request_id), Request(made, _digest(args)))


def _digest(args: OfferArgs | RentalArgs) -> bytes:
    encoded = _OFFER_ARGS.encode(args) if isinstance(args, OfferArgs) else _RENTAL_ARGS.encode(args)
    return hashlib.sha256(encoded).digest()


def _key(message: Message, kind: str, request_id: bytes) -> bytes:
    return f"{kind}/{message.caller}/".encode("ascii") + request_id
