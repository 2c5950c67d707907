"""What things cost, in cycles, on a subnet of 13 nodes.

Source: cycle costs page of the Internet Computer's developer documentation (September 2026).
"""

from __future__ import annotations

from dataclasses import dataclass

from devnet.replica.api import GIB, Limits

SUBNET_NODES = 13

UPDATE_BASE = 5_000_000
PER_INSTRUCTION = 1
INGRESS_BASE = 1_200_000
INGRESS_PER_BYTE = 2_000
CALL_BASE = 260_000
CALL_PER_BYTE = 1_000
CREATE_CANISTER = 500_000_000_000
STORAGE_PER_GIB_SECOND = 127_000
COMPUTE_PER_PERCENT_SECOND = 10_000_000
SECONDS_PER_DAY = 86_400

THRESHOLD_KEYS = {"test_key_1": 10_000_000_000, "dfx_test_key": 10_000_000_000, "key_1": 26_153_846_153}
"""Fee of one signature or key derivation, by the key's name."""


def execution(instructions: int) -> int:
    """One replicated message."""
    return UPDATE_BASE + PER_INSTRUCTION * instructions


def ingress(payload_bytes: int) -> int:
    """Reception of one ingress message."""
    return INGRESS_BASE + INGRESS_PER_BYTE * payload_bytes


def call(payload_bytes: int) -> int:
    """Sending one request to a canister."""
    return CALL_BASE + CALL_PER_BYTE * payload_bytes


def response_reservation(limits: Limits) -> int:
    """Set aside by `call_perform` for the largest response and the longest callback."""
    return CALL_PER_BYTE * limits.reply_bytes + execution(limits.update_instructions)


def response_transmission(payload_bytes: int) -> int:
    return CALL_PER_BYTE * payload_bytes


def storage(memory_bytes: int, seconds: float) -> int:
    """Keeping memory for a time."""
    return int(memory_bytes * STORAGE_PER_GIB_SECOND * seconds / GIB)


def compute(percent: int, seconds: float) -> int:
    """A compute allocation for a time."""
    return int(COMPUTE_PER_PERCENT_SECOND * percent * seconds)


def idle_per_day(memory_bytes: int, memory_allocation: int, compute_allocation: int) -> int:
    """What a canister burns in a day without doing anything."""
    memory = storage(max(memory_bytes, memory_allocation), SECONDS_PER_DAY)
    return memory + compute(compute_allocation, SECONDS_PER_DAY)


@dataclass(frozen=True)
class Outcall:
    """What one HTTP outcall consumes, for pricing version 2.

    Args:
        replicas: nodes that perform it.
        least, most: responses that are delivered.
        fully_replicated: all nodes perform it and agree on one response.
    """

    request_bytes: int
    roundtrip_ms: int
    raw_response_bytes: int
    response_bytes: int
    transform_instructions: int
    replicas: int
    least: int
    most: int
    fully_replicated: bool


def outcall(call: Outcall) -> int:
    """HTTP outcall, pricing version 2."""
    nodes = SUBNET_NODES
    if call.fully_replicated:
        replication = 140_000 * nodes + 800 * nodes * nodes
    else:
        replication = 90_000 * nodes + (2_000 * nodes + 100_000) * call.least
    base = (1_000_000 + 50 * call.request_bytes + replication) * nodes
    usage = 50 * call.raw_response_bytes + 300 * call.roundtrip_ms + call.transform_instructions // 13
    if not call.fully_replicated:
        usage += 50 * nodes * call.response_bytes
    delivery = nodes * (10 * nodes + 600) * call.response_bytes
    delivery += (2_000 * nodes + 100_000) * nodes * max(0, call.most - call.least)
    return base + usage * call.replicas + delivery


def outcall_base(request_bytes: int, replicated: bool) -> int:
    """What `http_request` is charged when it is accepted, pricing version 2."""
    return outcall(_single(request_bytes, replicated, 0, 0, 0, 0))


def outcall_usage(
    request_bytes: int,
    replicated: bool,
    roundtrip_ms: int,
    raw_response_bytes: int,
    response_bytes: int,
    transform_instructions: int,
) -> int:
    """What `http_request` is charged beyond that, pricing version 2."""
    used = _single(
        request_bytes, replicated, roundtrip_ms, raw_response_bytes, response_bytes, transform_instructions
    )
    return outcall(used) - outcall_base(request_bytes, replicated)


def _single(
    request_bytes: int,
    replicated: bool,
    roundtrip_ms: int,
    raw_response_bytes: int,
    response_bytes: int,
    transform_instructions: int,
) -> Outcall:
    """An outcall with one response."""
    return Outcall(
        request_bytes=request_bytes,
        roundtrip_ms=roundtrip_ms,
        raw_response_bytes=raw_response_bytes,
        response_bytes=response_bytes,
        transform_instructions=transform_instructions,
        replicas=SUBNET_NODES if replicated else 1,
        least=1,
        most=1,
        fully_replicated=replicated,
    )


def http_request(request_bytes: int, max_response_bytes: int) -> int:
    """HTTP outcall, pricing version 1."""
    nodes = SUBNET_NODES
    base = (3_000_000 + 60_000 * nodes) * nodes
    return base + (400 * request_bytes + 800 * max_response_bytes) * nodes
