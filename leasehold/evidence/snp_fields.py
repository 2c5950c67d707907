"""Every field of a SEV-SNP report (AMD 56860, "SEV-SNP Firmware ABI", ATTESTATION_REPORT), named as there."""

from attestation.amd.report import SIGNATURE_END, SIGNATURE_R, SIGNATURE_S, parse_report
from leasehold.evidence.fields import Fields, Layout, flags, hexadecimal, number, read_layout

GUEST_POLICY_BITS = {
    16: "SMT allowed",
    17: "reserved one",
    18: "migration agent allowed",
    19: "debug allowed",
    20: "single socket only",
    21: "CXL allowed",
    22: "AES-256-XTS required",
    23: "RAPL disabled",
    24: "ciphertext hiding required",
    25: "page swap disabled",
}
PLATFORM_BITS = {
    0: "SMT",
    1: "TSME",
    2: "ECC",
    3: "RAPL disabled",
    4: "ciphertext hiding",
    5: "alias check complete",
    7: "TIO",
}
KEY_BITS = {0: "author key", 1: "chip id masked"}
KEY_BITS_MASK = 0b11


def guest_policy(value: bytes) -> str:
    """POLICY: the lowest firmware ABI the guest accepts, and what it allows."""
    policy = number(value)
    return f"{flags(policy >> 16 << 16, GUEST_POLICY_BITS)}; ABI {policy >> 8 & 0xFF}.{policy & 0xFF}"


def _firmware(value: bytes) -> str:
    """Build, minor, major, a byte each."""
    return f"{value[2]}.{value[1]}.{value[0]}"


def _vector(value: bytes) -> str:
    return hex(number(value))


LAYOUT: Layout = (
    ("version", 0x000, 4, number),
    ("guest svn", 0x004, 4, number),
    ("guest policy", 0x008, 8, guest_policy),
    ("family id", 0x010, 16, hexadecimal),
    ("image id", 0x020, 16, hexadecimal),
    ("vmpl", 0x030, 4, number),
    ("signature algorithm", 0x034, 4, number),
    ("current tcb", 0x038, 8, hexadecimal),
    ("platform info", 0x040, 8, lambda value: flags(number(value), PLATFORM_BITS)),
    ("key flags", 0x048, 4, lambda value: flags(number(value) & KEY_BITS_MASK, KEY_BITS)),
    ("report data", 0x050, 64, hexadecimal),
    ("measurement", 0x090, 48, hexadecimal),
    ("host data", 0x0C0, 32, hexadecimal),
    ("id key digest", 0x0E0, 48, hexadecimal),
    ("author key digest", 0x110, 48, hexadecimal),
    ("report id", 0x140, 32, hexadecimal),
    ("report id of migration agent", 0x160, 32, hexadecimal),
    ("reported tcb", 0x180, 8, hexadecimal),
    ("chip id", 0x1A0, 64, hexadecimal),
    ("committed tcb", 0x1E0, 8, hexadecimal),
    ("current firmware", 0x1E8, 3, _firmware),
    ("committed firmware", 0x1EC, 3, _firmware),
    ("launch tcb", 0x1F0, 8, hexadecimal),
)
LAYOUT_SINCE_3: Layout = (
    ("cpuid family", 0x188, 1, lambda value: hex(value[0])),
    ("cpuid model", 0x189, 1, lambda value: hex(value[0])),
    ("cpuid stepping", 0x18A, 1, lambda value: hex(value[0])),
)
LAYOUT_SINCE_5: Layout = (
    ("mitigations at launch", 0x1F8, 8, _vector),
    ("mitigations now", 0x200, 8, _vector),
)
SIGNATURE_LAYOUT: Layout = (
    ("signature r", SIGNATURE_R, SIGNATURE_S - SIGNATURE_R, hexadecimal),
    ("signature s", SIGNATURE_S, SIGNATURE_END - SIGNATURE_S, hexadecimal),
)


def snp_fields(data: bytes) -> Fields:
    """All fields of a report; raises `MalformedEvidence`."""
    report = parse_report(data)
    fields = read_layout(data, LAYOUT)
    if report.version >= 3:
        fields += read_layout(data, LAYOUT_SINCE_3)
    if report.version >= 5:
        fields += read_layout(data, LAYOUT_SINCE_5)
    return [*fields, ("signing key", report.signing_key), *read_layout(data, SIGNATURE_LAYOUT)]
