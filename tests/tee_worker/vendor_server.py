"""The vendors' services on loopback, answering about one simulated machine in the genuine services' forms."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, ocsp

from attestation import Evidence
from attestation.nvidia.rim import parse_manifest
from attestation.simulator import SimulatedMachine, collateral_of
from attestation.simulator.development_pki import load_authority
from tee_worker.vendors.nvidia import manifest_ids
from tee_worker.vendors.services import Addresses

Route = tuple[bytes, dict[str, str]]


class VendorServer:
    """Answers at `address`; `asked` are the requests, each path with its method."""

    def __init__(self, machine: SimulatedMachine, evidence: Evidence, now_ns: int) -> None:
        self.collateral = collateral_of(machine, now_ns)
        self.asked: list[str] = []
        self.answering = True
        self.routes: dict[str, Route] = dict(_routes(evidence, self))
        self.address = ""

    @property
    def addresses(self) -> Addresses:
        """Where all vendors are."""
        at = self.address
        return Addresses(at, at, f"{at}/root.der", f"{at}/ocsp", f"{at}/v1/rim/")

    def get(self, path: str) -> tuple[int, Route]:
        self.asked.append(f"GET {path}")
        found = self.routes.get(path.partition("?")[0]) if self.answering else None
        return (200, found) if found else (404 if self.answering else 503, (b"", {}))

    def post(self, path: str, body: bytes) -> tuple[int, Route]:
        self.asked.append(f"POST {path}")
        asked = _about(ocsp.load_der_ocsp_request(body))
        for answer in self.collateral.ocsp:
            if self.answering and _about(ocsp.load_der_ocsp_response(answer)) == asked:
                return 200, (answer, {})
        return 503, (b"", {})

    @contextmanager
    def running(self) -> Iterator[VendorServer]:
        """Served on a free port until the end."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(*outer.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.headers["content-type"] == "application/ocsp-request"
                self.reply(*outer.post(self.path, body))

            def reply(self, status: int, route: Route) -> None:
                body, headers = route
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            self.address = f"http://127.0.0.1:{server.server_port}"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def _routes(evidence: Evidence, server: VendorServer) -> Iterator[tuple[str, Route]]:
    given = server.collateral
    if evidence.cpu_kind == "tdx":
        chain = quote(_pem(load_authority("intel_tcb_signing").der, load_authority("intel_root").der))
        tdx, sgx = "/tdx/certification/v4", "/sgx/certification/v4"
        yield f"{tdx}/tcb", (given.tcb_infos[0], {"TCB-Info-Issuer-Chain": chain})
        yield (
            f"{tdx}/qe/identity",
            (given.qe_identities[0], {"SGX-Enclave-Identity-Issuer-Chain": chain}),
        )
        yield "/root.der", (given.crls[0], {})
        yield f"{sgx}/pckcrl", (given.crls[1], {})
    else:
        leaf, *authorities = evidence.cpu_chain
        chip = evidence.cpu_report[0x1A0:0x1E0].hex()
        yield f"/vcek/v1/Genoa/{chip}", (leaf, {})
        yield "/vcek/v1/Genoa/cert_chain", (_pem(*authorities).encode(), {})
        yield "/vcek/v1/Genoa/crl", (given.crls[0], {})
    manifests = {parse_manifest(rim, "rim").version.replace(".", ""): rim for rim in given.rims}
    for name in manifest_ids(evidence):
        rim = manifests[name.rpartition("_")[2].replace(".", "")]
        body = json.dumps({"id": name, "rim": base64.b64encode(rim).decode("ascii")})
        yield f"/v1/rim/{name}", (body.encode("ascii"), {})


def _about(message: ocsp.OCSPRequest | ocsp.OCSPResponse) -> tuple[bytes, bytes, int]:
    return message.issuer_name_hash, message.issuer_key_hash, message.serial_number


def _pem(*ders: bytes) -> str:
    loaded = (load_der_x509_certificate(der) for der in ders)
    return "".join(certificate.public_bytes(Encoding.PEM).decode("ascii") for certificate in loaded)
