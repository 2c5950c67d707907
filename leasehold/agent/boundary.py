"""HTTP to a node or boundary node: one pool of connections, retries with backoff, fallback of API versions.

Only whole, signed, idempotent requests pass here, so sending the same bytes again is always safe.
"""

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from leasehold.agent.errors import NetworkError
from leasehold.agent.principal import Principal

# Newest first; a node that answers 404 is asked the next one, and not the newer ones again.
API_VERSIONS = {"call": ("v4", "v3", "v2"), "query": ("v3", "v2"), "read_state": ("v3", "v2")}

MAX_ATTEMPTS = 6
FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 5.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_RETRIED_STATUSES = {429, 500, 502, 503, 504}
_CBOR = {"Content-Type": "application/cbor"}


@dataclass(frozen=True)
class Answer:
    """What the node said: HTTP status and body."""

    status: int
    body: bytes


class Boundary:
    """Connections to one network. Thread-safe.

    Args:
        url: such as `https://icp-api.io` or `http://127.0.0.1:4943`.
        timeout_s: longest wait for one answer; a synchronous call may take 10 s or more.
        transport: another `httpx` transport, for tests.
        sleep: waits between attempts, in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.sleep = sleep
        self._versions = dict(API_VERSIONS)
        self._lock = threading.Lock()
        secure = self.url.startswith("https:")
        if not secure and not is_loopback(self.url):
            raise NetworkError(f"{self.url} is neither https nor on this machine: refusing to talk in clear")
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=16)
        # A loopback node needs no TLS (whose context takes 20 ms to load) and no proxy.
        self._http = httpx.Client(
            timeout=timeout_s, limits=limits, verify=secure, trust_env=secure, transport=transport
        )

    def get(self, path: str) -> Answer:
        """GET, retried."""
        return self._attempt("GET", path, None)

    def post(self, kind: str, effective: Principal, body: bytes) -> tuple[Answer, str]:
        """POST a message of a kind of `API_VERSIONS`; answers with the API version that took it."""
        for version in self._versions[kind]:
            answer = self._attempt("POST", f"/api/{version}/canister/{effective}/{kind}", body)
            if answer.status != 404 or version == self._versions[kind][-1]:
                return answer, version
            with self._lock:
                self._versions[kind] = API_VERSIONS[kind][API_VERSIONS[kind].index(version) + 1 :]
        raise NetworkError(f"{self.url} offers no version of {kind!r} that is known here")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _attempt(self, verb: str, path: str, body: bytes | None) -> Answer:
        problem = ""
        for pause in pauses(MAX_ATTEMPTS):
            try:
                with self._http.stream(verb, self.url + path, content=body, headers=_CBOR) as response:
                    answer = Answer(response.status_code, _bounded(response))
            except httpx.TransportError as error:
                problem = str(error) or type(error).__name__
            else:
                if answer.status not in _RETRIED_STATUSES:
                    return answer
                problem = describe(answer)
            if pause is not None:
                self.sleep(pause)
        raise NetworkError(f"{self.url} cannot be reached ({MAX_ATTEMPTS} attempts): {problem}")


def pauses(attempts: int, first: float = FIRST_PAUSE_S) -> Iterator[float | None]:
    """Seconds to wait after each attempt, doubling; `None` after the last."""
    for attempt in range(attempts - 1):
        yield min(first * 2**attempt, MAX_PAUSE_S)
    yield None


def describe(answer: Answer) -> str:
    """An answer that is no success, in words."""
    return f"HTTP {answer.status}: {answer.body[:300].decode(errors='replace').strip() or 'no reason given'}"


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: 127.0.0.0/8, ::1, localhost or a name below it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise NetworkError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)
