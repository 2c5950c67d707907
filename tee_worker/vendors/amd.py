"""AMD's Key Distribution Service (AMD 57230): a chip's certificate, its authorities, a revocation list."""

from __future__ import annotations

from attestation.amd.report import SnpReport, parse_report
from attestation.amd.tcb import PRODUCTS, Product, decode_tcb
from attestation.crl import parse_crl
from attestation.x509 import parse_certificate
from tee_worker.evidence.pem import certificates_of_pem
from tee_worker.vendors.services import FOR_EVER_S, HOUR_S, CollateralFetchFailed, Question, Service

# How a security version is named in a request.
PARAMETERS = {
    "fmc": "fmcSPL",
    "bootloader": "blSPL",
    "tee": "teeSPL",
    "snp": "snpSPL",
    "microcode": "ucodeSPL",
}
# CPUID family and model (extended model in the high digit) of each product since report version 3.
MODELS = {
    (0x19, 0x0): "Milan",
    (0x19, 0x1): "Genoa",
    (0x19, 0xA): "Genoa",
    (0x1A, 0x0): "Turin",
    (0x1A, 0x1): "Turin",
}
MODEL_OFFSET = 0x189
FAMILY_OFFSET = 0x188


def complete_chain(
    service: Service, address: str, report: bytes, chain: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    """VCEK or VLEK, ASK or ASVK, ARK: `chain` as far as the host gave it, the rest from AMD.

    Raises:
        CollateralFetchFailed: AMD does not know the chip at this firmware, or does not answer.
    """
    if len(chain) == 3:
        return chain
    parsed = parse_report(report)
    if not chain and parsed.signing_key == "VLEK":
        raise CollateralFetchFailed(
            "the report is signed by the provider's VLEK, which only the provider has: the host must give it"
        )
    problem: CollateralFetchFailed | None = None
    for product in _products(parsed, report, chain):
        try:
            leaf = chain[0] if chain else _vcek(service, address, parsed, product)
            return (leaf, *_authorities(service, address, product, parsed.signing_key))
        except CollateralFetchFailed as error:
            problem = error
    raise problem or CollateralFetchFailed("the processor is of no product that is known")


def revocation_list(service: Service, address: str, chain: tuple[bytes, ...]) -> bytes:
    """The list of the root of `chain` (DER)."""
    root = parse_certificate(chain[-1], "cpu.chain[2]").subject.common_name
    kind = "vlek" if "VLEK" in parse_certificate(chain[1], "cpu.chain[1]").subject.common_name else "vcek"
    product = root.rpartition("-")[2]
    url = f"{address}/{kind}/v1/{product}/crl"
    return service.ask(Question(url, HOUR_S, lambda body: parse_crl(body, "revocation list"))).body


def _products(report: SnpReport, raw: bytes, chain: tuple[bytes, ...]) -> list[Product]:
    """The report's product; older reports do not say it, so that each is tried."""
    if chain:
        issuer = parse_certificate(chain[0], "cpu.chain[0]").issuer.common_name
        return [product for product in PRODUCTS.values() if issuer.endswith(product.name)]
    if report.version < 3:
        return [PRODUCTS["Milan"], PRODUCTS["Genoa"]]
    name = MODELS.get((raw[FAMILY_OFFSET], raw[MODEL_OFFSET] >> 4))
    return [PRODUCTS[name]] if name else []


def _vcek(service: Service, address: str, report: SnpReport, product: Product) -> bytes:
    chip = report.chip_id[: product.hardware_id_bytes].hex()
    versions = decode_tcb(product, report.reported_tcb)
    query = "&".join(f"{PARAMETERS[name]}={version:02d}" for name, version in versions.items())
    url = f"{address}/vcek/v1/{product.name}/{chip}?{query}"
    return service.ask(Question(url, FOR_EVER_S, lambda body: parse_certificate(body, "VCEK"))).body


def _authorities(service: Service, address: str, product: Product, kind: str) -> tuple[bytes, ...]:
    url = f"{address}/{kind.lower()}/v1/{product.name}/cert_chain"
    answer = service.ask(Question(url, FOR_EVER_S, lambda body: certificates_of_pem(body, url)))
    return certificates_of_pem(answer.body, url)
