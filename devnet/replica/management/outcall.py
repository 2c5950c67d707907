"""Management methods that make HTTP requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devnet.replica import prices, rejects
from devnet.replica.management import service_types
from devnet.replica.management.methods import Callers, Deferred, method
from devnet.replica.outcalls.request import InvalidOutcall, read_request

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall

_PAY_AS_YOU_GO = 2
"""Pricing version; any other number means version 1."""


@method(service_types.HTTP_REQUEST_ARGS, service_types.HTTP_RESPONSE, Callers.CANISTERS, subject="")
def http_request(management: Management, call: ManagementCall, argument: Any) -> Any:
    try:
        request = read_request(argument, call.caller)
    except InvalidOutcall as error:
        raise rejects.canister_rejected(f"http_request: {error}") from error
    by_use = argument["pricing_version"] == _PAY_AS_YOU_GO
    if by_use:
        fee = prices.outcall_base(request.size, request.replicated)
    else:
        fee = prices.http_request(request.size, request.max_response_bytes)
    call.accept(fee, "http_request")
    management.subnet.canister(call.caller).consumed.http_outcalls += fee
    refund, budget = (0, call.cycles) if by_use else (call.cycles, None)
    assert call.original is not None
    management.outcalls.begin(call.original, request, refund, budget)
    return Deferred()
