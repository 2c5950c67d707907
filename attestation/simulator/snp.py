"""A simulated AMD platform: VCEK and SEV-SNP reports (version 3, Genoa) in the genuine layout."""

from __future__ import annotations

import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.amd import report as layout
from attestation.amd.tcb import OID_HARDWARE_ID, OID_PREFIX, OID_PRODUCT_NAME, PRODUCTS, SPL_EXTENSIONS
from attestation.amd.verify import VCEK_COMMON_NAME
from attestation.simulator.certificates import Extension, amd_name, issue, raw_extension
from attestation.simulator.development_pki import load_authority
from attestation.simulator.seeds import derive, derive_key
from attestation.simulator.settings import Settings

PRODUCT = PRODUCTS["Genoa"]
GENOA_MODEL = 0x11
GENOA_STEPPING = 1
REPORT_VERSION = 3
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
    """One AMD processor: a chip id, a VCEK for its firmware, and the reports it signs."""

    def __init__(self, seed: bytes, settings: Settings) -> None:
        self.chip_id = derive(seed, "chip id", layout.CHIP_ID_BYTES)
        self._seed = seed
        self._settings = settings
        self._key = derive_key(seed, "vcek")
        ask = load_authority("amd_ask")
        vcek = issue(
            amd_name(VCEK_COMMON_NAME), self._key, ask.name, ask.key, 1, self._extensions(), VCEK_NOT_AFTER
        )
        self.chain = (vcek.public_bytes(Encoding.DER), ask.der, load_authority("amd_ark").der)

    def report(self, report_data: bytes) -> bytes:
        """A signed report over 64 bytes of `report_data`."""
        body = self._body(report_data)
        r, s = decode_dss_signature(self._key.sign(body, ec.ECDSA(SHA384())))
        size = layout.SIGNATURE_NUMBER_BYTES
        signed = body + r.to_bytes(size, "little") + s.to_bytes(size, "little")
        return signed + bytes(layout.REPORT_BYTES - len(signed))

    def _body(self, report_data: bytes) -> bytes:
        settings = self._settings
        policy = POLICY_SMT | POLICY_RESERVED_ONE
        policy |= layout.POLICY_DEBUG if settings.debug else 0
        policy |= layout.POLICY_MIGRATION_AGENT if settings.migratable else 0
        tcb = _tcb_version(settings.tcb if settings.reported_tcb is None else settings.reported_tcb)
        chip_id = self.chip_id if settings.reported_chip_id is None else settings.reported_chip_id
        body = bytearray(layout.SIGNED_END)
        for offset, value in (
            (layout.VERSION, REPORT_VERSION.to_bytes(4, "little")),
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
            (layout.CPUID_FAMILY, bytes((PRODUCT.family, GENOA_MODEL, GENOA_STEPPING))),
            (layout.CHIP_ID, chip_id),
            (COMMITTED_TCB, tcb),
            (LAUNCH_TCB, tcb),
        ):
            body[offset : offset + len(value)] = value
        return bytes(body)

    def _extensions(self) -> list[Extension]:
        values = {OID_PREFIX + ".1": _integer(0), OID_PRODUCT_NAME: b"\x16\x05Genoa"}
        for component, oid in SPL_EXTENSIONS.items():
            if component in self._settings.tcb:
                values[oid] = _integer(self._settings.tcb[component])
        values[OID_HARDWARE_ID] = self.chip_id
        return [raw_extension(oid, value) for oid, value in values.items()]


def _tcb_version(components: dict[str, int]) -> bytes:
    tcb = bytearray(layout.TCB_BYTES)
    for name, offset in PRODUCT.component_offsets:
        tcb[offset] = components[name]
    return bytes(tcb)


def _integer(number: int) -> bytes:
    """DER INTEGER of a number below 256."""
    content = bytes((number,)) if number < 0x80 else bytes((0, number))
    return bytes((0x02, len(content))) + content
