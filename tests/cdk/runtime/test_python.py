"""CPython inside the canister: what it has, what it refuses, and that it cannot be pushed over."""

import hashlib

import pytest

from cdk.toolchain.cpython import RUNTIME
from tests.cdk.runtime.host import Canister, Trapped


def test_the_standard_library_is_there(canister: Canister) -> None:
    lines = (line.partition("#")[0].strip() for line in (RUNTIME / "stdlib.txt").read_text().splitlines())
    modules = [line for line in lines if line] + ["binascii", "collections.abc", "itertools", "math", "time"]
    canister.evaluate(f"import importlib\nfor m in {modules}: importlib.import_module(m)\nresult = 0")
    assert canister.evaluate("import sys; result = sys.version_info[:2]") == (3, 13)


def test_hashes_agree_with_this_machines(canister: Canister) -> None:
    names = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s"]
    source = f"import hashlib; result = [hashlib.new(n, b'data').hexdigest() for n in {names}]"
    assert canister.evaluate(source) == [hashlib.new(name, b"data").hexdigest() for name in names]


def test_json_dataclasses_and_typing(canister: Canister) -> None:
    source = """
        import dataclasses, json, typing
        @dataclasses.dataclass(frozen=True, order=True)
        class Point:
            x: int
            y: typing.Optional[int] = None
        result = json.loads(json.dumps(dataclasses.asdict(Point(1)))), sorted([Point(2, 1), Point(1, 5)])[0].y
    """
    assert canister.evaluate(source) == ({"x": 1, "y": None}, 5)


def test_the_whole_bundle_is_in_memory(canister: Canister) -> None:
    canister.evaluate("x = [bytearray(50_000) for _ in range(100)]; result = len(x)")
    assert canister.evaluate("import filler; result = filler.data == 'some text ' * 20_000") is True
    assert canister.evaluate("import filler; result = filler.__file__") == "filler.py"


def test_packages_and_missing_modules(canister: Canister) -> None:
    assert canister.evaluate("import application.main as m; result = m.__package__") == "application"
    with pytest.raises(Trapped, match=r"^ModuleNotFoundError: No module named 'nothing'"):
        canister.evaluate("import nothing")


@pytest.mark.parametrize(
    "source",
    ["import os; os.urandom(8)", "import secrets", "import random", "import uuid", "open('file')", "input()"],
)
def test_no_randomness_no_files(canister: Canister, source: str) -> None:
    with pytest.raises(
        Trapped, match=r"^(NotImplementedError|OSError|ModuleNotFoundError|FileNotFoundError|EOFError)"
    ):
        canister.evaluate(source)


def test_every_instance_computes_the_same(canister: Canister, module: bytes) -> None:
    source = "result = (list({str(i) for i in range(50)}), hash('text'), id(object()), object().__repr__())"
    other = Canister(module)
    other.run("canister_init")
    assert canister.evaluate(source) == other.evaluate(source)
    assert canister.instructions == other.instructions


def test_memory_keeps_its_content_through_growing_and_shrinking(canister: Canister) -> None:
    source = """
        blocks, seed = [bytearray() for _ in range(200)], 1
        for step in range(20_000):
            seed = (seed * 1103515245 + 12345) % 2**31
            index, size = seed % 200, seed // 200 % (700 if step % 50 else 70_000)
            fill = bytes([index])
            block = blocks[index]
            if len(block) < size:
                block.extend(fill * (size - len(block)))
            else:
                del block[size:]
            if step % 7 == 0:
                blocks[index] = bytearray(block)  # leaves a hole of the old size
        result = all(block == bytes([index]) * len(block) for index, block in enumerate(blocks))
    """
    assert canister.evaluate(source) is True


def test_freed_memory_is_used_again(canister: Canister) -> None:
    source = "x = [(i, str(i)) for i in range(20_000)]; del x; result = 0"
    canister.evaluate(source)
    before = canister.memory.data_len(canister.store)
    for _ in range(5):
        canister.evaluate(source)
    assert canister.memory.data_len(canister.store) == before


def test_garbage_cycles_are_collected(canister: Canister) -> None:
    source = """
        for _ in range(200):
            cycle = [bytearray(100_000)]
            cycle.append(cycle)
        import gc
        gc.collect()
        result = 0
    """
    canister.evaluate(source)
    before = canister.memory.data_len(canister.store)
    for _ in range(5):
        canister.evaluate(source)
    assert canister.memory.data_len(canister.store) < before + (1 << 20)  # of 100 MB that went through


NESTING = {
    "pure Python": "def f(n): return f(n + 1)\nf(0)",
    "json.loads": "import json\njson.loads('[' * 100_000)",
    "json.loads of objects": "import json\njson.loads('{\"a\":' * 100_000)",
    "json.dumps": "import json\na = []\nfor _ in range(100_000): a = [a]\njson.dumps(a)",
    "repr": "a = []\nfor _ in range(100_000): a = [a]\nrepr(a)",
    "comparison": "a = b = ()\nfor _ in range(100_000): a, b = (a,), (b,)\na < b",
    "marshal.loads": "import marshal\nmarshal.loads(b'(\\1\\0\\0\\0' * 100_000)",
    "callbacks from C": "def f(x): return sorted([1, 2], key=f)\nf(1)",
    "__getattr__": "class A:\n  def __getattr__(self, n): return getattr(self, n)\nA().x",
    "re.sub": "import re\ndef f(m): return re.sub('a', f, 'a')\nf(0)",
    "generators": "def g(n):\n  yield from g(n + 1)\nlist(g(0))",
    "eval": "def f(): return eval('f()', {'f': f})\nf()",
    "deep source": "compile('(' * 100_000, 'x', 'eval')",
    "long expression": "compile('-' * 100_000 + '1', 'x', 'eval')",
}


@pytest.mark.parametrize("source", NESTING.values(), ids=NESTING.keys())
def test_deep_nesting_raises(canister: Canister, source: str) -> None:
    with pytest.raises(
        Trapped, match=r"^(RecursionError|ValueError: recursion limit|MemoryError: Parser|SyntaxError)"
    ):
        canister.evaluate(source)


def test_recursion_can_be_caught(canister: Canister) -> None:
    source = """
        def deeper(n):
            return deeper(n + 1)
        try:
            deeper(0)
        except RecursionError:
            result = "caught"
    """
    assert canister.evaluate(source) == "caught"


def test_destroying_a_deep_structure_is_safe(canister: Canister) -> None:
    assert canister.evaluate("a = ()\nfor _ in range(200_000): a = (a, 1)\ndel a\nresult = 1") == 1


def test_running_out_of_memory_raises(canister: Canister) -> None:
    with pytest.raises(Trapped, match=r"^MemoryError"):
        canister.evaluate("list(range(10**9))")
    assert canister.evaluate("result = 1") == 1


def test_numbers_are_written_as_everywhere(canister: Canister) -> None:
    """The runtime writes those of one digit, below 2**30, its own way."""
    around = [10**power for power in range(12)] + [2**30, 2**31, 2**32, 2**60, 2**64]
    numbers = [sign * (number + step) for number in around for step in (-1, 0, 1) for sign in (1, -1)]
    source = f"result = [(str(n), repr(n), f'{{n}}', '%d' % n, int(str(n)) == n) for n in {numbers}]"
    assert canister.evaluate(source) == [(str(n), str(n), str(n), str(n), True) for n in numbers]
    assert canister.evaluate("result = (str(True), repr(False), str(0), str(-0))") == (
        "True",
        "False",
        "0",
        "0",
    )
