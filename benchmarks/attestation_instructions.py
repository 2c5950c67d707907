"""Instructions that verification of evidence costs inside a canister.

`measure()` builds a canister that does nothing else, runs it under wasmtime with fuel metering (one unit is
about one instruction) and answers millions of instructions by case; `python -m
benchmarks.attestation_instructions` prints them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from attestation import decode_collateral, encode_bundle, encode_collateral
from attestation.bundle import ED25519_SPKI_PREFIX
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from cdk.build import build
from cdk.candid import BLOB, BOOL, NAT64, TEXT, Codec
from tests.cdk.runtime.host import Canister

ROOT = Path(__file__).resolve().parent.parent
VERIFIER = "tests/attestation/canisters/verifier"
LIMIT_MILLIONS = 1_500

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

    def __init__(self) -> None:
        self._canister = Canister(build(VERIFIER, ROOT).module)
        self._canister.run("canister_init")
        self.install_instructions = self._canister.instructions
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


def measure() -> dict[str, float]:
    """Millions of instructions by case."""
    verifier = Verifier()
    one, eight = simulated_bundle(), simulated_bundle(gpus=8)
    runs = {
        "first attestation, 1 GPU (builds the generator's table)": verifier.verify(one),
        "attestation, 1 GPU": verifier.verify(one),
        "attestation, 8 GPUs": verifier.verify(eight),
        "refused for another nonce": verifier.verify(one, nonce=bytes(32)),
        "remembering links, first time": verifier.verify(one, remember=True),
        "remembering links, another machine": verifier.verify(simulated_bundle("other"), remember=True),
        "remembering links, same machine again": verifier.verify(one, remember=True),
    }
    complete, board = bundle_and_collateral(), bundle_and_collateral(gpus=8, switches=4)
    runs |= {
        "1 GPU with OCSP answers and manifests": verifier.verify_with(*complete),
        "the same, remembering, first time": verifier.verify_with(*complete, remember=True),
        "the same, remembering, same answers again": verifier.verify_with(*complete, remember=True),
        "the same, remembering, another GPU": verifier.verify_with(*another_gpu(complete[1]), remember=True),
        "8 GPUs and 4 switches with all collateral": verifier.verify_with(*board),
        "the same, remembering what is not of this board": verifier.verify_with(*board, remember=True),
    }
    wrong = {name: run.verdict for name, run in runs.items() if "refused" not in name}
    if set(wrong.values()) != {"accepted"}:
        raise AssertionError(wrong)
    return {name: run.instructions / 1e6 for name, run in runs.items()}


def main() -> None:
    """Print the table and whether the limit holds."""
    for name, millions in measure().items():
        print(f"{millions:10.1f} M  {name}")
    print(f"{LIMIT_MILLIONS:10.1f} M  limit for one attestation with 1 GPU")


if __name__ == "__main__":
    main()
