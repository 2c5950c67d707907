"""Errors of the gateway; each is answered with its status and its text as a plain body."""

from typing import ClassVar

from devnet.errors import DevnetError


class GatewayError(DevnetError):
    """A request that gets no answer from a canister."""

    status: ClassVar[int] = 503


class RequestTooLarge(GatewayError):
    """The request does not fit into one message to the canister."""

    status = 413


class CanisterNotFound(GatewayError):
    """There is no such canister on this network, or it holds no module."""

    status = 404


class CanisterFailed(GatewayError):
    """The canister rejected the call, trapped, or took too long."""


class MalformedResponse(GatewayError):
    """The canister's answer is not the `HttpResponse` of the specification."""


class VerificationFailed(GatewayError):
    """The answer is not what the canister certified, so it is not passed on."""
