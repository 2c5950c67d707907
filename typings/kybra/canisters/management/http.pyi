from kybra import FuncTuple, Opt, Record, Variant, Vec, blob, nat, nat64, null, text

class HttpMethod(Variant, total=False):
    get: null
    head: null
    post: null

class HttpHeader(Record):
    name: text
    value: text

class HttpResponse(Record):
    status: nat
    headers: Vec[HttpHeader]
    body: blob

class HttpTransformArgs(Record):
    response: HttpResponse
    context: blob

HttpTransformFunc = FuncTuple

class HttpTransform(Record):
    function: HttpTransformFunc
    context: blob

class HttpRequestArgs(Record):
    url: text
    max_response_bytes: Opt[nat64]
    method: HttpMethod
    headers: Vec[HttpHeader]
    body: Opt[blob]
    transform: Opt[HttpTransform]
