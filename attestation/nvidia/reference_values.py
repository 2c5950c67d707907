"""Comparison of a device's measurements with the manifests published for its driver and its VBIOS."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from attestation.certificate_chain import VerifiedLinks
from attestation.errors import ManifestInvalid, MeasurementMismatch
from attestation.nvidia.rim import Manifest, parse_manifest, verify_manifest

DRIVER = "driver"
VBIOS = "vbios"


# Manifests that were parsed before, by SHA-256 of the document: few exist, and parsing one costs as much as
# verifying its signature. Nothing in a parsed manifest depends on who gave it, or when.
MAX_REMEMBERED_MANIFESTS = 32
_parsed: dict[str, Manifest] = {}


class Manifests:
    """Manifests by what they are for; parsed once, verified when asked for."""

    def __init__(self, rims: Sequence[bytes]) -> None:
        self._by_subject: dict[tuple[str, str, str], list[tuple[str, Manifest]]] = {}
        for index, data in enumerate(rims):
            name = f"collateral.rims[{index}]"
            manifest = read_manifest(data, name)
            subject = (manifest.edition, manifest.product, manifest.version)
            self._by_subject.setdefault(subject, []).append((name, manifest))

    def find(self, edition: str, chip: str, version: str) -> list[tuple[str, Manifest]]:
        """Manifests, with their names in errors, for a `version` that the device's signed report states.

        Stops an attacker from choosing the manifest: nothing outside the signed report has a say in it.
        """
        return self._by_subject.get((edition, chip.replace("_", ""), version.upper()), [])


def read_manifest(data: bytes, name: str) -> Manifest:
    """`parse_manifest`, remembered: nothing in it is verified."""
    digest = hashlib.sha256(data).hexdigest()
    manifest = _parsed.get(digest)
    if manifest is None:
        manifest = parse_manifest(data, name)
        if len(_parsed) >= MAX_REMEMBERED_MANIFESTS:
            _parsed.clear()
        _parsed[digest] = manifest
    return manifest


def matching_manifest(
    candidates: Sequence[tuple[str, Manifest]],
    measurements: Sequence[bytes],
    now_ns: int,
    links: VerifiedLinks,
    claim: str,
) -> Manifest | None:
    """The first of `candidates` that the measurements agree with, None when there are no candidates.

    NVIDIA has signed two manifests for one VBIOS that differ in one value. Each candidate must be soundly
    signed; when all disagree, the last disagreement is raised.
    """
    mismatch: MeasurementMismatch | None = None
    for name, manifest in candidates:
        verify_manifest(manifest, now_ns, links, name)
        try:
            check_measurements(measurements, manifest, claim)
        except MeasurementMismatch as error:
            mismatch = error
            continue
        return manifest
    if mismatch is not None:
        raise mismatch
    return None


def check_measurements(measurements: Sequence[bytes], manifest: Manifest, claim: str) -> None:
    """Each active value of the manifest is the device's; one that the device does not report is a failure.

    Stops modified or outdated firmware, and hiding it by leaving measurements out.
    """
    wrong = [
        index
        for index, accepted in sorted(manifest.goldens.items())
        if index >= len(measurements) or measurements[index] not in accepted
    ]
    if wrong or not manifest.goldens:
        which = ", ".join(str(index) for index in wrong) or "(the manifest has no values)"
        raise MeasurementMismatch(
            claim,
            f"measurements {which} are none of those published for {manifest.product} {manifest.version}",
        )


def check_no_conflict(manifests: Sequence[Manifest], claim: str) -> int:
    """No index is claimed by two manifests; answers how many are claimed in all.

    Stops a value from being checked against whichever of two manifests is easier to meet.
    """
    indexes = [index for manifest in manifests for index in manifest.goldens]
    if len(set(indexes)) != len(indexes):
        raise ManifestInvalid(claim, "driver and VBIOS manifests both have a value for one measurement")
    return len(indexes)
