"""Makes calls with ic-py, whose packages must be importable, and prints what came back as one JSON object.

It reads from standard input what to do: {"url", "canister", "interface", "subnet", "identity"}, the last of
which is "anonymous", "ed25519", "secp256k1", or the two JSON texts of a delegated identity.
"""

import json
import sys
from typing import Any

from ic.agent import Agent
from ic.candid import Types, encode
from ic.canister import Canister
from ic.client import Client
from ic.identity import DelegateIdentity, Identity
from ic.system_state import (
    canister_controllers,
    canister_module_hash,
    subnet_canister_ranges,
    subnet_public_key,
    time,
)

PROVISIONAL = "provisional_create_canister_with_cycles"
# ic-py sends no nonce: equal calls that are to be two need expiries that differ, however long the first took.
FIRST_S, SECOND_S = 240, 120


def identity_of(kind: Any) -> Any:
    if isinstance(kind, list):
        return DelegateIdentity.from_json(*kind)
    return Identity(anonymous=True) if kind == "anonymous" else Identity(type=kind)


def rejection(agent: Agent, canister: str) -> str:
    try:
        agent.update_raw(canister, "fail", encode([]), delay=0.05)
    except Exception as error:
        return str(error)
    return ""


def created(agent: Agent, canister: str) -> str:
    argument = [{"type": Types.Record({"amount": Types.Opt(Types.Nat)}), "value": {"amount": [10**15]}}]
    result = Types.Record({"canister_id": Types.Principal})
    made = agent.update_raw("aaaaa-aa", PROVISIONAL, encode(argument), result, canister, delay=0.05)
    return str(made[0]["value"]["canister_id"].to_str())


def main() -> None:
    asked = json.load(sys.stdin)
    agent = Agent(identity_of(asked["identity"]), Client(url=asked["url"]), ingress_expiry=FIRST_S)
    canister = asked["canister"]
    typed = Canister(agent, canister, asked["interface"])
    answer: dict[str, Any] = {
        "sender": agent.get_principal().to_str(),
        "query": typed.who()[0].to_str(),
        "update": typed.caller()[0].to_str(),
        "bumps": [typed.bump()[0]],
        "rejected": rejection(agent, canister),
        "missing": agent.query_raw(canister, "nothing", encode([])),
        "created": created(agent, canister),
        "time": time(agent, canister),
        "module_hash": canister_module_hash(agent, canister),
        "controllers": [one.to_str() for one in canister_controllers(agent, canister)],
        "subnet_key": subnet_public_key(agent, canister, asked["subnet"]),
        "ranges": len(subnet_canister_ranges(agent, canister, asked["subnet"])),
    }
    agent.ingress_expiry = SECOND_S
    answer["bumps"].append(typed.bump()[0])
    json.dump(answer, sys.stdout)


main()
