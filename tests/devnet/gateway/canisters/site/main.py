"""Answers HTTP requests in every way that is not certified: upgrades, streams, refuses."""

from kybra import Func, Opt, Query, Record, Tuple, Variant, Vec, blob, ic, nat16, nat64, query, text, update


class Token(Record):
    name: text
    index: nat64


class Chunk(Record):
    body: blob
    token: Opt[Token]


class Callback(Record):
    callback: Func(Query[[Token], Chunk])
    token: Token


class Strategy(Variant, total=False):
    Callback: Callback


class HttpRequest(Record):
    method: text
    url: text
    headers: Vec[Tuple[text, text]]
    body: blob


class HttpResponse(Record):
    status_code: nat16
    headers: Vec[Tuple[text, text]]
    body: blob
    upgrade: Opt[bool]
    streaming_strategy: Opt[Strategy]


requests = 0


def response(body: blob, status: nat16 = 200) -> HttpResponse:
    """A plain answer."""
    headers = [("content-type", "text/plain"), ("connection", "close"), ("x-own", "1")]
    return {
        "status_code": status,
        "headers": headers,
        "body": body,
        "upgrade": None,
        "streaming_strategy": None,
    }


def described(request: HttpRequest) -> blob:
    """What was asked, and in which order."""
    accept = [value for name, value in request["headers"] if name == "accept"]
    return f"{requests} {request['method']} {request['url']} {accept} {request['body'].decode()}".encode()


def part(request: HttpRequest) -> HttpResponse:
    """Ten bytes of 25, from where the request's range begins; elsewhere than asked under /parts-lost."""
    whole = b"abcdefghijklmnopqrstuvwxy"
    ranges = [value for name, value in request["headers"] if name == "range"]
    start = int(ranges[0][len("bytes=") : -1]) if ranges else 0
    if ranges and request["url"] == "/parts-lost":
        start += 1
    answer = response(whole[start : start + 10], 206)
    end = start + len(answer["body"])
    if request["url"] == "/parts-short":
        end += 1
    answer["headers"].append(("content-range", f"bytes {start}-{end - 1}/{len(whole)}"))
    return answer


@query
def http_request(request: HttpRequest) -> HttpResponse:
    url = request["url"]
    answer = response(described(request))
    if url.startswith("/update"):
        answer["upgrade"] = True
    if url == "/stream" or url == "/foreign":
        owner = ic.id() if url == "/stream" else ic.caller()
        token: Token = {"name": "part", "index": 1}
        answer["streaming_strategy"] = {"Callback": {"callback": (owner, "more"), "token": token}}
    if url.startswith("/parts"):
        return part(request)
    if url == "/trap":
        ic.trap("on purpose")
    if url == "/teapot":
        answer["status_code"] = 418
    if url == "/status":
        answer["status_code"] = 7
    if url == "/header":
        answer["headers"] = [("x-bad", "a\r\nset-cookie: b=c")]
    return answer


@update
def http_request_update(request: HttpRequest) -> HttpResponse:
    global requests
    if request["url"] == "/update-trap":
        ic.trap("on purpose")
    requests += 1
    return response(described(request), 201)


@query
def more(token: Token) -> Chunk:
    index = token["index"]
    following: Opt[Token] = {"name": token["name"], "index": index + 1} if index < 3 else None
    return {"body": f", {token['name']} {index}".encode(), "token": following}
