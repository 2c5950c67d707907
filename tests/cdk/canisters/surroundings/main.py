"""What `kybra.extensions` tells of the canister's surroundings."""

from kybra import Opt, Principal, Record, Tuple, Vec, blob, ic, nat, nat32, nat64, query, text, update
from kybra.extensions import (
    burn_cycles,
    caller_info_data,
    caller_info_signer,
    cost_of_call,
    cost_of_create_canister,
    cost_of_http_request,
    cost_of_http_request_v2,
    cost_of_sign_with_ecdsa,
    cost_of_sign_with_schnorr,
    cost_of_vetkd_derive_key,
    deadline,
    environment_variable,
    environment_variables,
    in_replicated_execution,
    is_controller,
    liquid_cycle_balance,
    peer_canister,
    root_key,
    subnet_id,
    subnet_node_count,
)


class Surroundings(Record):
    root_key: blob
    subnet: Principal
    nodes: nat32
    replicated: bool
    deadline: nat64
    info: blob
    signer: Opt[Principal]
    controlled: bool


@update
def surroundings() -> Surroundings:
    return {
        "root_key": root_key(),
        "subnet": subnet_id(),
        "nodes": subnet_node_count(),
        "replicated": in_replicated_execution(),
        "deadline": deadline(),
        "info": caller_info_data(),
        "signer": caller_info_signer(),
        "controlled": is_controller(ic.caller()),
    }


@query
def replicated() -> bool:
    return in_replicated_execution()


@query
def variables() -> Vec[Tuple[text, text]]:
    return sorted(environment_variables().items())


@query
def variable(name: text) -> Opt[text]:
    return environment_variable(name)


@query
def peer(name: text) -> Opt[Principal]:
    return peer_canister(name)


@update
def burn(most: nat) -> Tuple[nat, nat, nat]:
    before = liquid_cycle_balance()
    return before, burn_cycles(most), liquid_cycle_balance()


@query
def costs(key: text) -> Vec[nat]:
    return [
        cost_of_call("method", 100),
        cost_of_create_canister(),
        cost_of_http_request(100, 1_000),
        cost_of_sign_with_ecdsa(key),
        cost_of_sign_with_schnorr(key, 1),
        cost_of_vetkd_derive_key(key),
    ]


@query
def cost_by_parameters(parameters: blob) -> nat:
    return cost_of_http_request_v2(parameters)
