"""Evidence, collateral and policies as files."""

from collections.abc import Sequence
from pathlib import Path

from attestation import (
    BUILTIN_POLICIES,
    MAX_BUNDLE_BYTES,
    AttestationError,
    Collateral,
    Evidence,
    PolicyExpression,
    PolicyMalformed,
    decode_bundle,
    decode_collateral,
    policy_from_json,
)
from attestation.collateral import KINDS, MAX_COLLATERAL_BYTES
from attestation.collateral import MAGIC as COLLATERAL_MAGIC
from attestation.crl import parse_crl
from attestation.errors import MalformedEvidence
from attestation.intel.pccs import collateral_from_json
from attestation.nvidia.ocsp import parse_answer
from attestation.policy_json import MAX_JSON_BYTES
from leasehold.errors import EvidenceInvalidError, UsageError


def read_bundle(path: Path) -> bytes:
    """The bytes of an evidence bundle, not looked at.

    Raises:
        EvidenceInvalidError: larger than any bundle.
        OSError: it cannot be read.
    """
    data = _read(path, MAX_BUNDLE_BYTES)
    if data is None:
        raise EvidenceInvalidError(f"{path} is larger than {MAX_BUNDLE_BYTES} bytes: no evidence bundle")
    return data


def read_evidence(bundle: bytes) -> Evidence:
    """A bundle taken apart; raises `EvidenceInvalidError`."""
    try:
        return decode_bundle(bundle)
    except AttestationError as error:
        raise EvidenceInvalidError(f"the bundle cannot be taken apart: {error}") from error


def read_collateral(paths: Sequence[Path]) -> Collateral:
    """All collateral of several files together, each piece once.

    A file is a container of ours, an NVIDIA manifest (XML), a revocation list or OCSP answer (DER), or
    Intel's collateral in the JSON form that provisioning caches serve. Nothing is trusted here.

    Raises:
        UsageError: a file is none of these, or all are too much.
    """
    found = [_collateral(path) for path in paths]
    try:
        return Collateral(
            **{
                kind.field: tuple(
                    dict.fromkeys(piece for entry in found for piece in getattr(entry, kind.field))
                )
                for kind in KINDS
            }
        )
    except AttestationError as error:
        raise UsageError(f"the collateral files together: {error}") from error


def read_policy(name_or_path: str) -> PolicyExpression:
    """A built-in policy by its name, or one from a JSON file.

    Raises:
        UsageError: there is neither such a policy nor such a file.
        PolicyMalformed: the file is no policy.
    """
    if name_or_path in BUILTIN_POLICIES:
        return BUILTIN_POLICIES[name_or_path]
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(BUILTIN_POLICIES)
        raise UsageError(
            f"{name_or_path!r} is neither a JSON file nor a policy that comes with leasehold ({known})"
        )
    return policy_from_json(read_policy_text(path))


def read_policy_text(path: Path) -> str:
    """The text of a policy file; raises `PolicyMalformed` when it is too large or no text."""
    data = _read(path, MAX_JSON_BYTES)
    if data is None:
        raise PolicyMalformed(f"{path} is larger than {MAX_JSON_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyMalformed(f"{path} is not text: {error}") from error


def write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet.

    Raises:
        UsageError: it does.
    """
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already; name another file, or remove it first") from error


def _collateral(path: Path) -> Collateral:
    data = _read(path, MAX_COLLATERAL_BYTES)
    if data is None:
        raise UsageError(f"{path} is larger than {MAX_COLLATERAL_BYTES} bytes: no collateral")
    try:
        return _collateral_of(data)
    except (AttestationError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no collateral: {error}") from error


def _collateral_of(data: bytes) -> Collateral:
    if data.startswith(COLLATERAL_MAGIC):
        return decode_collateral(data)
    first = data.lstrip()[:1]
    if first == b"<":
        return Collateral(rims=(data,))
    if first == b"{":
        return collateral_from_json(data.decode("utf-8"))
    try:
        parse_crl(data, "revocation list")
    except MalformedEvidence as not_a_list:
        try:
            parse_answer(data, "OCSP answer")
        except AttestationError:
            raise MalformedEvidence(
                "collateral", "not a container, a manifest, a revocation list or an OCSP answer"
            ) from not_a_list
        return Collateral(ocsp=(data,))
    return Collateral(crls=(data,))


def _read(path: Path, maximum: int) -> bytes | None:
    """The file's bytes, None when there are more than `maximum`."""
    with path.open("rb") as file:
        data = file.read(maximum + 1)
    return data if len(data) <= maximum else None
