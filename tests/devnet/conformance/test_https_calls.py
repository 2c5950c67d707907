"""Interface specification, "HTTPS Interface": status, synchronous and asynchronous calls, effective ids."""

from __future__ import annotations

import pytest

from devnet.principal import canister_id, principal_text
from devnet.replica.candid import encode_one
from tests.devnet.agent import decode, value_hash
from tests.devnet.conformance import management
from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    CANISTER_REJECT,
    DESTINATION_INVALID,
    MANAGEMENT,
    Canister,
    Network,
    User,
    number,
    poll,
    rejected,
)
from tests.devnet.conformance.program import (
    DROP,
    INSPECT,
    add,
    blob,
    call,
    call_other,
    module,
    read,
    reject,
    reply,
    reply_number,
    set_hook,
    set_variable,
    trap,
    variable,
)

COUNT = set_variable(0, add(variable(0), 1)) + reply_number(variable(0))


def test_the_status_endpoint_tells_the_root_key(network: Network, user: User) -> None:
    """Status endpoint: CBOR with tag 55799; `root_key` must be present in a development instance."""
    response = user.http.get("/api/v2/status")
    assert response.status_code == 200
    assert response.content.startswith(b"\xd9\xd9\xf7")
    assert decode(response.content)["root_key"] == network.root_key


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_a_synchronous_call_answers_with_a_certificate(user: User, canister: Canister, version: str) -> None:
    """Request: Call: `status: replied` and a certificate with the request's status and the time."""
    content = user.call_content(canister.id, "update", reply(blob(b"answer")))
    response = user.send("call", content, canister.id, version)
    assert response.status_code == 200
    answer = decode(response.content)
    assert set(answer) == {"status", "certificate"}
    assert answer["status"] == "replied"
    assert user.outcome(answer["certificate"], value_hash(content)) == b"answer"


@pytest.mark.parametrize(
    "steps, code, words",
    [(reject("no, thanks"), CANISTER_REJECT, "no, thanks"), (trap("oh no"), CANISTER_ERROR, "oh no")],
)
def test_a_reject_is_certified(canister: Canister, steps: bytes, code: int, words: str) -> None:
    """Reject codes: what the canister says is CANISTER_REJECT, what happens to it CANISTER_ERROR."""
    found = rejected(lambda: canister.update(steps))
    assert (found.code, found.certified) == (code, True)
    assert words in found.message


def test_an_asynchronous_call_is_accepted_and_polled_for(user: User, canister: Canister) -> None:
    """Request: Asynchronous Call: 202 with an empty body; the status tree tells the outcome."""
    content = user.call_content(canister.id, "update", reply(blob(b"later")))
    response = user.send("call", content, canister.id, "v2")
    assert (response.status_code, response.content) == (202, b"")
    path = (b"request_status", value_hash(content))

    def done() -> bool:
        return user.read_state(canister.id, [list(path)]).find(*path, b"status") == b"replied"

    poll(done)
    assert user.read_state(canister.id, [list(path)]).find(*path, b"reply") == b"later"


@pytest.mark.parametrize("version", ["v2", "v4"])
@pytest.mark.parametrize("case", ["unknown", "empty", "stopped", "no method", "composite"])
def test_calls_that_are_not_accepted_are_refused_without_certificate(
    user: User, version: str, case: str
) -> None:
    """Overview of canister calling, step 1: the replica checks target, status and method before accepting."""
    target = user.create()
    if case not in ("unknown", "empty"):
        target.install()
    if case == "stopped":
        target.manage("stop_canister")
    where = canister_id(2**33) if case == "unknown" else target.id
    method = {"no method": "nothing", "composite": "composite"}.get(case, "update")
    response = user.send("call", user.call_content(where, method, reply()), where, version)
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        answer = decode(response.content)
        wanted = {"reject_code", "reject_message", "error_code"} | ({"status"} if version == "v4" else set())
        assert set(answer) == wanted
        assert answer.get("status", "non_replicated_rejection") == "non_replicated_rejection"
        assert answer["reject_code"] == (DESTINATION_INVALID if case == "unknown" else CANISTER_ERROR)


def test_a_query_method_may_be_called_as_an_update_and_changes_nothing(canister: Canister) -> None:
    """Request: Call: the canister's state is not changed by calling a query method."""
    assert number(canister.replicated_query(COUNT)) == 1
    assert number(canister.replicated_query(COUNT)) == 1


def test_the_same_request_twice_runs_once(user: User, canister: Canister) -> None:
    """Overview of canister calling: submitting the identical call again is harmless."""
    content = user.call_content(canister.id, "update", COUNT)
    answers = [user.send("call", content, canister.id, "v4").content for _ in range(2)]
    first, second = (user.outcome(decode(body)["certificate"], value_hash(content)) for body in answers)
    assert first == second
    assert number(canister.update(COUNT)) == number(first) + 1


def test_requests_that_differ_in_the_nonce_alone_are_two(user: User, canister: Canister) -> None:
    """Authentication: a nonce makes distinct requests of otherwise equal ones."""
    first, second = (number(user.call(canister.id, "update", COUNT)) for _ in range(2))
    assert second == first + 1


