"""Instructions that verification of a CPU's evidence costs inside a canister, without GPUs and policy.

`measure()` answers millions of instructions by case for simulated evidence; `python -m
benchmarks.cpu_attestation_instructions` prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attestation import Collateral, encode_collateral
from attestation.simulator import Settings
from attestation.simulator.snp import SimulatedPlatform
from attestation.simulator.tdx import SimulatedTdxPlatform
from benchmarks.attestation_instructions import NOW_NS, Run
from cdk.build import build
from cdk.candid import BLOB, BOOL, NAT64, TEXT, Codec, Vec
from tests.cdk.runtime.host import Canister

ROOT = Path(__file__).resolve().parent.parent
VERIFIER = "tests/attestation/canisters/cpu_verifier"
SNP_LIMIT_MILLIONS = 130
TDX_LIMIT_MILLIONS = 500


class CpuVerifier:
    """The verifier canister, installed; its first call, which builds tables of curve points, is made."""

    def __init__(self) -> None:
        self._canister = Canister(build(VERIFIER, ROOT).module)
        self._canister.run("canister_init")
        self._argument = Codec([TEXT, BLOB, Vec(BLOB), BLOB, NAT64, BOOL])
        self._answer = Codec([TEXT])
        for platform in platforms():
            given = platform.collateral(NOW_NS)
            self.verify(platform.kind, platform.report(bytes(64)), platform.chain, given, NOW_NS)

    def verify(
        self,
        kind: str,
        report: bytes,
        chain: Sequence[bytes],
        collateral: Collateral,
        now_ns: int,
        remember: bool = False,
    ) -> Run:
        """The verdict; `remember` keeps signatures found good for later calls."""
        given = encode_collateral(collateral)
        argument = self._argument.encode([kind, report, list(chain), given, now_ns, remember])
        reply = self._canister.update("verify_cpu", argument)
        return Run(str(self._answer.decode(reply)[0]), self._canister.instructions)


def platforms() -> tuple[SimulatedPlatform | SimulatedTdxPlatform, ...]:
    """One simulated platform of each kind."""
    return SimulatedPlatform(b"benchmark", Settings()), SimulatedTdxPlatform(b"benchmark", Settings())


def measure() -> dict[str, float]:
    """Millions of instructions by case."""
    verifier = CpuVerifier()
    runs = {}
    for platform in platforms():
        report, chain = platform.report(bytes(64)), platform.chain
        given = platform.collateral(NOW_NS)
        runs[f"{platform.kind}, full"] = verifier.verify(platform.kind, report, chain, given, NOW_NS)
        if platform.kind == "sev-snp":
            without = verifier.verify(platform.kind, report, chain, Collateral(), NOW_NS)
            runs["sev-snp, full, no revocation list"] = without
        for name in ("remembering, first time", "remembering, again"):
            run = verifier.verify(platform.kind, report, chain, given, NOW_NS, remember=True)
            runs[f"{platform.kind}, {name}"] = run
    return {name: run.instructions / 1e6 for name, run in runs.items()}


def main() -> None:
    """Print the table and the limits."""
    for name, millions in measure().items():
        print(f"{millions:10.1f} M  {name}")
    print(f"{SNP_LIMIT_MILLIONS:10.1f} M  limit for sev-snp, full")
    print(f"{TDX_LIMIT_MILLIONS:10.1f} M  limit for tdx, full")


if __name__ == "__main__":
    main()
