"""A simulated AMD platform: VCEK or VLEK, and SEV-SNP reports in the genuine layout."""

from __future__ import annotations

import datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.amd import report as layout
from attestation.amd.tcb import (
    OID_CLOUD_PROVIDER,
    OID_HARDWARE_ID,
    OID_PREFIX,
    OID_PRODUCT_NAME,
    PRODUCTS,
    SPL_EXTENSIONS,
    Product,
)
from attestation.amd.verify import VCEK_COMMON_NAME, VLEK_COMMON_NAME
from attestation.collateral import Collateral
from attestation.simulator.certificates import Extension, amd_name, authority, issue, raw_extension, revoke
from attestation.simulator.development_pki import Authority, load_authority, load_certificate
from attestation.simulator.seeds import derive, derive_key
from attestation.simulator.settings import Settings

# Model and stepping of each product's processors (CPUID).
MODELS = {"Milan": (0x01, 1), "Genoa": (0x11, 1), "Turin": (0x02, 1)}
ASK_NAMES = {False: "SEV-", True: "SEV-VLEK-"}
LIST_LIFE = datetime.timedelta(days=365)
CLOUD_PROVIDER = b"SIMULATED provider"
POLICY_SMT = 1 << 16
POLICY_RESERVED_ONE = 1 << 17
VCEK_NOT_AFTER = datetime.datetime(2045, 1, 1)

# Offsets of fields that a verifier does not read but a genuine report fills.
GUEST_SVN = 0x004
CURRENT_TCB = 0x038
PLATFORM_INFO = 0x040
REPORT_ID = 0x140
REPORT_ID_MA = 0x160
COMMITTED_TCB = 0x1E0
LAUNCH_TCB = 0x1F0


class SimulatedPlatform:
    """One AMD processor: a chip id, a VCEK or VLEK for its firmware, and the reports it signs."""

    kind = "sev-snp"

    def __init__(self, seed: bytes, settings: Settings) -> None:
        self._seed = seed
        self._settings = settings
        self._snp = settings.snp
        self._product = PRODUCTS[self._snp.product]
        id_bytes = self._product.hardware_id_bytes
        self.chip_id = derive(seed, "chip id", id_bytes) + bytes(layout.CHIP_ID_BYTES - id_bytes)
        self._key = derive_key(seed, "vcek")
        self._ask, self._ark = _authorities(self._snp.product, self._snp.vlek)
        name = amd_name(VLEK_COMMON_NAME if self._snp.vlek else VCEK_COMMON_NAME)
        leaf = issue(name, self._key, self._ask.name, self._ask.key, 1, self._extensions(), VCEK_NOT_AFTER)
        self.chain = (leaf.public_bytes(Encoding.DER), self._ask.der, self._ark.der)

    def report(self, report_data: bytes) -> bytes:
        """A signed report over 64 bytes of `report_data`."""
        body = self._body(report_data)
        r, s = decode_dss_signature(self._key.sign(body, ec.ECDSA(SHA384())))
        size = layout.SIGNATURE_NUMBER_BYTES
        signed = body + r.to_bytes(size, "little") + s.to_bytes(size, "little")
        return signed + bytes(layout.REPORT_BYTES - len(signed))

    def collateral(self, now_ns: int) -> Collateral:
        """The simulated AMD's revocation list at `now_ns`."""
        now = datetime.datetime.fromtimestamp(now_ns // 1_000_000_000, datetime.timezone.utc)  # noqa: UP017
        serials = [self._ask.certificate.serial_number] if "ask" in self._snp.revoked else []
        made = revoke(self._ark.name, self._ark.key, serials, now, now + LIST_LIFE)
        return Collateral(crls=(made.public_bytes(Encoding.DER),))

    def _body(self, report_data: bytes) -> bytes:
        settings = self._settings
        policy = POLICY_SMT | POLICY_RESERVED_ONE
        policy |= layout.POLICY_DEBUG if settings.debug else 0
        policy |= layout.POLICY_MIGRATION_AGENT if settings.migratable else 0
        tcb = _tcb_version(
            self._product, settings.tcb if settings.reported_tcb is None else settings.reported_tcb
        )
        chip_id = self.chip_id if settings.reported_chip_id is None else settings.reported_chip_id
        body = bytearray(layout.SIGNED_END)
        for offset, value in (
            (layout.VERSION, self._snp.report_version.to_bytes(4, "little")),
            (layout.KEY_FLAGS, (int(self._snp.vlek) << layout.SIGNING_KEY_SHIFT).to_bytes(4, "little")),
            (GUEST_SVN, (1).to_bytes(4, "little")),
            (layout.POLICY, policy.to_bytes(8, "little")),
            (layout.VMPL, settings.vmpl.to_bytes(4, "little")),
            (layout.SIGNATURE_ALGORITHM, layout.ECDSA_P384_SHA384.to_bytes(4, "little")),
            (CURRENT_TCB, tcb),
            (PLATFORM_INFO, POLICY_SMT.to_bytes(8, "little")),
            (layout.REPORT_DATA, report_data),
            (layout.MEASUREMENT, bytes.fromhex(settings.measurement)),
            (REPORT_ID, derive(self._seed, "report id", 32)),
            (REPORT_ID_MA, b"\xff" * 32),
            (layout.REPORTED_TCB, tcb),
            (layout.CPUID_FAMILY, bytes((self._product.family, *MODELS[self._snp.product]))),
            (layout.CHIP_ID, chip_id),
            (COMMITTED_TCB, tcb),
            (LAUNCH_TCB, tcb),
            (layout.LAUNCH_MITIGATIONS, self._snp.mitigations[0].to_bytes(8, "little")),
            (layout.CURRENT_MITIGATIONS, self._snp.mitigations[1].to_bytes(8, "little")),
        ):
            body[offset : offset + len(value)] = value
        return bytes(body)

    def _extensions(self) -> list[Extension]:
        values = {OID_PREFIX + ".1": _integer(0), OID_PRODUCT_NAME: b"\x16\x05" + self._snp.product.encode()}
        for component, oid in SPL_EXTENSIONS.items():
            if component in self._settings.tcb:
                values[oid] = _integer(self._settings.tcb[component])
        if self._snp.vlek:
            values[OID_CLOUD_PROVIDER] = bytes((0x16, len(CLOUD_PROVIDER))) + CLOUD_PROVIDER
        else:
            values[OID_HARDWARE_ID] = self.chip_id[: self._product.hardware_id_bytes]
        return [raw_extension(oid, value) for oid, value in values.items()]


@cache
def _authorities(product: str, vlek: bool) -> tuple[Authority, Authority]:
    """ASK or ASVK, and ARK, of a product. All share two keys; those of Genoa's VCEKs are published."""
    ask, ark = load_authority("amd_ask"), load_authority("amd_ark")
    if product != "Genoa":
        ark = Authority(load_certificate(f"amd_ark_{product.lower()}"), ark.key)
    if product != "Genoa" or vlek:
        name = amd_name(ASK_NAMES[vlek] + product)
        extensions = authority(0, signs_revocation=False)
        ask = Authority(issue(name, ask.key, ark.name, ark.key, 2, extensions), ask.key)
    return ask, ark


def _tcb_version(product: Product, components: dict[str, int]) -> bytes:
    tcb = bytearray(layout.TCB_BYTES)
    for name, offset in product.component_offsets:
        tcb[offset] = components[name]
    return bytes(tcb)


def _integer(number: int) -> bytes:
    """DER INTEGER of a number below 256."""
    content = bytes((number,)) if number < 0x80 else bytes((0, number))
    return bytes((0x02, len(content))) + content
