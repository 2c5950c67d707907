"""Checks of what callers send. Each names the field, repeats the value shortened, and says what would be
right.
"""

from __future__ import annotations

import json
import math
import re

from canisters.marketplace.core import limits
from canisters.marketplace.core.errors import InvalidArgument, NotAuthorized, Unavailable, shown
from canisters.marketplace.core.model import Artifact, Hyperparameters, Payee
from canisters.marketplace.core.state import State
from canisters.marketplace.core.types import ANONYMOUS, Message, Principal, Tokens

_VAULT_LOCATION = re.compile(r"vault:[0-9a-f]{64}\Z")
_URL_LOCATION = re.compile(r"(https|s3|ipfs)://[!-~]+\Z")


def refuse(field: str, value: object, problem: str) -> InvalidArgument:
    """The error for a bad argument, for `raise refuse(…)`."""
    return InvalidArgument(field, shown(value), problem)


def signed_in(message: Message) -> None:
    """Refuse the anonymous caller where state is created."""
    if message.caller == ANONYMOUS:
        raise NotAuthorized("a signed call: the anonymous principal owns nothing here")


def not_paused(state: State) -> None:
    """Refuse new business while the governors have paused it; exits are never paused."""
    if state.config.paused:
        raise Unavailable(
            "marketplace", "paused by its governors; cancelling, settling and withdrawing still work"
        )


def not_anonymous(field: str, principal: Principal) -> None:
    if principal == ANONYMOUS:
        raise refuse(
            field, principal, "is the anonymous principal, which nobody can act for; name a real one"
        )


def text(field: str, value: str, most: int, *, may_be_empty: bool = False) -> None:
    if not value.strip() and not may_be_empty:
        raise refuse(field, value, "is empty; give at least one character")
    if len(value) > most:
        raise refuse(field, value, f"has {len(value)} characters; at most {most} are accepted")


def hexadecimal(field: str, value: str, most: int) -> None:
    """Whole bytes as hex digits of either case, at most `most` of them."""
    text(field, value, most)
    if len(value) % 2 or not set(value) <= set("0123456789abcdefABCDEF"):
        raise refuse(field, value, "is not hexadecimal: two digits for each byte")


def number(field: str, value: float, bounds: tuple[float, float]) -> None:
    least, most = bounds
    if not math.isfinite(value) or not least <= value <= most:
        raise refuse(field, value, f"must be from {least} to {most}")


def amount(field: str, value: Tokens) -> None:
    if value.base_units > limits.MAX_AMOUNT:
        raise refuse(field, value.base_units, f"must be at most {limits.MAX_AMOUNT} base units")


def exact_bytes(field: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise refuse(field, value, f"has {len(value)} bytes; exactly {length} are needed")


def count(field: str, values: tuple[object, ...], least: int, most: int) -> None:
    if not least <= len(values) <= most:
        raise refuse(field, f"{len(values)} entries", f"must have {least} to {most} entries")


def distinct(field: str, values: tuple[str, ...]) -> None:
    for at, value in enumerate(values):
        if value in values[:at]:
            raise refuse(field, value, "is named twice; name each once")


def payees(field: str, values: tuple[Payee, ...]) -> None:
    """1 to 20 payees, real principals, shares of at least one basis point that sum to 10,000."""
    count(field, values, 1, limits.MAX_PAYEES)
    for at, payee in enumerate(values):
        not_anonymous(f"{field}[{at}].account", payee.account)
        number(f"{field}[{at}].basis_points", payee.basis_points, (1, limits.BASIS_POINTS))
    whole = sum(payee.basis_points for payee in values)
    if whole != limits.BASIS_POINTS:
        raise refuse(field, whole, f"the basis points sum to {whole}; they must sum to {limits.BASIS_POINTS}")


def artifact(field: str, value: Artifact) -> None:
    """A location that readers understand, a plausible size, a SHA-256 and a sealed identity."""
    text(f"{field}.location", value.location, limits.MAX_LOCATION_CHARACTERS)
    if not (_VAULT_LOCATION.match(value.location) or _URL_LOCATION.match(value.location)):
        raise refuse(
            f"{field}.location", value.location, "must be vault:<64 hex digits> or an https, s3 or ipfs URL"
        )
    number(f"{field}.size", value.size, (1, limits.MAX_ARTIFACT_BYTES))
    exact_bytes(f"{field}.sha256", value.sha256, limits.SHA256_BYTES)
    if not 1 <= len(value.sealed_identity) <= limits.MAX_SEALED_IDENTITY_BYTES:
        problem = (
            f"has {len(value.sealed_identity)} bytes; 1 to {limits.MAX_SEALED_IDENTITY_BYTES} are accepted"
        )
        raise refuse(f"{field}.sealed_identity", value.sealed_identity, problem)


def tasks(field: str, values: tuple[str, ...]) -> None:
    count(field, values, 1, len(limits.TASKS))
    distinct(field, values)
    for value in values:
        if value not in limits.TASKS:
            raise refuse(field, value, f"is not a task; known are {', '.join(limits.TASKS)}")


def hyperparameters(values: Hyperparameters) -> None:
    """Each number within its range; the task is compared with the listing's elsewhere."""
    tasks("hyperparameters.task", (values.task,))
    for name, bounds in (
        ("epochs", limits.EPOCHS),
        ("learning_rate", limits.LEARNING_RATE),
        ("batch_size", limits.BATCH_SIZE),
        ("max_length", limits.MAX_LENGTH),
        ("lora_rank", limits.LORA_RANK),
        ("lora_alpha", limits.LORA_ALPHA),
        ("lora_dropout", limits.LORA_DROPOUT),
        ("seed", limits.SEED),
    ):
        number(f"hyperparameters.{name}", getattr(values, name), bounds)


def metrics(field: str, value: str) -> None:
    """A JSON object of bounded size."""
    size = len(value.encode("utf-8"))
    if size > limits.MAX_METRICS_BYTES:
        raise refuse(field, value, f"has {size} bytes; at most {limits.MAX_METRICS_BYTES} are accepted")
    try:
        parsed = json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise refuse(field, value, f"is not JSON ({problem}); send one JSON object") from problem
    if not isinstance(parsed, dict):
        raise refuse(field, value, "is not a JSON object; send one, such as {}")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
