"""NVIDIA's services: reference manifests by their id, OCSP answers (RFC 6960) about devices and signers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from attestation import Evidence
from attestation.certificate_chain import parse_chain
from attestation.nvidia.ocsp import parse_answer
from attestation.nvidia.report import parse_report
from attestation.nvidia.rim import parse_manifest
from attestation.nvidia.switch_report import parse_switch_report
from attestation.nvidia.verify import BROM, CHAIN_LENGTH, GPU_ROLES, check_roles
from tee_worker.vendors.services import HOUR_S, Question, Service

OCSP_REQUEST = "application/ocsp-request"
DAY_S = 24 * HOUR_S


def manifest_ids(evidence: Evidence) -> tuple[str, ...]:
    """Under what names NVIDIA publishes the manifests of these devices, each once."""
    ids: dict[str, None] = {}
    for index, gpu in enumerate(evidence.gpus):
        claim = f"gpu[{index}]"
        report = parse_report(gpu.report, claim)
        chip = check_roles(parse_chain(gpu.chain, CHAIN_LENGTH, claim), GPU_ROLES, claim)
        ids[f"NV_GPU_DRIVER_{chip}_{report.driver}"] = None
        ids[f"NV_GPU_VBIOS_{report.reference_id}"] = None
    for index, switch in enumerate(evidence.switches):
        found = parse_switch_report(switch.report, f"switch[{index}]")
        ids[f"NV_SWITCH_BIOS_{found.reference_id}"] = None
    return tuple(ids)


def manifests(service: Service, address: str, evidence: Evidence) -> tuple[bytes, ...]:
    """The reference manifests of these devices."""
    return tuple(_manifest(service, f"{address}{name}") for name in manifest_ids(evidence))


def answers(service: Service, address: str, evidence: Evidence, rims: Sequence[bytes]) -> tuple[bytes, ...]:
    """OCSP answers about every certificate that has somebody to ask: devices' and manifests' signers'."""
    asked = dict.fromkeys(_revocable(evidence, rims))
    return tuple(_answer(service, address, certificate, issuer) for certificate, issuer in asked)


def _manifest(service: Service, url: str) -> bytes:
    def check(body: bytes) -> None:
        parse_manifest(_rim(body), "manifest")

    return _rim(service.ask(Question(url, DAY_S, check)).body)


def _rim(body: bytes) -> bytes:
    return base64.b64decode(json.loads(body)["rim"], validate=True)


def _revocable(evidence: Evidence, rims: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Certificate and issuer (DER): of devices from the boot ROM up, of manifests from the leaf up."""
    chains = [gpu.chain for gpu in evidence.gpus] + [switch.chain for switch in evidence.switches]
    for chain in chains:
        yield from pairwise(chain[BROM:])
    for index, data in enumerate(rims):
        signers = parse_manifest(data, f"manifest {index}").chain
        yield from pairwise(certificate.der for certificate in signers)


def _answer(service: Service, address: str, certificate: bytes, issuer: bytes) -> bytes:
    pair = (x509.load_der_x509_certificate(certificate), x509.load_der_x509_certificate(issuer))
    request = ocsp.OCSPRequestBuilder().add_certificate(*pair, SHA384()).build()
    body = request.public_bytes(Encoding.DER)

    def check(data: bytes) -> None:
        parse_answer(data, "OCSP answer")

    return service.ask(Question(address, HOUR_S, check, body=body, content_type=OCSP_REQUEST)).body
