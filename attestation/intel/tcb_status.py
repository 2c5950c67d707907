"""TCB statuses, and how those of platform, TDX module and quoting enclave make one.

Source: Intel PCS API v4, "TCB status"; combination as in Intel's quote verification library: anything
outdated makes the whole outdated, and what the platform lacks in configuration remains visible.
"""

from __future__ import annotations

from attestation.errors import MalformedEvidence

UP_TO_DATE = "UpToDate"
SW_HARDENING_NEEDED = "SWHardeningNeeded"
CONFIGURATION_NEEDED = "ConfigurationNeeded"
CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
OUT_OF_DATE = "OutOfDate"
OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
REVOKED = "Revoked"

# From good to bad.
STATUSES = (
    UP_TO_DATE,
    SW_HARDENING_NEEDED,
    CONFIGURATION_NEEDED,
    CONFIGURATION_AND_SW_HARDENING_NEEDED,
    OUT_OF_DATE,
    OUT_OF_DATE_CONFIGURATION_NEEDED,
    REVOKED,
)


# What an enclave or a module can be: neither has a configuration.
PART_STATUSES = (UP_TO_DATE, OUT_OF_DATE, REVOKED)


def known_status(name: str, known: tuple[str, ...], claim: str) -> str:
    """`name` if it is one of `known`; raises `MalformedEvidence`."""
    if name not in known:
        raise MalformedEvidence(claim, f"TCB status {name!r} is not one of {known}")
    return name


def combine(platform: str, part: str) -> str:
    """Status of a platform together with one more `part`, an enclave or a module."""
    if REVOKED in (platform, part):
        return REVOKED
    if part == OUT_OF_DATE and platform in (CONFIGURATION_NEEDED, CONFIGURATION_AND_SW_HARDENING_NEEDED):
        return OUT_OF_DATE_CONFIGURATION_NEEDED
    return max(platform, part, key=STATUSES.index)
