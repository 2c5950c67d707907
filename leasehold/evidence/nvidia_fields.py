"""Every field of the reports of NVIDIA GPUs and NVSwitches."""

from attestation.nvidia import report as gpu
from attestation.nvidia import spdm
from attestation.nvidia import switch_report as switch
from leasehold.evidence.fields import Fields, printed

OPAQUE_DATA_VERSION = 34
# Names of opaque fields that are written as they are; all others are shown by their number.
TEXTS = {gpu.CHIP_SKU: "chip sku", gpu.PROJECT: "project", gpu.PROJECT_SKU: "project sku"}


def gpu_fields(data: bytes, claim: str) -> Fields:
    """All fields of a GPU's report; raises `MalformedEvidence`, naming `claim`."""
    exchange = spdm.parse_exchange(data, gpu.GPU_RECORDS, claim)
    report = gpu.parse_report(data, claim)
    firmware = "none reported" if report.firmware_id is None else report.firmware_id.hex()
    named: Fields = [
        ("chip", report.chip or "none reported"),
        ("mode", report.mode),
        ("driver", report.driver),
        ("vbios", report.vbios),
        ("vbios manifest", report.reference_id),
        *((name, printed(exchange.fields[kind])) for kind, name in TEXTS.items()),
        ("firmware id", firmware),
        ("linked switches", _devices(report.switches)),
        ("protected pcie", _protected_pcie(exchange.fields)),
    ]
    known = {
        gpu.DRIVER_VERSION,
        gpu.VBIOS_VERSION,
        gpu.FIRMWARE_ID,
        gpu.SWITCH_DEVICES,
        gpu.PROTECTED_PCIE,
        gpu.CHIP,
        gpu.FEATURE_FLAG,
        *TEXTS,
    }
    return _exchange_fields(data, exchange, named, known, gpu.GPU_RECORDS)


def switch_fields(data: bytes, claim: str) -> Fields:
    """All fields of a switch's report; raises `MalformedEvidence`, naming `claim`."""
    exchange = spdm.parse_exchange(data, switch.SWITCH_RECORDS, claim)
    report = switch.parse_switch_report(data, claim)
    ports = exchange.fields[switch.CONNECTIONS][switch.CONNECTED_GPUS * gpu.PDI_BYTES :]
    named: Fields = [
        ("device", report.device.hex()),
        ("vbios", report.vbios),
        ("vbios manifest", report.reference_id),
        ("linked gpus", _devices(report.gpus)),
        ("ports", ports.hex()),
    ]
    known = {switch.VBIOS_VERSION, switch.OWN_DEVICE, switch.CONNECTIONS}
    return _exchange_fields(data, exchange, named, known, switch.SWITCH_RECORDS)


def _exchange_fields(
    data: bytes, exchange: spdm.Exchange, named: Fields, known: set[int], records: int
) -> Fields:
    end = spdm.RECORDS + records * spdm.RECORD_BYTES
    return [
        ("nonce", exchange.nonce.hex()),
        ("slot", data[spdm.NONCE + spdm.NONCE_BYTES]),
        *named,
        *(
            (_opaque_name(kind), value.hex())
            for kind, value in sorted(exchange.fields.items())
            if kind not in known
        ),
        *((f"measurement {index}", value.hex()) for index, value in enumerate(exchange.measurements)),
        ("responder nonce", data[end : end + spdm.NONCE_BYTES].hex()),
        ("signature r", f"{exchange.r:096x}"),
        ("signature s", f"{exchange.s:096x}"),
    ]


def _protected_pcie(fields: dict[int, bytes]) -> str:
    if gpu.PROTECTED_PCIE not in fields:
        return "none reported"
    return "on" if gpu.PROTECTED_PCIE_STATES[fields[gpu.PROTECTED_PCIE][0]] else "off"


def _opaque_name(kind: int) -> str:
    return "opaque data version" if kind == OPAQUE_DATA_VERSION else f"opaque field {kind}"


def _devices(found: frozenset[bytes]) -> str:
    return ", ".join(sorted(device.hex() for device in found)) or "none"
