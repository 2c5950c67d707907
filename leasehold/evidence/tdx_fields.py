"""Every field of a TDX quote (Intel "TDX DCAP Quoting Library API", appendix A.3 and A.4), named as there."""

from attestation.intel import quote as q
from leasehold.evidence.fields import Fields, Layout, flags, hexadecimal, number, read_layout

# TDX Module Base Specification 1.5, "ATTRIBUTES".
TD_ATTRIBUTE_BITS = {
    0: "debug",
    28: "SEPT_VE_DISABLE",
    29: "migratable",
    30: "protection keys",
    31: "key locker",
    63: "performance monitoring",
}

HEADER_LAYOUT: Layout = (
    ("quote version", q.VERSION, 2, number),
    ("attestation key type", q.KEY_TYPE, 2, number),
    ("tee type", q.TEE_TYPE, 4, lambda value: hex(number(value))),
    ("reserved", 8, 4, hexadecimal),
    ("quoting enclave vendor", q.QE_VENDOR, 16, hexadecimal),
    ("user data", 28, 20, hexadecimal),
)
BODY_LAYOUT: Layout = (
    ("tee tcb svn", q.TEE_TCB_SVN, q.SVN_BYTES, hexadecimal),
    ("mrseam", q.MR_SEAM, q.HASH_BYTES, hexadecimal),
    ("mrsignerseam", q.MR_SIGNER_SEAM, q.HASH_BYTES, hexadecimal),
    ("seam attributes", q.SEAM_ATTRIBUTES, q.ATTRIBUTES_BYTES, hexadecimal),
    ("td attributes", q.TD_ATTRIBUTES, q.ATTRIBUTES_BYTES, lambda v: flags(number(v), TD_ATTRIBUTE_BITS)),
    ("xfam", q.XFAM, 8, hexadecimal),
    ("mrtd", q.MR_TD, q.HASH_BYTES, hexadecimal),
    ("mrconfigid", q.MR_CONFIG_ID, q.HASH_BYTES, hexadecimal),
    ("mrowner", q.MR_OWNER, q.HASH_BYTES, hexadecimal),
    ("mrownerconfig", q.MR_OWNER_CONFIG, q.HASH_BYTES, hexadecimal),
    *((f"rtmr{i}", q.RTMRS + i * q.HASH_BYTES, q.HASH_BYTES, hexadecimal) for i in range(q.RTMR_COUNT)),
    ("report data", q.REPORT_DATA, q.REPORT_DATA_BYTES, hexadecimal),
)
BODY_LAYOUT_1_5: Layout = (
    ("tee tcb svn 2", q.TEE_TCB_SVN_2, q.SVN_BYTES, hexadecimal),
    ("mrservicetd", q.MR_SERVICE_TD, q.HASH_BYTES, hexadecimal),
)
# SGX REPORTBODY (Intel SDM volume 3D, section 38.15).
ENCLAVE_LAYOUT: Layout = (
    ("cpu svn", 0, 16, hexadecimal),
    ("misc select", q.QE_MISC_SELECT, 4, hexadecimal),
    ("attributes", q.QE_ATTRIBUTES, 16, hexadecimal),
    ("mrenclave", 64, 32, hexadecimal),
    ("mrsigner", q.QE_MR_SIGNER, 32, hexadecimal),
    ("product", q.QE_PRODUCT, 2, number),
    ("security version", q.QE_SECURITY_VERSION, 2, number),
    ("report data", q.QE_REPORT_DATA, q.REPORT_DATA_BYTES, hexadecimal),
)


def tdx_fields(data: bytes) -> Fields:
    """All fields of a quote but its certificates; raises `MalformedEvidence`.

    ``measurement`` is what policies name: a digest of all registers (see `quote.guest_measurement`).
    """
    quote = q.parse_quote(data)
    body = quote.signed[q.HEADER_BYTES + (q.BODY_DESCRIPTOR_BYTES if quote.version == 5 else 0) :]
    fields = read_layout(data, HEADER_LAYOUT) + read_layout(body, BODY_LAYOUT)
    if len(body) > q.BODY_1_0_BYTES:
        fields += read_layout(body, BODY_LAYOUT_1_5)
    enclave = read_layout(quote.qe_report.raw, ENCLAVE_LAYOUT)
    return [
        *fields,
        ("measurement", quote.report.measurement),
        ("signature", quote.signature.hex()),
        ("attestation key", quote.attestation_key.hex()),
        *((f"quoting enclave {name}", value) for name, value in enclave),
        ("quoting enclave signature", quote.qe_signature.hex()),
        ("quoting enclave authentication", quote.qe_authentication.hex()),
    ]
