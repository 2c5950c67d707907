"""Errors of the HTTP interface; each is answered with its status and its text as a plain body."""

from typing import ClassVar

from devnet.errors import DevnetError


class HttpError(DevnetError):
    """A request that is refused before it reaches a canister."""

    status: ClassVar[int] = 400


class MalformedRequest(HttpError):
    """The body is not the CBOR that this endpoint takes."""


class AuthenticationFailed(HttpError):
    """Wrong signature, wrong key for the sender, or a delegation chain that does not hold."""


class InvalidExpiry(HttpError):
    """`ingress_expiry` lies in the past or too far in the future."""

    def __init__(self, message: str) -> None:
        # Clients resynchronise their clock when the body begins with exactly these words.
        super().__init__(f"Invalid request expiry: {message}")


class WrongEffectiveCanister(HttpError):
    """The canister or subnet in the URL is not the one that the request is about."""


class PathNotAllowed(HttpError):
    """A path of the state tree that this sender may not read, here or at all."""

    status = 403


class InvalidPath(HttpError):
    """A path of the state tree that nobody can ask for."""


class NoSuchEndpoint(HttpError):
    """The URL names no endpoint of this node."""

    status = 404


class BodyTooLarge(HttpError):
    """The body or the message in it exceeds its bound."""

    status = 413


class NodeStopping(HttpError):
    """The node shuts down and takes no more requests."""

    status = 503


class NodeFault(HttpError):
    """An unexpected failure inside the node; its log has the details."""

    status = 500
