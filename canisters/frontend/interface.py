"""The site's Candid types (`frontend.did`)."""

from kybra import Opt, Record, Tuple, Variant, Vec, blob, nat16, nat64, null, text


class AssetArgs(Record):
    path: text
    content_type: text
    content_encoding: text
    body: blob
    sha256: blob


class AssetInfo(Record):
    path: text
    content_type: text
    content_encoding: text
    size: nat64
    sha256: blob


class InvalidArgumentError(Record):
    field: text
    value: text
    problem: text


class Error(Variant, total=False):
    InvalidArgument: InvalidArgumentError


class PutResult(Variant, total=False):
    Ok: null
    Err: Error


class HttpRequest(Record):
    method: text
    url: text
    headers: Vec[Tuple[text, text]]
    body: blob
    certificate_version: Opt[nat16]


class HttpResponse(Record):
    status_code: nat16
    headers: Vec[Tuple[text, text]]
    body: blob
