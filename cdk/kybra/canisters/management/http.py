"""HTTPS outcalls (IC interface specification, `http_request`)."""

from kybra import Func, Opt, Query, Record, Variant, Vec, blob, nat, nat64, null, text


class HttpMethod(Variant, total=False):
    """The request's method."""

    get: null
    head: null
    post: null


class HttpHeader(Record):
    """One header line."""

    name: text
    value: text


class HttpResponse(Record):
    """What the server answered, after the transform."""

    status: nat
    headers: Vec[HttpHeader]
    body: blob


class HttpTransformArgs(Record):
    """What a transform query is given."""

    response: HttpResponse
    context: blob


HttpTransformFunc = Func(Query[[HttpTransformArgs], HttpResponse])
"""A query of the calling canister that makes the nodes' answers alike."""


class HttpTransform(Record):
    """The transform to use, with `context` handed through to it."""

    function: HttpTransformFunc  # type: ignore[valid-type]
    context: blob


class HttpRequestArgs(Record):
    """`http_request`; cycles for it are attached to the call. `max_response_bytes` defaults to 2 MiB."""

    url: text
    max_response_bytes: Opt[nat64]
    method: HttpMethod
    headers: Vec[HttpHeader]
    body: Opt[blob]
    transform: Opt[HttpTransform]
