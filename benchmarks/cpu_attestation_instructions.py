"""Instructions that verification of a CPU's evidence costs inside a canister, without GPUs and policy.

`measure()` answers figures for simulated evidence; `python -m benchmarks.cpu_attestation_instructions` prints
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from attestation import Collateral, encode_collateral
from attestation.simulator import Settings
from attestation.simulator.snp import SimulatedPlatform
from attestation.simulator.tdx import SimulatedTdxPlatform
from benchmarks.attestation_instructions import NOW_NS, Run
from benchmarks.figures import WIDTH, Figure, Section, show
from benchmarks.lone_canister import Host, lone_canisters
from cdk.build import build
from cdk.candid import BLOB, BOOL, NAT64, TEXT, Codec, Vec

ROOT = Path(__file__).resolve().parent.parent
VERIFIER = "tests/attestation/canisters/cpu_verifier"
SNP_LIMIT_MILLIONS = 130
TDX_LIMIT_MILLIONS = 500


class CpuVerifier:
    """The verifier canister, installed. Unless `cold`, it has verified a platform of each kind already."""

    def __init__(self, host: Host, cold: bool = False) -> None:
        self._canister = host(build(VERIFIER, ROOT).packed)
        self._argument = Codec([TEXT, BLOB, Vec(BLOB), BLOB, NAT64, BOOL])
        self._answer = Codec([TEXT])
        for platform in () if cold else platforms(b"warming"):
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


def platforms(seed: bytes = b"benchmark") -> tuple[SimulatedPlatform | SimulatedTdxPlatform, ...]:
    """One simulated platform of each kind."""
    return SimulatedPlatform(seed, Settings()), SimulatedTdxPlatform(seed, Settings())


def measure() -> list[Figure]:
    """Each kind of CPU in a canister of its own."""
    with lone_canisters() as host:
        return _of_each_kind(host)


def _of_each_kind(host: Host) -> list[Figure]:
    figures = []
    for first, second in zip(platforms(), platforms(b"another"), strict=True):
        verifier, known = CpuVerifier(host, cold=True), second.collateral(NOW_NS)
        name = {"sev-snp": "SEV-SNP with revocation list", "tdx": "TDX with all collateral"}[first.kind]
        goal = (SNP_LIMIT_MILLIONS if first.kind == "sev-snp" else TDX_LIMIT_MILLIONS) * 1e6
        figures.append(_figure(name, verifier, first, "first after install"))
        figures.append(_figure(f"{name}, another chip", verifier, second, "authorities known", goal))
        if first.kind == "sev-snp":
            third = SimulatedPlatform(b"third", Settings())
            given, note = Collateral(), "authorities known"
            figures.append(_figure("SEV-SNP without the list", verifier, third, note, goal, given))
        _figure(name, verifier, second, "", given=known, remember=True)
        figures.append(
            _figure("the same chip again", verifier, second, "all remembered", given=known, remember=True)
        )
        if first.kind == "sev-snp":
            fourth, note = SimulatedPlatform(b"fourth", Settings()), "AMD's signatures remembered"
            figures.append(_figure("another chip", verifier, fourth, note, given=known, remember=True))
    return figures


def _figure(
    name: str,
    verifier: CpuVerifier,
    platform: SimulatedPlatform | SimulatedTdxPlatform,
    note: str,
    goal: float | None = None,
    given: Collateral | None = None,
    remember: bool = False,
) -> Figure:
    collateral = platform.collateral(NOW_NS) if given is None else given
    report = platform.report(bytes(64))
    run = verifier.verify(platform.kind, report, platform.chain, collateral, NOW_NS, remember)
    if not run.verdict.startswith(platform.kind):
        raise AssertionError(run.verdict)
    return Figure(name, run.instructions, "instructions", goal, note=note)


def main() -> None:
    """Print the figures."""
    section = Section("Verification of a CPU's evidence by itself", measure())
    show(Console(width=WIDTH, highlight=False), section)


if __name__ == "__main__":
    main()
