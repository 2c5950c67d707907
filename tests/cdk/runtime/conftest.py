"""The runtime of this tree, specialised to the tests' application."""

import json
import marshal
import subprocess
from pathlib import Path

import pytest

from cdk.toolchain import Runtime, ensure_runtime
from cdk.wasm import specialise
from tests.cdk.runtime.host import Canister

APPLICATION = Path(__file__).with_name("application.py")
FILENAME = "canisters/application/main.py"
EXPORTS: dict[str, int | str] = {
    "canister_update execute": 0,
    "canister_update echo": 1,
    "canister_query empty": 2,
    "canister_update fail": 3,
    "canister_heartbeat": "canister_heartbeat",
    "canister_global_timer": "canister_global_timer",
    "canister_inspect_message": "canister_inspect_message",
}
COMPILE = """
import json, marshal, sys
for filename, text in json.load(sys.stdin):
    code = compile(text, filename, "exec", dont_inherit=True)
    sys.stdout.write(marshal.dumps(code).hex() + "\\n")
"""


def compile_modules(runtime: Runtime, modules: list[tuple[str, str]]) -> list[bytes]:
    """Marshalled code of (file name, source) pairs, by the runtime's own Python."""
    command = [str(runtime.python), "-I", "-S", "-c", COMPILE]
    done = subprocess.run(
        command, input=json.dumps(modules).encode(), capture_output=True, check=True, timeout=60
    )
    return [bytes.fromhex(line) for line in done.stdout.decode().split()]


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    return ensure_runtime()


@pytest.fixture(scope="session")
def module(runtime: Runtime) -> bytes:
    """The specialised module: a package `application` whose entry module runs what messages carry."""
    filler = "data = " + repr("some text " * 20_000)  # makes the bundle span several memory pages
    sources = [("application/__init__.py", ""), (FILENAME, APPLICATION.read_text()), ("filler.py", filler)]
    package, main, other = compile_modules(runtime, sources)
    modules = {"application": (True, package), "application.main": (False, main), "filler": (False, other)}
    bundle = marshal.dumps({"entry": "application.main", "modules": modules})
    metadata = {"icp:public candid:service": b"service : {}"}
    return specialise(runtime.wasm.read_bytes(), exports=EXPORTS, bundle=bundle, custom_sections=metadata)


@pytest.fixture
def canister(module: bytes) -> Canister:
    """An installed canister."""
    canister = Canister(module)
    canister.run("canister_init")
    return canister
