"""Instructions that verification of evidence costs inside a canister.

`measure()` runs canisters that do nothing else on the local node, which counts with the Internet Computer's
weights; `python -m benchmarks.attestation_instructions` prints the figures. *First after install* means that
nothing is known: no signature, no key, not even the generator's tables.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from attestation import decode_collateral, encode_bundle, encode_collateral
from attestation.bundle import ED25519_SPKI_PREFIX
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from benchmarks.figures import WIDTH, Figure, Section, show
from benchmarks.lone_canister import Host, lone_canisters
from cdk.build import build
from cdk.candid import BLOB, BOOL, NAT64, TEXT, Codec, Vec

ROOT = Path(__file__).resolve().parent.parent
VERIFIER = "tests/attestation/canisters/verifier"
GPU_VERIFIER = "tests/attestation/canisters/gpu_verifier"
LIMIT_MILLIONS = 1_500
GPU_GOAL, BOARD_GOAL = 500_000_000, 5_000_000_000
COLD = "first after install"

NONCE = bytes(range(32))
OPERATOR = bytes(range(1, 30))
SESSION_PUBLIC_KEY = ED25519_SPKI_PREFIX + bytes(range(32))
# The generator of BLS12-381 G1.
TRANSPORT_PUBLIC_KEY = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
NOW_NS = 1_790_000_000 * 1_000_000_000


@dataclass(frozen=True)
class Run:
    """One call of the verifier: its verdict, and what it cost."""

    verdict: str
    instructions: int


class Verifier:
    """The verifier canister, installed."""

    def __init__(self, host: Host) -> None:
        self._canister = host(build(VERIFIER, ROOT).packed)
        self._argument = Codec([BLOB, BLOB, BLOB, NAT64, BOOL])
        self._argument_with = Codec([BLOB, BLOB, BLOB, BLOB, NAT64, BOOL])
        self._answer = Codec([TEXT])

    def verify(self, bundle: bytes, nonce: bytes = NONCE, remember: bool = False) -> Run:
        """Verify a bundle under the simulated policy; `remember` keeps certificate links for later calls."""
        argument = self._argument.encode([bundle, nonce, OPERATOR, NOW_NS, remember])
        return self._run("verify", argument)

    def verify_with(self, bundle: bytes, collateral: bytes, remember: bool = False) -> Run:
        """The same with collateral, under a policy that asks for reference values too."""
        argument = self._argument_with.encode([bundle, collateral, NONCE, OPERATOR, NOW_NS, remember])
        return self._run("verify_with", argument)

    def _run(self, method: str, argument: bytes) -> Run:
        reply = self._canister.update(method, argument)
        return Run(str(self._answer.decode(reply)[0]), self._canister.instructions)


def simulated_bundle(seed: str = "benchmark", gpus: int = 1) -> bytes:
    """A bundle that the verifier accepts."""
    machine = SimulatedMachine(seed, gpus)
    return encode_bundle(machine.collect(NONCE, OPERATOR, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY))


def bundle_and_collateral(seed: str = "benchmark", gpus: int = 1, switches: int = 0) -> tuple[bytes, bytes]:
    """A bundle, and everything NVIDIA says about the machine."""
    settings = Settings(gpu_mode="protected-pcie" if switches else "single-gpu")
    machine = SimulatedMachine(seed, gpus, settings, switches)
    evidence = machine.collect(NONCE, OPERATOR, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY)
    return encode_bundle(evidence), encode_collateral(collateral_of(machine, NOW_NS))


def another_gpu(collateral: bytes) -> tuple[bytes, bytes]:
    """A bundle of another machine, with its own OCSP answer and otherwise the same `collateral`."""
    bundle, own = bundle_and_collateral("other")
    shared = decode_collateral(collateral)
    answers = decode_collateral(own).ocsp[:1] + shared.ocsp[1:]
    return bundle, encode_collateral(dataclasses.replace(shared, ocsp=answers))


def measure() -> list[Figure]:
    """The figures, each group in a canister of its own."""
    with lone_canisters() as host:
        return [_one_gpu(host), *_without_collateral(host), *_with_collateral(host), *_board(host)]


def _one_gpu(host: Host) -> Figure:
    """A GPU's chain of five certificates and its report, without a CPU, policy or collateral."""
    evidence = SimulatedMachine("benchmark", 1).gpus[0].evidence(NONCE)
    canister = host(build(GPU_VERIFIER, ROOT).packed)
    argument = Codec([BLOB, Vec(BLOB), BLOB, NAT64])
    reply = canister.update(
        "verify_gpu", argument.encode([evidence.report, list(evidence.chain), NONCE, NOW_NS])
    )
    run = Run(str(Codec([TEXT]).decode(reply)[0]), canister.instructions)
    return _figure("1 GPU alone", run, f"{COLD}: five certificates and a report", GPU_GOAL)


def _without_collateral(host: Host) -> list[Figure]:
    verifier = Verifier(host)
    one, other = simulated_bundle(), simulated_bundle("other")
    return [
        _figure("SEV-SNP and 1 GPU", verifier.verify(one, remember=True), COLD),
        _figure("another machine", verifier.verify(other, remember=True), "authorities known"),
        _figure("the same machine again", verifier.verify(other, remember=True), "a new report"),
        _figure("and again", verifier.verify(other, remember=True), "its keys have tables now"),
        _figure("the same, remembering no signature", verifier.verify(other), "keys known"),
        _figure("SEV-SNP and 8 GPUs", Verifier(host).verify(simulated_bundle(gpus=8)), COLD),
        _refused(verifier, one),
    ]


def _with_collateral(host: Host) -> list[Figure]:
    verifier = Verifier(host)
    complete = bundle_and_collateral()
    name = "SEV-SNP and 1 GPU, OCSP answers, manifests"
    return [
        _figure(name, verifier.verify_with(*complete, remember=True), COLD),
        _figure(
            "another machine",
            verifier.verify_with(*another_gpu(complete[1]), remember=True),
            "the rest known",
        ),
        _figure("the same machine again", verifier.verify_with(*complete, remember=True), "a new report"),
    ]


def _board(host: Host) -> list[Figure]:
    verifier = Verifier(host)
    board = bundle_and_collateral(gpus=8, switches=4)
    name = "SEV-SNP, 8 GPUs, 4 switches, all collateral"
    return [
        _figure(name, verifier.verify_with(*board, remember=True), COLD, BOARD_GOAL),
        _figure("the same machine again", verifier.verify_with(*board, remember=True), "new reports"),
    ]


def _figure(name: str, run: Run, note: str, goal: float | None = None) -> Figure:
    if run.verdict != "accepted":
        raise AssertionError(f"{name}: {run.verdict}")
    return Figure(name, run.instructions, "instructions", goal, note=note)


def _refused(verifier: Verifier, bundle: bytes) -> Figure:
    run = verifier.verify(bundle, nonce=bytes(32))
    return Figure("evidence for another nonce, refused", run.instructions, "instructions")


def main() -> None:
    """Print the figures."""
    show(Console(width=WIDTH, highlight=False), Section("Verification of evidence by itself", measure()))


if __name__ == "__main__":
    main()
