"""A simulated Hopper GPU: its certificate chain and its reports, in the genuine layout."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestation.bundle import GpuEvidence
from attestation.nvidia import report as layout
from attestation.nvidia import spdm
from attestation.nvidia.firmware_id import OID_COMPOSITE_DEVICE_ID
from attestation.simulator.certificates import (
    authority,
    issue,
    nvidia_device_name,
    raw_extension,
    report_signer,
)
from attestation.simulator.development_pki import load_authority
from attestation.simulator.exchange import signed_exchange, simulated_measurement
from attestation.simulator.seeds import derive, derive_key
from attestation.simulator.settings import Settings

BROM_COMMON_NAME = "SIMULATED GH100 A01 GSP BROM"
LEAF_COMMON_NAME = "SIMULATED GH100 A01 GSP FMC LF"
FIRMWARE_ID = hashlib.sha384(b"leasehold simulated GSP firmware").digest()
MODE_FLAGS = {mode: flag for flag, mode in layout.FEATURE_MODES.items()}
SHA384_OID_DER = bytes.fromhex("0609608648016503040202")


class SimulatedGpu:
    """One GPU: a device id, an attestation key certified for its firmware, and the reports it signs."""

    def __init__(self, seed: bytes, index: int, settings: Settings, switches: Sequence[bytes] = ()) -> None:
        self.device_id = "41" + derive(seed, f"gpu {index} pdi", 8).hex().upper()
        self._settings = settings
        self._switches = switches
        self._seed = seed
        self._index = index
        self._key = derive_key(seed, f"gpu {index} leaf")
        self.chain = self._make_chain()

    def evidence(self, nonce: bytes) -> GpuEvidence:
        """Report over the 32-byte `nonce`, with the chain."""
        return GpuEvidence(self.report(nonce), self.chain)

    def report(self, nonce: bytes) -> bytes:
        """A signed report over the 32-byte `nonce`."""
        responder_nonce = derive(
            self._seed, f"gpu {self._index} responder nonce {nonce.hex()}", spdm.NONCE_BYTES
        )
        measurements = gpu_measurements(self._settings)
        return signed_exchange(nonce, measurements, responder_nonce, self._opaque_fields(), self._key)

    def _make_chain(self) -> tuple[bytes, ...]:
        provisioner = load_authority("nvidia_provisioner")
        brom_key = derive_key(self._seed, f"gpu {self._index} brom")
        brom_name = nvidia_device_name(self.device_id, BROM_COMMON_NAME)
        serial = int(self.device_id, 16)
        brom = issue(brom_name, brom_key, provisioner.name, provisioner.key, serial, authority(None))
        leaf_serial = derive(self._seed, f"gpu {self._index} leaf serial", 19)
        leaf = issue(
            nvidia_device_name(leaf_serial.hex().upper(), LEAF_COMMON_NAME),
            self._key,
            brom_name,
            brom_key,
            int.from_bytes(leaf_serial, "big"),
            (report_signer(), raw_extension(OID_COMPOSITE_DEVICE_ID, self._composite_device_id())),
        )
        made = (leaf.public_bytes(Encoding.DER), brom.public_bytes(Encoding.DER), provisioner.der)
        return (*made, load_authority("nvidia_identity").der, load_authority("nvidia_root").der)

    def _composite_device_id(self) -> bytes:
        """SEQUENCE { 1, SubjectPublicKeyInfo, SEQUENCE { sha384, firmware id } }."""
        device_key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        fwid = SHA384_OID_DER + bytes((0x04, len(FIRMWARE_ID))) + FIRMWARE_ID
        content = b"\x02\x01\x01" + device_key + bytes((0x30, len(fwid))) + fwid
        return bytes((0x30, 0x81, len(content))) + content

    def _opaque_fields(self) -> list[tuple[int, bytes]]:
        settings = self._settings
        first, second, third, fourth, fifth = bytes.fromhex(settings.vbios.replace(".", ""))
        fields = [
            (layout.VBIOS_VERSION, bytes((fourth, third, second, first, fifth, 0, 0, 0))),
            (layout.CHIP_SKU, b"882".ljust(9, b"\0")),
            (layout.PROJECT, b"1010\0"),
            (layout.PROJECT_SKU, b"0200\0"),
            (layout.DRIVER_VERSION, settings.driver.encode("ascii") + b"\0"),
        ]
        if not settings.omit_firmware_id:
            fields.append((layout.FIRMWARE_ID, settings.reported_firmware_id or FIRMWARE_ID))
        protected = settings.gpu_mode == "protected-pcie"
        fields.append((layout.PROTECTED_PCIE, b"\xaa" if protected else b"\x55"))
        if protected:
            fields.append((layout.SWITCH_DEVICES, b"".join(device[::-1] for device in self._switches)))
        fields.append((layout.FEATURE_FLAG, MODE_FLAGS[settings.gpu_mode].to_bytes(2, "little")))
        return fields


def gpu_measurements(settings: Settings) -> list[bytes]:
    """64 measurements; the values stand for nothing."""
    values = [simulated_measurement("gpu", index) for index in range(layout.GPU_RECORDS)]
    for index in settings.changed_measurements:
        values[index] = bytes(48)
    return values
