"""HTTP requests as they are really made, to servers of this test on the loopback interface."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devnet.replica import RejectCode
from devnet.replica.outcalls import fetching
from devnet.replica.outcalls.fetching import Fetched, FetchFailure, HttpFetcher, Outcome
from devnet.replica.outcalls.request import HttpRequest

PATIENCE_S = 20


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was asked, or as the path says."""

    protocol_version = "HTTP/1.1"
    released = threading.Event()

    def answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if self.path == "/wait":
            self.released.wait(PATIENCE_S)
        if self.path.startswith("/bytes/"):
            body = bytes(int(self.path.removeprefix("/bytes/")))
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("X-Seen", f"{self.command} {self.path}")
        if self.path.startswith("/headers/"):
            for number in range(int(self.path.removeprefix("/headers/"))):
                self.send_header(f"X-{number}", "v")
        for name, value in self.headers.items():
            self.send_header(f"Got-{name}", value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, format: str, *args: Any) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def serve(tls: ssl.SSLContext | None = None) -> QuietServer:
    server = QuietServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture
def server() -> Iterator[QuietServer]:
    Handler.released.clear()
    server = serve()
    yield server
    Handler.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetcher() -> Iterator[HttpFetcher]:
    fetcher = HttpFetcher()
    yield fetcher
    fetcher.close()


def request(server: QuietServer, path: str = "/", method: str = "GET", **changes: Any) -> HttpRequest:
    fields: dict[str, Any] = {
        "url": f"http://127.0.0.1:{server.server_port}{path}",
        "method": method,
        "headers": (("user-agent", "ic/1.0"),),
        "body": None,
        "max_response_bytes": 10_000,
        "transform": None,
        "replicated": True,
        "size": 0,
    }
    return HttpRequest(**fields | changes)


def begin(fetcher: HttpFetcher, asked: HttpRequest) -> Future[Outcome]:
    future: Future[Outcome] = Future()
    fetcher.fetch(asked, future.set_result)
    return future


def fetched(fetcher: HttpFetcher, asked: HttpRequest) -> Fetched:
    outcome = begin(fetcher, asked).result(PATIENCE_S)
    assert isinstance(outcome, Fetched), outcome
    return outcome


def failure(fetcher: HttpFetcher, asked: HttpRequest) -> FetchFailure:
    outcome = begin(fetcher, asked).result(PATIENCE_S)
    assert isinstance(outcome, FetchFailure), outcome
    return outcome


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_the_request_arrives_as_it_was_asked_for(
    server: QuietServer, fetcher: HttpFetcher, method: str
) -> None:
    body = None if method in ("GET", "HEAD") else b"\0body"
    headers = (("user-agent", "ic/1.0"), ("X-Own", "one"), ("X-Own", "two"))
    outcome = fetched(fetcher, request(server, "/a?b=%20", method, headers=headers, body=body))
    response = outcome.response
    seen = [text for name, text in response.headers if name == "x-seen"]
    assert (response.status, seen) == (200, [f"{method} /a?b=%20"])
    assert response.body == (body or b"")
    got = sorted(
        (name, text)
        for name, text in response.headers
        if name.startswith("got-") and name not in ("got-host", "got-content-length")
    )
    assert got == [("got-user-agent", "ic/1.0"), ("got-x-own", "one"), ("got-x-own", "two")]
    assert outcome.received_bytes > len(response.body)


def test_redirects_are_left_to_the_canister(server: QuietServer, fetcher: HttpFetcher) -> None:
    assert fetched(fetcher, request(server, "/moved")).response.status == 302


def test_responses_are_bounded_with_their_headers(server: QuietServer, fetcher: HttpFetcher) -> None:
    headers = fetched(fetcher, request(server, "/bytes/0")).received_bytes
    exact = request(server, "/bytes/5000", max_response_bytes=headers + 8 + 5_000)
    response = fetched(fetcher, exact)
    assert response.received_bytes <= headers + 8 + 5_000
    least = response.received_bytes
    fetched(fetcher, request(server, "/bytes/5000", max_response_bytes=least))
    refused = failure(fetcher, request(server, "/bytes/5000", max_response_bytes=least - 1))
    assert refused == FetchFailure(
        RejectCode.SYS_FATAL, f"Http response exceeds the size limit of {least - 1} bytes."
    )


def test_headers_of_responses_are_bounded(server: QuietServer, fetcher: HttpFetcher) -> None:
    refused = failure(fetcher, request(server, "/headers/70"))
    assert refused.code is RejectCode.SYS_FATAL and "headers are more than 64" in refused.message


def test_an_unreachable_server_is_a_transient_failure(server: QuietServer, fetcher: HttpFetcher) -> None:
    server.shutdown()
    server.server_close()
    refused = failure(fetcher, request(server))
    assert refused.code is RejectCode.SYS_TRANSIENT and "ConnectError" in refused.message


def test_headers_that_are_not_http_are_refused(server: QuietServer, fetcher: HttpFetcher) -> None:
    bad = failure(fetcher, request(server, headers=(("a b", "c"),)))
    assert bad.code is RejectCode.SYS_FATAL and "not valid HTTP" in bad.message


def test_a_slow_server_holds_up_nobody(
    server: QuietServer, fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = begin(fetcher, request(server, "/wait"))
    assert fetched(fetcher, request(server, "/")).response.status == 200
    assert not slow.done()
    Handler.released.set()
    assert isinstance(slow.result(PATIENCE_S), Fetched)


def test_a_response_that_does_not_come_in_time_is_a_transient_failure(
    server: QuietServer, fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.05)
    assert failure(fetcher, request(server, "/wait")) == FetchFailure(
        RejectCode.SYS_TRANSIENT, "Timeout expired"
    )


def test_closing_gives_up_what_is_under_way(server: QuietServer, fetcher: HttpFetcher) -> None:
    slow = begin(fetcher, request(server, "/wait"))
    fetched(fetcher, request(server, "/"))
    fetcher.close()
    assert not slow.done()
    assert fetched(fetcher, request(server, "/")).response.status == 200, "it starts again when asked"


def certificate(folder: Path) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin_at = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin_at)
        .not_valid_after(begin_at + datetime.timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


def test_https_works_with_a_trusted_certificate_only(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    server = serve(tls)
    url = f"https://127.0.0.1:{server.server_port}/"
    trusting = HttpFetcher(ssl.create_default_context(cafile=str(path)))
    wary = HttpFetcher()
    try:
        assert fetched(trusting, request(server, url=url)).response.status == 200
        refused = failure(wary, request(server, url=url))
        assert refused.code is RejectCode.SYS_TRANSIENT and "CERTIFICATE_VERIFY_FAILED" in refused.message
    finally:
        trusting.close()
        wary.close()
        server.shutdown()
        server.server_close()
