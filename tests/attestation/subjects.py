"""What byte-wise tests and mutations work on: evidence and collateral in parts, and what it means."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from attestation import SIMULATED, GpuEvidence, SwitchEvidence, VerifiedLinks, verify_bundle
from attestation.bundle import encode_bundle
from attestation.certificate_chain import parse_chain
from attestation.collateral import decode_collateral, encode_collateral
from attestation.guest import GuestClaims, decode_guest_claims, encode_guest_claims
from attestation.intel.pccs import collateral_from_json
from attestation.nvidia import ocsp, rim, spdm
from attestation.policy import PRODUCTION
from attestation.policy_json import policy_from_json, policy_to_json
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from tests.attestation.meanings import (
    AUTHORITIES,
    GPU,
    MANIFEST,
    MEANINGS,
    OCSP,
    SEV_SNP,
    SWITCH,
    TDX,
)

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples, Scene

SECOND = 1_000_000_000
NOW_NS = 1_763_000_000 * SECOND
QUOTE_NS = 1_750_329_147 * SECOND
DEVICE_ANSWERS_NS, MANIFEST_ANSWERS_NS = 1_755_762_428 * SECOND, 1_761_309_142 * SECOND
IN_2024, IN_2025, IN_2026 = (seconds * SECOND for seconds in (1_704_067_200, 1_748_736_000, 1_785_542_400))
COMPLETE = "nvidia/spt_gh100_complete"
MANIFESTS = {
    f"{COMPLETE}/NV_GPU_DRIVER_GH100_550.90.07.xml": IN_2025,
    f"{COMPLETE}/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml": IN_2025,
    "nvidia/rim/NV_GPU_DRIVER_GH100_550.144.03.xml": IN_2025,
    "nvidia/rim/1010_0200_882_96005E0001_PROD.swidtag": IN_2024,
    "nvidia/rim/switchVBIOSRim_NV_SWITCH_BIOS_5612_0002_890_9610550001.xml": IN_2026,
}
SNP = {
    "Milan, version 2": ("milan_v2_report.bin", "milan_v2_vcek.der", "ask_ark_milan.pem"),
    "Milan, version 2, debug": ("milan_v2_debug_report.bin", "milan_v2_debug_vcek.der", "ask_ark_milan.pem"),
    "Genoa, version 3": ("genoa_v3_azure_report.bin", "genoa_v3_azure_vcek.pem", "ask_ark_genoa.pem"),
}
AUTHORITY_FILES = (
    "ask_ark_genoa.pem",
    "ask_ark_genoa_vlek.pem",
    "ask_ark_milan.pem",
    "ask_ark_milan_vlek.pem",
    "ask_ark_turin_vcek.pem",
    "ask_ark_turin_vlek.pem",
)

SIMULATED_MACHINE, JSON = "simulated machine", "JSON"
COUNTS = {GPU: 20, SWITCH: 5, SEV_SNP: 3, AUTHORITIES: 6, TDX: 1, MANIFEST: 5, OCSP: 7}
"""How many genuine ones there are of each kind."""


class Subject(NamedTuple):
    """Files of one `kind` that belong together; `meaning` of changed ones raises `AttestationError`.

    They mean something at `now_ns`, and with what is `known` beforehand: a nonce, or what an answer is about.
    """

    kind: str
    name: str
    parts: tuple[bytes, ...]
    now_ns: int
    known: tuple[bytes, ...] = ()

    def meaning(self, parts: Sequence[bytes], links: VerifiedLinks) -> object:
        """Of these instead of the own parts."""
        return MEANINGS[self.kind]((*parts, *self.known), self.now_ns, links)


class Made(NamedTuple):
    """The same of what is not genuine."""

    kind: str
    name: str
    parts: tuple[bytes, ...]
    meaning: Callable[[Sequence[bytes], VerifiedLinks], object]


def remembering() -> VerifiedLinks:
    """Links that remember reports too, so that only what a change touches is computed again."""
    return VerifiedLinks(budget=1 << 40)


def genuine(samples: Samples) -> list[Subject]:
    """Every genuine file that is evidence or collateral."""
    subjects = [_device(GPU, name, gpu) for name, gpu in samples.gpus().items()]
    switches = (samples.switch(), *samples.board()[1])
    subjects += [_device(SWITCH, f"switch {index}", switch) for index, switch in enumerate(switches)]
    for name, files in SNP.items():
        report, chain = samples.amd(*(f"amd/{file}" for file in files))
        subjects.append(Subject(SEV_SNP, name, (report, *chain), NOW_NS))
    subjects += [
        Subject(AUTHORITIES, name, samples.certificates(f"amd/{name}"), NOW_NS) for name in AUTHORITY_FILES
    ]
    subjects.append(quote(samples, "tdx_quote", QUOTE_NS))
    subjects += [
        Subject(MANIFEST, name.rsplit("/", 1)[-1], (samples.read(name),), now_ns)
        for name, now_ns in MANIFESTS.items()
    ]
    return subjects + _answers(samples)


def simulated(scene: Scene) -> list[Made]:
    """Simulated machines with all their collateral, and what is no certificate."""
    checking = dataclasses.replace(SIMULATED, require_reference_values=True, minimum_gpus=0)

    def whole(parts: Sequence[bytes], links: VerifiedLinks) -> object:
        given = decode_collateral(parts[1])
        found = verify_bundle(parts[0], scene.binding, checking, scene.now_ns, links, given)
        return found.claims, found.session_public_key, found.transport_public_key

    subjects = []
    for cpu, gpus in (("sev-snp", 1), ("tdx", 0)):
        machine = SimulatedMachine("subjects", gpus, Settings(), cpu=cpu)
        keys = (scene.session_public_key, scene.transport_public_key)
        bundle = encode_bundle(machine.collect(scene.nonce, scene.operator, *keys))
        own, shared = machine.platform.collateral(scene.now_ns), collateral_of(machine, scene.now_ns)
        given = dataclasses.replace(own, ocsp=shared.ocsp, rims=shared.rims)
        subjects.append(Made(SIMULATED_MACHINE, cpu, (bundle, encode_collateral(given)), whole))
    claims = encode_guest_claims(GuestClaims("on", "off", "550.90.07", "0.1.0"))
    subjects.append(Made(JSON, "guest claims", (claims,), lambda parts, _: decode_guest_claims(parts[0])))
    text = policy_to_json(PRODUCTION).encode()
    subjects.append(Made(JSON, "policy", (text,), lambda parts, _: _policy(parts[0])))
    return subjects


def _policy(data: bytes) -> object:
    return policy_from_json(data.decode("utf-8", "replace"))


def _device(kind: str, name: str, device: GpuEvidence | SwitchEvidence) -> Subject:
    nonce = device.report[spdm.NONCE : spdm.NONCE + spdm.NONCE_BYTES]
    return Subject(kind, name, (device.report, *device.chain), NOW_NS, (nonce,))


def quote(samples: Samples, name: str, now_ns: int) -> Subject:
    """A quote and what Intel says about its platform."""
    given = collateral_from_json(samples.read(f"intel/{name}_collateral.json").decode())
    pieces = (*given.tcb_infos, *given.qe_identities, *given.certificates, *given.crls)
    return Subject(TDX, name, (samples.read(f"intel/{name}"), *pieces), now_ns)


def _answers(samples: Samples) -> list[Subject]:
    """Each OCSP answer, with the certificate it is about."""
    device = parse_chain(samples.certificates(f"{COMPLETE}/chain.pem"), 5, "chain")
    chains = [(device, DEVICE_ANSWERS_NS)]
    for name in list(MANIFESTS)[:2]:
        chains.append((rim.parse_manifest(samples.read(name), "rim").chain, MANIFEST_ANSWERS_NS))
    subjects = []
    for name, data in samples.ocsp().items():
        about = ocsp.parse_answer(data, name).certificate
        certificate, issuer, now_ns = next(
            (chain[depth], chain[depth + 1], now_ns)
            for chain, now_ns in chains
            for depth in range(len(chain) - 1)
            if ocsp.certificate_id(chain[depth], chain[depth + 1], name) == about
        )
        subjects.append(Subject(OCSP, name, (data,), now_ns, (certificate.der, issuer.der)))
    return subjects