def test_the_sender_is_the_caller(user: User, canister: Canister, network: Network) -> None:
    """Authentication: `sender` is who the canister sees."""
    caller = reply(read("msg_caller"))
    assert user.call(canister.id, "update", caller) == user.sender
    assert user.ask(canister.id, "query", caller) == user.sender
    anonymous = network.anonymous()
    assert anonymous.call(canister.id, "update", caller) == b"\x04"


def test_inspection_refuses_before_the_call_is_accepted(user: User) -> None:
    """Overview of canister calling: ingress message inspection; nothing is certified about such a call."""
    canister = user.create()
    canister.install(module("inspect"), set_hook(INSPECT, call("time") + DROP))
    found = rejected(lambda: canister.update(reply()))
    assert (found.code, found.certified) == (CANISTER_REJECT, False)


def test_the_url_must_name_the_canister(user: User, canister: Canister, other: Canister) -> None:
    """Effective canister id: for a regular canister the id in the request; another is an error."""
    content = user.call_content(canister.id, "update", reply())
    query = user.call_content(canister.id, "query", reply(), kind="query")
    assert user.send("call", content, other.id, "v4").status_code == 400
    assert user.send("call", content, other.id, "v2").status_code == 400
    assert user.send("query", query, other.id, "v3").status_code == 400


@pytest.mark.parametrize("method", ["stop_canister", "canister_status", "install_chunked_code"])
def test_the_url_of_a_management_call_names_its_subject(
    user: User, canister: Canister, other: Canister, method: str
) -> None:
    """Effective canister id: `target_canister` for chunked installs, else the argument's `canister_id`."""
    argument, _ = management.METHODS[method]
    values = {"canister_id": canister.id, "target_canister": canister.id, "mode": ("install", None)}
    values |= {"chunk_hashes_list": [], "wasm_module_hash": b"", "arg": b""}
    arg = encode_one(argument, management.filled(argument, values))
    content = user.call_content(MANAGEMENT, method, arg)
    assert user.send("call", content, other.id, "v4").status_code == 400


def test_a_management_call_without_a_subject_is_rejected(user: User, canister: Canister) -> None:
    """Effective canister id: "otherwise, the call is rejected by the system"."""
    content = user.call_content(MANAGEMENT, "raw_rand", b"DIDL\0\0")
    response = user.send("call", content, canister.id, "v4")
    if response.status_code == 200:
        assert decode(response.content)["status"] == "non_replicated_rejection"
    else:
        assert response.status_code == 400


def test_a_canister_id_in_capitals_is_the_same(user: User, canister: Canister) -> None:
    """Textual representation of principals: "parsed case-insensitively"."""
    content = user.call_content(canister.id, "query", reply(), kind="query")
    path = f"/api/v3/canister/{principal_text(canister.id).upper()}/query"
    assert user.post(path, user.envelope(content)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/v5/canister/{}/call", "/api/v1/canister/{}/query", "/api/v4/canister/{}/read_state"]
)
def test_other_versions_do_not_exist(user: User, canister: Canister, path: str) -> None:
    """HTTPS Interface: the endpoints that there are."""
    content = user.call_content(canister.id, "update", reply())
    response = user.post(path.format(principal_text(canister.id)), user.envelope(content))
    assert response.status_code in (400, 404)


def test_calls_of_the_subnet_create_canisters_only(user: User, canister: Canister) -> None:
    """Effective subnet id: `/api/v4/subnet/<id>/call` is for creating canisters, nothing else."""
    subnet = canister.query(reply(read("subnet_self")))
    argument, _ = management.METHODS["provisional_create_canister_with_cycles"]
    arg = encode_one(argument, management.filled(argument, {}))
    content = user.call_content(MANAGEMENT, "provisional_create_canister_with_cycles", arg)
    response = user.send("call", content, subnet, "v4", scope="subnet")
    assert response.status_code == 200, response.text
    user.outcome(decode(response.content)["certificate"], value_hash(content))
    update = user.call_content(canister.id, "update", reply())
    assert user.send("call", update, subnet, "v4", scope="subnet").status_code == 400


def test_messages_of_one_sender_to_one_canister_keep_their_order(canister: Canister, other: Canister) -> None:
    """Ordering guarantees: calls of one execution to the same canister start in the order they were made."""
    note = b"".join(
        call_other(
            other.id,
            "update",
            set_variable(5, add(add(variable(5), variable(5)), bit)) + reply(),
            on_reply=b"",
            on_reject=b"",
        )
        for bit in (1, 0, 1, 1, 0)
    )
    assert rejected(lambda: canister.update(note)).code == CANISTER_ERROR
    assert other.number(variable(5)) == 0b10110


@pytest.mark.parametrize("size, accepted", [(2 * 1024 * 1024 - 2000, True), (2 * 1024 * 1024 + 1000, False)])
def test_messages_have_at_most_two_mebibytes(
    user: User, canister: Canister, size: int, accepted: bool
) -> None:
    """Resource limits: ingress messages."""
    steps = reply()
    content = user.call_content(
        canister.id, "update", steps + b"\x02" + size.to_bytes(4, "little") + bytes(size)
    )
    response = user.send("call", content, canister.id, "v4")
    assert (response.status_code == 200) is accepted
    if not accepted:
        assert 400 <= response.status_code < 500
    assert canister.query(reply(blob(b"alive"))) == b"alive"
