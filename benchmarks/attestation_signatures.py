"""Instructions of a single signature's verification inside a canister, and milliseconds off chain."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rich.console import Console

from attestation import SIMULATED, Binding, verify_bundle
from attestation.crypto.openssl import openssl
from attestation.simulator.development_pki import load_authority
from attestation.simulator.seeds import derive_key
from benchmarks.attestation_instructions import NONCE, NOW_NS, OPERATOR, Run, simulated_bundle
from benchmarks.figures import WIDTH, Figure, Section, show
from benchmarks.lone_canister import Host, lone_canisters
from cdk.build import build
from cdk.candid import BLOB, BOOL, TEXT, Codec

ROOT = Path(__file__).resolve().parent.parent
SIGNATURES = "tests/attestation/canisters/signatures"
NEW_KEY_GOAL, KNOWN_KEY_GOAL, RSA_GOAL = 80_000_000, 38_000_000, 15_000_000
OFF_CHAIN_GOAL_MS = 15
KEYS = 5
RUNS = 25


class Signatures:
    """The canister, installed; it has verified nothing yet."""

    def __init__(self, host: Host) -> None:
        self._canister = host(build(SIGNATURES, ROOT).packed)
        self._canister.update("warm_up", Codec([]).encode([]))
        self._ecdsa = Codec([TEXT, BLOB, BLOB, BLOB, BLOB, BOOL])
        self._rsa = Codec([BLOB, BLOB, BLOB])
        self._answer = Codec([TEXT])

    def ecdsa(self, curve: str, key: bytes, message: bytes, r: bytes, s: bytes, recurs: bool = False) -> Run:
        """Verdict about (r, s), big-endian, by an encoded point."""
        return self._run("verify_ecdsa", self._ecdsa.encode([curve, key, message, r, s, recurs]))

    def rsa(self, modulus: bytes, message: bytes, signature: bytes) -> Run:
        """Verdict about an RSA-PSS signature."""
        return self._run("verify_rsa", self._rsa.encode([modulus, message, signature]))

    def _run(self, method: str, argument: bytes) -> Run:
        reply = self._canister.update(method, argument)
        return Run(str(self._answer.decode(reply)[0]), self._canister.instructions)


def measure() -> list[Figure]:
    """Instructions by kind of signature and by what is known of its key."""
    with lone_canisters() as host:
        return _by_kind(Signatures(host))


def _by_kind(canister: Signatures) -> list[Figure]:
    figures = [*_curve(canister, "P-384"), *_curve(canister, "P-256")]
    key = load_authority("amd_ask").key
    assert isinstance(key, rsa.RSAPrivateKey)
    modulus = key.public_key().public_numbers().n.to_bytes(512, "big")
    signature = key.sign(b"message", padding.PSS(padding.MGF1(SHA384()), 48), SHA384())
    run = canister.rsa(modulus, b"message", signature)
    assert run.verdict == "valid"
    return [*figures, Figure("RSA-PSS of 4096 bits", run.instructions, "instructions", RSA_GOAL)]


def measure_off_chain() -> list[Figure]:
    """Milliseconds of a whole verification in this process."""
    bundle = simulated_bundle()
    figures = []
    for name, backend, goal in (
        ("pure Python", nullcontext(), None),
        ("OpenSSL", openssl(), OFF_CHAIN_GOAL_MS),
    ):
        with backend:
            seconds = [_verify(bundle) for _ in range(RUNS + 1)][1:]
        figures.append(
            Figure(
                f"SEV-SNP and 1 GPU, {name}", median(seconds) * 1000, "ms", goal, note="nothing remembered"
            )
        )
    return figures


def _verify(bundle: bytes) -> float:
    begin = time.perf_counter()
    verify_bundle(bundle, Binding(NONCE, OPERATOR), SIMULATED, NOW_NS)
    return time.perf_counter() - begin


def _curve(canister: Signatures, name: str) -> Sequence[Figure]:
    goals = (NEW_KEY_GOAL, KNOWN_KEY_GOAL) if name == "P-384" else (None, None)
    first = _signed(canister, name, "first", 0)
    new = [_signed(canister, name, f"new {number}", 0) for number in range(KEYS)]
    recurring = [_signed(canister, name, f"authority {number}", 0, recurs=True) for number in range(KEYS)]
    known = [_signed(canister, name, f"authority {number}", 1, recurs=True) for number in range(KEYS)]
    return [
        Figure(f"{name}, the first of all", first, "instructions", note="makes the generator's tables"),
        Figure(f"{name}, a key never seen", median(new), "instructions", goals[0]),
        Figure(f"{name}, an authority's first", median(recurring), "instructions", note="makes its tables"),
        Figure(f"{name}, a known key", median(known), "instructions", goals[1], note="its tables are kept"),
    ]


def _signed(canister: Signatures, name: str, label: str, number: int, recurs: bool = False) -> int:
    key = (
        derive_key(b"benchmark", label)
        if name == "P-384"
        else ec.derive_private_key(int.from_bytes(label.encode(), "big"), ec.SECP256R1())
    )
    message = b"message %d" % number
    hash_function = SHA384() if name == "P-384" else SHA256()
    pair = decode_dss_signature(key.sign(message, ec.ECDSA(hash_function)))
    r, s = (value.to_bytes(48, "big") for value in pair)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    run = canister.ecdsa(name, point, message, r, s, recurs)
    assert run.verdict == "valid"
    return run.instructions


def main() -> None:
    """Print the figures."""
    console = Console(width=WIDTH, highlight=False)
    show(console, Section("One signature, inside a canister", measure()))
    show(console, Section("Verification of evidence off chain", measure_off_chain()))


if __name__ == "__main__":
    main()
