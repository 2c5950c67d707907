"""Policies: which sound evidence is acceptable. Composable by `AllOf` and `AnyOf`, and readable as JSON.

A policy never widens by omission: an empty list accepts nothing, and what it asks for but cannot be checked
becomes a row that says `unverifiable`, which refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from attestation.errors import PolicyMalformed

MAX_ENTRIES = 256
MAX_MEMBERS = 8
MAX_DEPTH = 4
MAX_GPUS = 8
MAX_NAME_CHARACTERS = 64

# SHA-256 of the vendors' root certificates (whole DER).
AMD_ROOTS = (
    "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",  # ARK-Milan
    "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",  # ARK-Genoa
    "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",  # ARK-Turin
)
INTEL_ROOTS = ("44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3",)  # Intel SGX Root CA
NVIDIA_ROOTS = ("102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48",)
NVIDIA_MANIFEST_ROOTS = ("12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1",)

# SHA-256 of the development roots, whose private keys are published with the simulator.
DEVELOPMENT_AMD_ROOTS = (
    "bd2f9e453affe08de5207f4b407d8fa910837a8d3d0f131de71e6bf35c71fa9d",  # ARK-Genoa
    "71ed3d756c81ea305036909831c5989b3c99cfdf4f9d9aeeebcf311a7544a009",  # ARK-Milan
    "45a9e39698159d7dda03479be77086cffe4d9ec347b215fd827d6b0d6cb444db",  # ARK-Turin
)
DEVELOPMENT_INTEL_ROOTS = ("3c25126e95e23b9fdac53c0782bbaa58c75e9571ad1817140ed28943282cdeda",)
DEVELOPMENT_NVIDIA_ROOTS = ("922cc1168f7b2069f5c469b6c628cb11d84bca451ff00e330ceae9295fc2b459",)
DEVELOPMENT_NVIDIA_MANIFEST_ROOTS = ("f4a371c8eee7ed035c680dade6c4ee77e5e94c2d252fd3719b6bea3de8f2f698",)
DEVELOPMENT_ROOTS = frozenset(
    DEVELOPMENT_AMD_ROOTS
    + DEVELOPMENT_INTEL_ROOTS
    + DEVELOPMENT_NVIDIA_ROOTS
    + DEVELOPMENT_NVIDIA_MANIFEST_ROOTS
)

# What every simulated guest reports as its launch measurement: SHA-384 of
# "leasehold simulated worker, not a real guest".
SIMULATED_MEASUREMENT = (
    "6a5b4a3f8fa59340515eafe37cd421e60b09a92e22832ba21962cb19b0eae4408158867b7878415f6953b456f58030bb"
)
# The same of every simulated TDX guest, whose registers hold further made-up values (see `intel.quote`).
SIMULATED_TDX_MEASUREMENT = (
    "7d53b1294eb1093a882c3746f2e89da032a030e934d43d487bce472f113086f6e65b26279df708a99a7c49f5f30c33e1"
)


@dataclass(frozen=True)
class Policy:
    """Conditions that evidence must all meet.

    Fingerprints and measurements are lower-case hex; denied devices are chip ids or GPU device ids in hex, of
    either case. `minimum_tcb` maps product to component to version; a product that is not in it is
    refused. `minimum_vbios` maps chip to VBIOS version. `simulated` policies name development roots, and only
    those; other policies may name none. `manifest_roots` are the roots of reference manifests,
    `denied_manifests` the SHA-256 of the content of those not accepted though soundly signed;
    `maximum_revocation_age_s` is in seconds, and of answers about devices; revocation lists of CPUs say
    themselves how long they hold. `tdx_tcb_statuses` are Intel's words for accepted states of a platform,
    `snp_signing_keys` ``VCEK`` and ``VLEK``; `required_mitigations` maps product to the bits that must be set
    in a SEV-SNP report, which then has to be of version 5.
    """

    name: str
    simulated: bool
    tee_kinds: tuple[str, ...]
    cpu_roots: tuple[str, ...]
    gpu_roots: tuple[str, ...]
    measurements: tuple[str, ...]
    minimum_tcb: Mapping[str, Mapping[str, int]]
    gpu_chips: tuple[str, ...]
    gpu_modes: tuple[str, ...]
    minimum_driver: str
    minimum_vbios: Mapping[str, str]
    minimum_worker: str
    minimum_gpus: int
    maximum_gpus: int
    denied_devices: tuple[str, ...] = ()
    require_reference_values: bool = True
    require_revocation: bool = True
    require_firmware_id: bool = True
    manifest_roots: tuple[str, ...] = ()
    denied_manifests: tuple[str, ...] = ()
    maximum_revocation_age_s: int = 86_400
    tdx_tcb_statuses: tuple[str, ...] = ()
    snp_signing_keys: tuple[str, ...] = ("VCEK",)
    required_mitigations: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a policy that contradicts itself."""
        check_name(self.name)
        for root in self.cpu_roots + self.gpu_roots + self.manifest_roots:
            if (root in DEVELOPMENT_ROOTS) != self.simulated:
                kind = "a development" if root in DEVELOPMENT_ROOTS else "not a development"
                raise PolicyMalformed(
                    f"{self.name!r}: simulated is {self.simulated}, but {root} is {kind} root"
                )
        if not 0 <= self.minimum_gpus <= self.maximum_gpus <= MAX_GPUS:
            raise PolicyMalformed(
                f"{self.name!r}: {self.minimum_gpus} to {self.maximum_gpus} GPUs, allowed are 0 to {MAX_GPUS}"
            )


