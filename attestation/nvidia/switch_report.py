"""The attestation report of an NVSwitch (LS10): the opaque fields of its signed exchange (see `spdm`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from attestation.errors import MalformedEvidence
from attestation.nvidia.report import PDI_BYTES, device_ids
from attestation.nvidia.spdm import parse_exchange, required, text

SWITCH_RECORDS = 31

# Types of opaque fields.
VBIOS_VERSION = 6
OWN_DEVICE = 22
CONNECTIONS = 26

# Connections: eight 8-byte ids of GPUs, then which of them each of 64 ports leads to.
CONNECTED_GPUS = 8
PORTS = 64
CONNECTIONS_BYTES = CONNECTED_GPUS * PDI_BYTES + PORTS

VBIOS_PATTERN = re.compile(r"[0-9A-F]{2}(\.[0-9A-F]{2}){4}", re.ASCII)

# A switch names neither project nor SKU; there is one LS10 and this is how its manifests are called.
REFERENCE_PREFIX = "5612_0002_890_"


@dataclass(frozen=True)
class SwitchReport:
    """Fields of a report. `device` is the switch's own 8-byte id, `gpus` those of the GPUs it is linked to.

    `reference_id` is the name under which NVIDIA publishes the VBIOS's manifest.
    """

    nonce: bytes
    measurements: tuple[bytes, ...]
    vbios: str
    reference_id: str
    device: bytes
    gpus: frozenset[bytes]
    signed: bytes
    r: int
    s: int


def parse_switch_report(data: bytes, claim: str) -> SwitchReport:
    """Parse a switch's report; raises `MalformedEvidence`, naming `claim`."""
    exchange = parse_exchange(data, SWITCH_RECORDS, claim)
    vbios = text(required(exchange.fields, VBIOS_VERSION, claim), claim)
    if not VBIOS_PATTERN.fullmatch(vbios):
        raise MalformedEvidence(claim, f"VBIOS version {vbios!r}")
    device = required(exchange.fields, OWN_DEVICE, claim)
    connections = required(exchange.fields, CONNECTIONS, claim)
    if len(device) != PDI_BYTES or len(connections) != CONNECTIONS_BYTES:
        raise MalformedEvidence(
            claim, f"device id of {len(device)} bytes, connections of {len(connections)} bytes"
        )
    return SwitchReport(
        nonce=exchange.nonce,
        measurements=exchange.measurements,
        vbios=vbios,
        reference_id=REFERENCE_PREFIX + vbios.replace(".", ""),
        device=device,
        gpus=device_ids(connections[: CONNECTED_GPUS * PDI_BYTES], claim),
        signed=exchange.signed,
        r=exchange.r,
        s=exchange.s,
    )
