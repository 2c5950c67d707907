"""Instructions and bytes: what the runtime may cost. Counts are wasmtime's fuel."""

import gzip

from cdk.toolchain import Runtime
from tests.cdk.runtime.host import Canister, Message

ENTRIES = 20_000
FILL = f"""
import hashlib
keys = [hashlib.sha256(i.to_bytes(4, "big")).digest()[:16] for i in range({ENTRIES})]
for key in keys:
    _stable.put(0, key, bytes(300))
state["keys"] = keys
result = _stable.length(0)
"""


def cost(canister: Canister, expression: str, times: int = 1) -> int:
    """Instructions of evaluating `expression` once, of `times`."""
    body = f"for k in state.get('keys', [b''])[:{times}]: {expression}"
    counter = "_ic0.performance_counter(0)"
    spent: int = canister.evaluate(f"a = {counter}\n{body}\nresult = ({counter} - a) // {times}")
    return spent


def test_the_module_is_small(runtime: Runtime) -> None:
    assert len(gzip.compress(runtime.wasm.read_bytes(), 9)) <= 2_000_000


def test_installing_costs_a_thousandth_of_its_limit(module: bytes) -> None:
    canister = Canister(module)
    canister.run("canister_init")
    assert canister.instructions <= 300_000_000


def test_an_empty_method_costs_next_to_nothing(canister: Canister) -> None:
    canister.run("canister_query empty", Message())
    assert canister.instructions <= 20_000


def test_maps_stay_cheap_when_full(canister: Canister) -> None:
    assert canister.evaluate(FILL) == ENTRIES
    assert cost(canister, "_stable.get(0, k)", 100) <= 30_000
    assert cost(canister, "_stable.put(0, k, bytes(300))", 100) <= 60_000
    assert cost(canister, "_stable.put(0, k + b'x', bytes(300))", 100) <= 60_000
    assert cost(canister, "_stable.contains(0, k)", 100) <= 30_000
    assert cost(canister, "_stable.length(0)", 100) <= 5_000


def test_a_mebibyte_is_stored_and_read_by_copying(canister: Canister) -> None:
    canister.evaluate("for i in range(8): _stable.put(1, bytes([i]), bytes(1 << 20))\nresult = 0")
    assert cost(canister, "_stable.put(1, b'new', bytes(1 << 20))") <= 10_000_000
    assert cost(canister, "_stable.get(1, b'new')") <= 5_000_000
    assert cost(canister, "_stable.contains(1, b'new')") <= 100_000


def test_python_runs_at_its_known_pace(canister: Canister) -> None:
    source = (
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nstate['fib'] = fib; result = fib(20)"
    )
    assert canister.evaluate(source) == 6765
    assert cost(canister, "state['fib'](20)") <= 30_000_000
