"""Security versions of an AMD platform: the TCB_VERSION of a report and the SPL extensions of a VCEK or VLEK.

Sources: AMD 56860 ("SEV-SNP Firmware ABI", TCB_VERSION) and AMD 57230 ("VCEK Certificate and KDS Interface").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OID_PREFIX = "1.3.6.1.4.1.3704.1"
OID_PRODUCT_NAME = OID_PREFIX + ".2"
OID_HARDWARE_ID = OID_PREFIX + ".4"
OID_CLOUD_PROVIDER = OID_PREFIX + ".5"


@dataclass(frozen=True)
class Product:
    """How one processor generation lays out its TCB_VERSION, HWID and CPUID family."""

    name: str
    family: int
    hardware_id_bytes: int
    component_offsets: tuple[tuple[str, int], ...]


SINCE_MILAN = (("bootloader", 0), ("tee", 1), ("snp", 6), ("microcode", 7))
SINCE_TURIN = (("fmc", 0), ("bootloader", 1), ("tee", 2), ("snp", 3), ("microcode", 7))
PRODUCTS = {
    "Milan": Product("Milan", 0x19, 64, SINCE_MILAN),
    "Genoa": Product("Genoa", 0x19, 64, SINCE_MILAN),
    "Turin": Product("Turin", 0x1A, 8, SINCE_TURIN),
}
SPL_EXTENSIONS = {
    "bootloader": OID_PREFIX + ".3.1",
    "tee": OID_PREFIX + ".3.2",
    "snp": OID_PREFIX + ".3.3",
    "microcode": OID_PREFIX + ".3.8",
    "fmc": OID_PREFIX + ".3.9",
}


def decode_tcb(product: Product, tcb: bytes) -> dict[str, int]:
    """Security version of each component from the 8 bytes of a TCB_VERSION."""
    return {name: tcb[offset] for name, offset in product.component_offsets}


def describe_tcb(components: Mapping[str, int]) -> str:
    """Components as text, for example ``bootloader 10, tee 0, snp 23, microcode 84``."""
    return ", ".join(f"{name} {version}" for name, version in components.items())
