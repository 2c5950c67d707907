"""What the simulated NVIDIA says about simulated devices: OCSP answers and reference manifests."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from attestation.collateral import Collateral
from attestation.nvidia.xml import canonical, parse_document
from attestation.simulator.certificates import (
    authority,
    issue,
    nvidia_authority_name,
    ocsp_responder,
    report_signer,
)
from attestation.simulator.development_pki import Authority, load_authority
from attestation.simulator.exchange import signature, simulated_measurement
from attestation.simulator.gpu_chips import gpu_authorities
from attestation.simulator.machine import SimulatedMachine
from attestation.simulator.seeds import derive_key
from attestation.simulator.switch import switch_provisioner

LIFETIME = datetime.timedelta(days=1)
GPU_VALUES, SWITCH_VALUES = 64, 31
DRIVER_INDEXES = range(21, 41)
VBIOS_INDEXES = range(13)

MANIFEST = """\
<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" \
xmlns:ns0="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" \
xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384" name="SIMULATED {product}">
    <ns0:Entity name="SIMULATED NVIDIA Corporation" role="softwareCreator tagCreator"/>
    <ns0:Meta colloquialVersion="{version}" edition="{edition}" product="{product}"/>
    <ns0:Payload>
{resources}
    </ns0:Payload>
{signature}</SoftwareIdentity>
"""
RESOURCE = (
    '        <ns0:Resource type="Measurement" index="{index}" active="{active}" alternatives="1" '
    'ns2:Hash0="{value}" name="Measurement_{index}" size="48"/>'
)
SIGNATURE = """\
<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod \
Algorithm="http://www.w3.org/2006/12/xml-c14n11"/><ds:SignatureMethod \
Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"/><ds:Reference URI=""><ds:Transforms>\
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform \
Algorithm="http://www.w3.org/2006/12/xml-c14n11"/></ds:Transforms><ds:DigestMethod \
Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"/><ds:DigestValue>{digest}</ds:DigestValue>\
</ds:Reference></ds:SignedInfo><ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
{certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>"""


@dataclass(frozen=True)
class ManifestAuthority:
    """Who signs simulated manifests: authorities from the root down, and the signer's certificate and key."""

    authorities: tuple[Authority, ...]
    signer: Authority


def collateral_of(
    machine: SimulatedMachine, now_ns: int, revoked: Collection[str] = (), leave_out: Collection[str] = ()
) -> Collateral:
    """Everything a policy may ask for about `machine`, fresh at `now_ns`.

    `revoked` are common names of certificates to call revoked, `leave_out` of those to say nothing about.
    """
    settings = machine.settings
    rims = []
    if machine.gpus:
        rims.append(manifest("GPU", settings.gpu_chip, settings.driver, DRIVER_INDEXES, GPU_VALUES))
        rims.append(manifest("GPU", settings.gpu_chip, settings.vbios, VBIOS_INDEXES, GPU_VALUES))
    if machine.switches:
        rims.append(manifest("SWITCH", "LS10", settings.switch_vbios, range(SWITCH_VALUES), SWITCH_VALUES))
    pairs = _revocable(machine)
    answers = [
        ocsp_answer(certificate, issuer, now_ns, revoked=_common_name(certificate) in revoked)
        for certificate, issuer in pairs
        if _common_name(certificate) not in leave_out
    ]
    cpu = machine.platform.collateral(now_ns)
    return dataclasses.replace(cpu, ocsp=tuple(answers), rims=tuple(rims))


def ocsp_answer(
    certificate: x509.Certificate, issuer: Authority, now_ns: int, revoked: bool = False
) -> bytes:
    """`issuer`'s answer about `certificate`, by a responder that it entitles."""
    responder, key = _responder(issuer)
    this_update = datetime.datetime.fromtimestamp(now_ns // 1_000_000_000, datetime.UTC)
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate,
        issuer.certificate,
        SHA384(),
        ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update,
        this_update + LIFETIME,
        this_update if revoked else None,
        x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder).certificates([responder])
    return builder.sign(key, SHA384()).public_bytes(Encoding.DER)


@cache
def _responder(issuer: Authority) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Who answers for `issuer`, always the same."""
    key = derive_key(b"authorities", f"responder of {issuer.certificate.serial_number}")
    name = nvidia_authority_name(f"SIMULATED NVIDIA OCSP Responder {issuer.certificate.serial_number}")
    return issue(name, key, issuer.name, issuer.key, 1, ocsp_responder(key)), key


def manifest(edition: str, product: str, version: str, active: Collection[int], values: int) -> bytes:
    """A signed manifest with the simulated measurements at the `active` indexes of `values`."""
    device = "gpu" if edition == "GPU" else "switch"
    resources = "\n".join(
        RESOURCE.format(
            index=index,
            active=index in active,
            value=simulated_measurement(device, index).hex(),
        )
        for index in range(values)
    )
    fields = {"edition": edition, "product": product, "version": version, "resources": resources}
    return sign_manifest(MANIFEST.format(**fields, signature="{signature}"))


def sign_manifest(template: str) -> bytes:
    """The document with a signature at ``{signature}``, by the development authority."""
    chain = manifest_authority()
    ders = [chain.signer.der, *(entry.der for entry in reversed(chain.authorities))]
    certificates = "".join(
        "<ds:X509Certificate>" + _lines(base64.b64encode(der).decode("ascii")) + "</ds:X509Certificate>"
        for der in ders
    )
    bare = canonical(parse_document(template.replace("{signature}", "").encode("ascii"), "manifest"))
    digest = base64.b64encode(hashlib.sha384(bare).digest()).decode("ascii")
    unsigned = SIGNATURE.format(digest=digest, value="", certificates=certificates)
    document = parse_document(template.replace("{signature}", unsigned).encode("ascii"), "manifest")
    signed_info = document.elements("manifest")[-1].elements("manifest")[0]
    key = chain.signer.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    value = base64.b64encode(signature(canonical(signed_info), key)).decode("ascii")
    signed = SIGNATURE.format(digest=digest, value=value, certificates=certificates)
    return template.replace("{signature}", signed).encode("ascii")


@cache
def manifest_authority() -> ManifestAuthority:
    """The chain over simulated manifests, under the published root."""
    chain = [load_authority("nvidia_manifest_root")]
    names = ("SIMULATED NVIDIA Reference Value CA", "SIMULATED NVIDIA Reference Value L3")
    for serial, common_name in enumerate(names, start=2):
        key = derive_key(b"authorities", common_name)
        name = nvidia_authority_name(common_name)
        made = issue(name, key, chain[-1].name, chain[-1].key, serial, authority(None))
        chain.append(Authority(made, key))
    key = derive_key(b"authorities", "manifest signer")
    name = nvidia_authority_name("SIMULATED RIM L4 Signer")
    signer = issue(name, key, chain[-1].name, chain[-1].key, 4, (report_signer(),))
    return ManifestAuthority(tuple(chain), Authority(signer, key))


def _revocable(machine: SimulatedMachine) -> list[tuple[x509.Certificate, Authority]]:
    """Every certificate that can be revoked, with its issuer, each once."""
    provisioner, identity = gpu_authorities(machine.settings.gpu_chip)
    switch_ica, switch_identity = switch_provisioner(), load_authority("nvidia_identity")
    root = load_authority("nvidia_root")
    pairs = [(_load(gpu.chain[1]), provisioner) for gpu in machine.gpus]
    pairs += [(_load(switch.chain[1]), switch_ica) for switch in machine.switches]
    pairs += [(provisioner.certificate, identity), (identity.certificate, root)]
    if machine.switches:
        pairs += [(switch_ica.certificate, switch_identity), (switch_identity.certificate, root)]
    chain = manifest_authority()
    links: Sequence[Authority] = (*chain.authorities, chain.signer)
    pairs += [(links[i].certificate, links[i - 1]) for i in range(1, len(links))]
    return list(dict.fromkeys(pairs))


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _load(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _lines(text: str) -> str:
    return "".join(text[start : start + 64] + "\n" for start in range(0, len(text), 64))
