"""The node before unmodified JavaScript clients: `@icp-sdk/core` and `@dfinity/vetkeys`."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from devnet.crypto.vetkd import VetKd
from devnet.node import Node
from devnet.principal import principal_text
from tests.devnet import whoami
from tests.devnet.agent import Agent, Identity
from tests.devnet.clients.npm_packages import HERE, install

CANISTER = bytes(7) + b"\x05\x01\x01"
CONTEXT = b"leasehold-v1"
INPUT = b"dataset/42"
RUN_TIMEOUT_S = 60

Script = Callable[[str, dict[str, Any]], dict[str, Any]]


def runner(packages: str) -> Script:
    """Runs one of the scripts beside the installed packages, with JSON in and out."""
    folder = install(packages)

    def run(name: str, given: dict[str, Any]) -> dict[str, Any]:
        source = (HERE / "js" / name).read_text()
        result = subprocess.run(
            ["node", "--input-type=module", "--eval", source],
            cwd=folder,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    return run


@pytest.fixture(scope="module")
def script() -> Script:
    return runner("js")


@pytest.mark.parametrize("key_name", ["key_1", "test_key_1", "dfx_test_key"])
def test_vetkeys_decrypts_verifies_and_derives_our_keys(script: Script, key_name: str) -> None:
    keys = VetKd()
    given = {"transport_secret": "11" * 32}
    transport = bytes.fromhex(script("vetkeys.mjs", {**given, "step": "transport"})["transport_public"])
    public_key = keys.vetkd_public_key(CANISTER, CONTEXT, key_name)
    answer = script(
        "vetkeys.mjs",
        {
            **given,
            "canister": CANISTER.hex(),
            "context": CONTEXT.hex(),
            "encrypted_key": keys.vetkd_derive_key(CANISTER, CONTEXT, INPUT, transport, key_name).hex(),
            "input": INPUT.hex(),
            "master_key": keys.master_public_key(key_name).hex(),
            "public_key": public_key.hex(),
        },
    )
    assert answer["derived_offline"] == public_key.hex()
    assert len(bytes.fromhex(answer["vetkey"])) == 48
    assert answer["opened"] == "sealed offline"


@pytest.mark.parametrize("packages", ["js", "js6"], ids=["core-5.4", "core-6.1"])
def test_the_core_agent_calls_queries_and_reads_with_every_kind_of_identity(packages: str) -> None:
    script = runner(packages)
    owner = Identity.of(ed25519.Ed25519PrivateKey.generate())
    with Node.start() as node, Agent(node.url, node.root_key, owner) as agent:
        canister = whoami.deploy(agent)
        given = {"url": node.url, "canister": principal_text(canister), "update": "caller", "query": "who"}
        answers = script("agent.mjs", given)
    state = answers.pop("state")
    assert set(answers) == {"anonymous", "ed25519", "p256", "secp256k1", "delegated"}
    for answer in answers.values():
        sender = bytes.fromhex(answer["sender"])
        reply = (b"DIDL\x00\x01\x68\x01" + bytes([len(sender)]) + sender).hex()
        assert answer["query"] == reply
        assert answer["rejected"] > 0
        assert answer["sync"] == {"status": 200, "reply": reply}
        assert answer["async"] == {"status": 202, "reply": reply}
    assert state["controllers"] == [principal_text(owner.principal)]
    assert (state["candid"], state["nodes"]) == (whoami.INTERFACE, 1)
    assert state["module_hash"] == hashlib.sha256(whoami.module()).hexdigest()