@dataclass(frozen=True)
class AllOf:
    """Accepts what every member accepts."""

    name: str
    members: tuple[PolicyExpression, ...]

    def __post_init__(self) -> None:
        """Refuse a composition of nothing, or one that is too large."""
        check_name(self.name)
        check_members(self.name, self.members)

    @property
    def simulated(self) -> bool:
        """True when any member accepts the development roots."""
        return any(member.simulated for member in self.members)


@dataclass(frozen=True)
class AnyOf:
    """Accepts what at least one member accepts."""

    name: str
    members: tuple[PolicyExpression, ...]

    def __post_init__(self) -> None:
        """Refuse a composition of nothing, or one that is too large."""
        check_name(self.name)
        check_members(self.name, self.members)

    @property
    def simulated(self) -> bool:
        """True when any member accepts the development roots."""
        return any(member.simulated for member in self.members)


PolicyExpression = Union[Policy, AllOf, AnyOf]  # noqa: UP007 (evaluated at run time by Python 3.10)


def check_name(name: str) -> None:
    """A policy's name is what renters and receipts call it: short, printable ASCII."""
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not (name.isascii() and name.isprintable()):
        raise PolicyMalformed(f"name {name!r} must be 1 to {MAX_NAME_CHARACTERS} printable ASCII characters")


def check_members(name: str, members: tuple[PolicyExpression, ...]) -> None:
    """Bounds of a composition."""
    if not 1 <= len(members) <= MAX_MEMBERS:
        raise PolicyMalformed(f"{name!r}: {len(members)} members, must be 1 to {MAX_MEMBERS}")
    if depth(members) >= MAX_DEPTH:
        raise PolicyMalformed(f"{name!r}: nested deeper than {MAX_DEPTH}")


def depth(members: tuple[PolicyExpression, ...]) -> int:
    """How many compositions are nested in `members`."""
    return max((1 + depth(m.members) for m in members if not isinstance(m, Policy)), default=0)


SIMULATED = Policy(
    name="simulated",
    simulated=True,
    tee_kinds=("sev-snp", "tdx"),
    cpu_roots=DEVELOPMENT_AMD_ROOTS + DEVELOPMENT_INTEL_ROOTS,
    gpu_roots=DEVELOPMENT_NVIDIA_ROOTS,
    measurements=(SIMULATED_MEASUREMENT, SIMULATED_TDX_MEASUREMENT),
    minimum_tcb={
        "Genoa": {"bootloader": 9, "tee": 0, "snp": 23, "microcode": 72},
        "TDX": {"evaluation": 17, "pce": 11},
    },
    gpu_chips=("GH100", "GB100"),
    gpu_modes=("single-gpu", "multi-gpu", "protected-pcie"),
    minimum_driver="550.54.15",
    minimum_vbios={"GH100": "96.00.9F.00.01", "GB100": "97.00.88.00.0F", "LS_10": "96.10.55.00.01"},
    minimum_worker="0.1.0",
    minimum_gpus=1,
    maximum_gpus=8,
    require_reference_values=False,
    require_revocation=False,
    manifest_roots=DEVELOPMENT_NVIDIA_MANIFEST_ROOTS,
    tdx_tcb_statuses=("UpToDate",),
)

# No worker guest has been released and measured yet: this policy refuses everything until one is. Milan is
# left out because software alone extracts its root VCEK seed (arXiv 2605.12990), so that a report proves
# nothing; Turin until a minimum is published.
PRODUCTION = Policy(
    name="production",
    simulated=False,
    tee_kinds=("sev-snp", "tdx"),
    cpu_roots=AMD_ROOTS + INTEL_ROOTS,
    gpu_roots=NVIDIA_ROOTS,
    measurements=(),
    minimum_tcb={
        "Genoa": {"bootloader": 10, "tee": 0, "snp": 23, "microcode": 84},
        "TDX": {"evaluation": 18, "pce": 13},
    },
    tdx_tcb_statuses=("UpToDate",),
    gpu_chips=("GH100", "GB100"),
    gpu_modes=("single-gpu", "multi-gpu", "protected-pcie"),
    minimum_driver="550.90.07",
    minimum_vbios={"GH100": "96.00.9F.00.01", "GB100": "97.00.88.00.0F", "LS_10": "96.10.55.00.01"},
    minimum_worker="0.1.0",
    minimum_gpus=1,
    maximum_gpus=8,
    manifest_roots=NVIDIA_MANIFEST_ROOTS,
)

BUILTIN_POLICIES: dict[str, PolicyExpression] = {policy.name: policy for policy in (SIMULATED, PRODUCTION)}
