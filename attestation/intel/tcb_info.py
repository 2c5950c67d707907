"""TCB info: which firmware versions of one processor family Intel considers to be in which state.

Source: Intel PCS API v4, "TCB Info V3" for TDX; evaluation as in its appendix "TCB level selection".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from attestation.errors import EvidenceInconsistent, PlatformUnrecognized
from attestation.intel.pck import COMPONENTS, Platform
from attestation.intel.quote import ATTRIBUTES_BYTES, HASH_BYTES, TdReport
from attestation.intel.statement import (
    Statement,
    masked,
    member,
    members,
    number,
    octets,
    parse_statement,
    require,
    text,
)
from attestation.intel.tcb_status import PART_STATUSES, STATUSES, known_status

MAX_LEVELS = 64
MAX_MODULES = 32
VERSION = 3

# In TEE_TCB_SVN: security version, then major version, of the TDX module. The other 14 are the platform's.
MODULE_SECURITY_VERSION = 0
MODULE_MAJOR_VERSION = 1
PLATFORM_COMPONENTS = 2


class TcbInfo(NamedTuple):
    """A TCB info statement, with what selects it: `fmspc` and `pce_id`."""

    statement: Statement
    fmspc: bytes
    pce_id: bytes
    evaluation: int


class Level(NamedTuple):
    """One TCB level: the versions of platform, TDX and PCE that it needs at least."""

    platform: tuple[int, ...]
    tdx: tuple[int, ...]
    pce_svn: int
    status: str


def parse_tcb_info(data: bytes, claim: str) -> TcbInfo:
    """Parse a statement as served; raises `MalformedEvidence`."""
    statement = parse_statement(data, "tcbInfo", claim)
    fields = statement.fields
    require(fields, "id", "TDX", claim)
    require(fields, "version", VERSION, claim)
    require(fields, "tcbType", 0, claim)
    return TcbInfo(
        statement,
        octets(fields, "fmspc", 6, claim),
        octets(fields, "pceId", 2, claim),
        number(fields, "tcbEvaluationDataNumber", claim),
    )


def platform_status(info: TcbInfo, platform: Platform, tee_tcb_svn: bytes, claim: str) -> str:
    """Status of the highest level none of whose versions exceeds the platform's.

    The first two components of TEE_TCB_SVN are the module's, and evaluated by `module_status`, unless the
    module is of the first generation. Raises `PlatformUnrecognized` when no level fits.
    """
    levels = [
        _level(entry, claim) for entry in members(info.statement.fields, "tcbLevels", MAX_LEVELS, claim)
    ]
    levels.sort(key=_versions, reverse=True)
    first = 0 if tee_tcb_svn[MODULE_MAJOR_VERSION] == 0 else PLATFORM_COMPONENTS
    for level in levels:
        if (
            platform.pce_svn >= level.pce_svn
            and _none_below(platform.components, level.platform)
            and _none_below(tee_tcb_svn[first:], level.tdx[first:])
        ):
            return level.status
    raise PlatformUnrecognized(
        claim,
        f"no TCB level for platform {list(platform.components)}, PCE {platform.pce_svn} and TDX "
        f"{list(tee_tcb_svn)}",
    )


def module_status(info: TcbInfo, report: TdReport, claim: str) -> str | None:
    """Status of the TDX module, None for one of the first generation, which has no status of its own.

    Stops a module that Intel did not sign, or one with known holes, from posing as the TDX module.
    """
    fields = info.statement.fields
    major = report.tee_tcb_svn[MODULE_MAJOR_VERSION]
    if major == 0:
        _check_module(member(fields, "tdxModule", claim), report, claim)
        return None
    identifier = f"TDX_{major:02X}"
    for identity in members(fields, "tdxModuleIdentities", MAX_MODULES, claim):
        if text(identity, "id", claim) == identifier:
            _check_module(identity, report, claim)
            version = report.tee_tcb_svn[MODULE_SECURITY_VERSION]
            return security_version_status(identity, version, f"{claim}.{identifier}")
    raise PlatformUnrecognized(claim, f"no TDX module {identifier} in the TCB info")


def security_version_status(fields: dict[str, Any], found: int, claim: str) -> str:
    """Status of the first level that is not above security version `found`, for an enclave or module."""
    for level in members(fields, "tcbLevels", MAX_LEVELS, claim):
        status = known_status(text(level, "tcbStatus", claim), PART_STATUSES, claim)
        if number(member(level, "tcb", claim), "isvsvn", claim) <= found:
            return status
    raise PlatformUnrecognized(claim, f"no TCB level for security version {found}")


def _check_module(identity: dict[str, Any], report: TdReport, claim: str) -> None:
    signer = octets(identity, "mrsigner", HASH_BYTES, claim)
    mask = octets(identity, "attributesMask", ATTRIBUTES_BYTES, claim)
    attributes = octets(identity, "attributes", ATTRIBUTES_BYTES, claim)
    if report.module_signer != signer or masked(report.module_attributes, mask) != attributes:
        raise EvidenceInconsistent(
            "cpu.module",
            f"signer {report.module_signer.hex()} with attributes {report.module_attributes.hex()} is not "
            "the TDX module of the TCB info",
        )


def _level(entry: dict[str, Any], claim: str) -> Level:
    tcb = member(entry, "tcb", claim)
    return Level(
        _components(tcb, "sgxtcbcomponents", claim),
        _components(tcb, "tdxtcbcomponents", claim),
        number(tcb, "pcesvn", claim),
        known_status(text(entry, "tcbStatus", claim), STATUSES, claim),
    )


def _versions(level: Level) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    return level.platform, level.pce_svn, level.tdx


def _components(tcb: dict[str, Any], name: str, claim: str) -> tuple[int, ...]:
    entries = members(tcb, name, COMPONENTS, claim)
    if len(entries) != COMPONENTS:
        raise PlatformUnrecognized(claim, f"{name} has {len(entries)} entries, must have {COMPONENTS}")
    return tuple(number(entry, "svn", claim) for entry in entries)


def _none_below(found: bytes | tuple[int, ...], required: tuple[int, ...]) -> bool:
    return all(a >= b for a, b in zip(found, required, strict=True))
