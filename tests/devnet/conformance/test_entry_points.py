"""Interface specification, "Entry points": initialization, upgrades, public methods, heartbeat, callbacks."""

from __future__ import annotations

import pytest

from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    Canister,
    User,
    code_of,
    number,
    passed,
    poll,
    rejected,
)
from tests.devnet.conformance.program import (
    CALLBACK,
    GROW_FOR_EVER,
    HEARTBEAT,
    KEPT_BLOB,
    LOW_MEMORY,
    MEMORY_SIZE,
    NO_SUCH_ENTRY,
    PRE_UPGRADE,
    RECURSE_FOR_EVER,
    TIMER,
    UNREACHABLE,
    WASM_GLOBAL,
    WRONG_TYPE,
    add,
    append,
    as_bytes,
    blob,
    call,
    call_other,
    grow_memory,
    keep,
    module,
    read,
    read_stable,
    reject,
    reply,
    reply_number,
    set_hook,
    set_kept_blob,
    set_variable,
    set_wasm_global,
    trap,
    variable,
)
from tests.network import moves_time

SAVE = call("stable64_grow", 1) + call("stable64_write", 0, blob(b"saved"))


def fresh(user: User, arg: bytes = b"") -> Canister:
    return user.deploy(arg=arg)


def test_init_gets_its_argument_and_the_installer(user: User) -> None:
    """Canister initialization: argument and caller; runs first, once."""
    canister = fresh(user, set_kept_blob(read("msg_caller")) + set_variable(0, add(variable(0), 1)))
    assert canister.query(reply(KEPT_BLOB)) == user.sender
    assert canister.number(variable(0)) == 1


def test_the_start_function_runs_before_init(user: User) -> None:
    """Canister upgrades: `(start)` runs, then `canister_init` or `canister_post_upgrade`."""
    canister = user.create()
    wasm = module("start", start=set_variable(0, 5))
    canister.install(wasm, set_variable(1, add(variable(0), 1)))
    assert canister.number(variable(1)) == 6
    canister.install(wasm, set_variable(1, add(variable(0), 2)), mode="upgrade")
    assert canister.number(variable(1)) == 7


@pytest.mark.parametrize("hook", ["init", "start"])
@pytest.mark.parametrize("steps", [trap(), UNREACHABLE, RECURSE_FOR_EVER])
def test_a_failing_init_installs_nothing(user: User, canister: Canister, hook: str, steps: bytes) -> None:
    """Canister initialization: a trap reverts to the previous state, i.e. empty."""
    target = user.create()
    features = ("start",) if hook == "start" else ()
    start, arg = (steps, b"") if hook == "start" else (b"", steps)
    wasm = module(*features, start=start)
    assert code_of(lambda: target.install(wasm, arg)) == CANISTER_ERROR
    assert target.status()["module_hash"] is None
    assert canister.query(reply(blob(b"unaffected"))) == b"unaffected"


def test_a_failing_reinstall_leaves_what_was_there(user: User) -> None:
    """Canister initialization: "or whatever it was for a `reinstall`"."""
    canister = fresh(user, SAVE + set_variable(0, 1))
    assert code_of(lambda: canister.install(arg=trap(), mode="reinstall")) == CANISTER_ERROR
    assert canister.number(variable(0)) == 1
    assert canister.query(reply(read_stable(0, 5))) == b"saved"


def test_reinstalling_starts_afresh(user: User) -> None:
    """`install_code`, reinstall: code and state, stable memory included, are removed."""
    canister = fresh(user, SAVE + set_variable(0, 1) + call("certified_data_set", blob(b"old")))
    canister.install(mode="reinstall")
    assert canister.number(variable(0)) == 0
    assert canister.number(call("stable64_size")) == 0


def test_an_upgrade_keeps_stable_memory_alone(user: User) -> None:
    """Canister upgrades: stable memory is preserved, Wasm memory and globals are not; init does not run."""
    canister = fresh(user, SAVE + set_variable(0, 1) + set_wasm_global(7))
    canister.install(arg=set_variable(1, 9), mode="upgrade")
    assert canister.query(reply(read_stable(0, 5))) == b"saved"
    assert canister.number(variable(0)) == 0
    assert canister.number(variable(1)) == 9
    assert canister.number(WASM_GLOBAL) == 0


@pytest.mark.parametrize("choice, kept", [("keep", 1), ("replace", 0), (None, 0)])
def test_wasm_memory_persistence(user: User, choice: str | None, kept: int) -> None:
    """Canister upgrades: `wasm_memory_persistence = opt keep` keeps the Wasm memory, but no globals."""
    canister = fresh(user, set_variable(0, 1) + set_wasm_global(7) + grow_memory(3))
    pages = canister.number(MEMORY_SIZE)
    option = None if choice is None else (choice, None)
    canister.install(mode="upgrade", wasm_memory_persistence=option)
    assert canister.number(variable(0)) == kept
    assert canister.number(WASM_GLOBAL) == 0
    assert (canister.number(MEMORY_SIZE) == pages) is bool(kept)


def test_pre_upgrade_runs_on_the_old_code(user: User) -> None:
    """Canister upgrades, step 1: `canister_pre_upgrade` of the old instance may save to stable memory."""
    canister = fresh(user, set_variable(0, 3))
    save = call("stable64_grow", 1) + call("stable64_write", 0, as_bytes(variable(0)))
    canister.update(set_hook(PRE_UPGRADE, save) + reply())
    canister.install(mode="upgrade")
    assert number(canister.query(reply(read_stable(0, 8)))) == 3


@pytest.mark.parametrize("failing", ["pre_upgrade", "post_upgrade"])
def test_a_failing_upgrade_changes_nothing(user: User, failing: str) -> None:
    """Canister upgrades: "if `canister_pre_upgrade` or `canister_post_upgrade` trap, … is reverted"."""
    canister = fresh(user, SAVE + set_variable(0, 3))
    damage = call("stable64_write", 0, blob(b"lost!"))
    hook = damage + trap() if failing == "pre_upgrade" else damage
    canister.update(set_hook(PRE_UPGRADE, hook) + reply())
    version = canister.number(call("canister_version"))
    arg = damage + trap()
    assert code_of(lambda: canister.install(module("heartbeat"), arg, mode="upgrade")) == CANISTER_ERROR
    assert canister.query(reply(read_stable(0, 5))) == b"saved"
    assert canister.number(variable(0)) == 3
    assert canister.number(call("canister_version")) >= version
    canister.install(mode="upgrade", skip_pre_upgrade=True)
    assert canister.query(reply(read_stable(0, 5))) == b"saved"


def test_versions_during_an_upgrade(user: User) -> None:
    """Canister version: pre-upgrade sees the old counter value, post-upgrade the new one."""
    canister = fresh(user, call("stable64_grow", 1))
    note = call("stable64_write", 0, as_bytes(call("canister_version")))
    canister.update(set_hook(PRE_UPGRADE, note) + reply())
    canister.install(arg=set_variable(0, call("canister_version")), mode="upgrade")
    old = number(canister.query(reply(read_stable(0, 8))))
    assert canister.number(variable(0)) > old


def test_the_three_modes_want_an_empty_or_a_full_canister(user: User) -> None:
    """`install_code`: install needs an empty canister, upgrade one with code, reinstall either."""
    canister = user.create()
    assert code_of(lambda: canister.install(mode="upgrade")) == CANISTER_ERROR
    canister.install(mode="reinstall")
    assert code_of(lambda: canister.install(mode="install")) == CANISTER_ERROR


CHANGE = set_variable(0, 77) + call("stable64_write", 0, blob(b"lost!")) + append(blob(b"x"))


@pytest.mark.parametrize(
    "end", [trap(), UNREACHABLE, RECURSE_FOR_EVER, reply() + trap(), reply() + reply(), reject("a") + reply()]
)
def test_a_trap_discards_everything(user: User, end: bytes) -> None:
    """Entry points: "all changes to the WebAssembly state … are discarded", the answer and calls too."""
    canister = fresh(user, SAVE)
    call_out = call_other(canister.id, "update", set_variable(1, 1) + reply(), on_reply=b"", on_reject=b"")
    assert code_of(lambda: canister.update(CHANGE + call_out + end)) == CANISTER_ERROR
    assert canister.query(reply(read_stable(0, 5))) == b"saved"
    assert [canister.number(variable(index)) for index in (0, 1)] == [0, 0]


def test_an_answer_is_owed(canister: Canister) -> None:
    """Public methods: a method that neither replies nor makes calls fails; so does one whose calls end so."""
    assert code_of(lambda: canister.update(b"")) == CANISTER_ERROR
    silent = call_other(canister.id, "update", reply(), on_reply=b"", on_reject=b"")
    assert code_of(lambda: canister.update(silent)) == CANISTER_ERROR


def test_endless_recursion_is_stopped(canister: Canister) -> None:
    """The stack is bounded: a trap like any other, after which the canister goes on."""
    assert code_of(lambda: canister.query(RECURSE_FOR_EVER)) == CANISTER_ERROR
    assert code_of(lambda: canister.update(RECURSE_FOR_EVER)) == CANISTER_ERROR
    assert canister.update(reply(blob(b"alive"))) == b"alive"


def test_endless_growth_ends_at_the_memory_limit(user: User) -> None:
    """`wasm_memory_limit`: an update that exceeds it traps; memory never exceeds 4 GiB in any case."""
    canister = user.deploy(wasm_memory_limit=10 * 2**20)
    assert code_of(lambda: canister.update(grow_memory(1000) + reply())) == CANISTER_ERROR
    assert canister.number(MEMORY_SIZE) < 160
    assert canister.number(grow_memory(70_000)) == 2**32 - 1
    assert code_of(lambda: canister.query(GROW_FOR_EVER)) == CANISTER_ERROR


@moves_time
def test_heartbeats_come_by_themselves(user: User) -> None:
    """Heartbeat: triggered by the IC, caller is the management canister, may make calls."""
    canister = user.create()
    count = set_variable(0, add(variable(0), 1)) + set_kept_blob(read("msg_caller"))
    onward = call_other(canister.id, "update", set_variable(1, 1) + reply(), on_reply=b"", on_reject=b"")
    canister.install(module("heartbeat"), set_hook(HEARTBEAT, count + onward))
    poll(lambda: canister.number(variable(0)) >= 2 or user.network.advance(1))
    poll(lambda: canister.number(variable(1)) == 1)
    assert canister.query(reply(KEPT_BLOB)) == b""
    canister.manage("stop_canister")


@moves_time
def test_a_failing_heartbeat_disturbs_nobody(user: User) -> None:
    """Heartbeat: a trap discards its changes only."""
    canister = user.create()
    canister.install(module("heartbeat"), set_hook(HEARTBEAT, set_variable(0, 1) + trap("no beat")))
    poll(lambda: any(b"no beat" in line for line in canister.logs()) or user.network.advance(1))
    assert canister.number(variable(0)) == 0
    assert canister.update(reply(blob(b"alive"))) == b"alive"
    canister.manage("stop_canister")


def test_the_low_memory_hook(user: User) -> None:
    """On Low Wasm Memory: scheduled when the remaining memory falls below the threshold."""
    limit = 4 * 2**20
    canister = user.deploy(wasm_memory_limit=limit, wasm_memory_threshold=2**20)
    canister.update(set_hook(LOW_MEMORY, set_variable(0, add(variable(0), 1))) + reply())
    assert canister.number(variable(0)) == 0
    canister.update(grow_memory(50) + reply())
    poll(lambda: canister.number(variable(0)) == 1)
    canister.update(grow_memory(1) + reply())
    assert canister.number(variable(0)) == 1


def test_the_global_timer_runs_once(user: User) -> None:
    """Global timer: runs when its time has passed, once; caller is the management canister."""
    canister = fresh(
        user, set_hook(TIMER, set_variable(0, add(variable(0), 1)) + set_kept_blob(read("msg_caller")))
    )
    canister.update(call("global_timer_set", 1) + reply())
    poll(lambda: canister.number(variable(0)) == 1)
    assert canister.query(reply(KEPT_BLOB)) == b""
    canister.update(reply())
    assert canister.number(variable(0)) == 1


@pytest.mark.parametrize("change", ["upgrade", "reinstall", "uninstall"])
def test_changes_of_the_module_switch_the_timer_off(user: User, change: str) -> None:
    """Global timer: "deactivated upon changes to the canister's Wasm module"."""
    canister = fresh(user)
    later = user.network.now_ns() + 10**15
    canister.update(call("global_timer_set", later) + reply())
    if change == "uninstall":
        canister.manage("uninstall_code")
        canister.install()
    else:
        canister.install(mode=change)
    assert number(canister.update(reply_number(call("global_timer_set", 0)))) == 0


@pytest.mark.parametrize("entry", [WRONG_TYPE, NO_SUCH_ENTRY])
def test_callbacks_must_be_functions_of_the_right_type(
    canister: Canister, other: Canister, entry: int
) -> None:
    """Callbacks: "expected to be a function of type `(env : I) -> ()`"; else the callback traps."""
    steps = call("call_new", blob(other.id), blob("update"), entry, 0, entry, 0)
    steps += call("call_on_cleanup", CALLBACK, keep(set_variable(3, entry)))
    steps += call("call_data_append", blob(reply())) + call("call_perform")
    assert code_of(lambda: canister.update(steps)) == CANISTER_ERROR
    assert canister.number(variable(3)) == entry


def test_a_trap_in_a_callback_keeps_what_was_before(canister: Canister, other: Canister) -> None:
    """Entry points: only the failing execution is undone; the cleanup callback's changes stay."""
    steps = set_variable(4, 1) + call_other(
        other.id,
        "update",
        set_variable(4, 1) + reply(),
        on_reply=set_variable(5, 1) + trap(),
        on_cleanup=set_variable(6, 1),
    )
    assert code_of(lambda: canister.update(steps)) == CANISTER_ERROR
    assert [canister.number(variable(index)) for index in (4, 5, 6)] == [1, 0, 1]
    assert other.number(variable(4)) == 1


def test_a_trap_in_cleanup_is_the_end_of_it(canister: Canister, other: Canister) -> None:
    """`ic0.call_on_cleanup`: "the state changes from the `cleanup` function are discarded"."""
    steps = call_other(other.id, "update", reply(), on_reply=trap(), on_cleanup=set_variable(7, 1) + trap())
    assert code_of(lambda: canister.update(steps)) == CANISTER_ERROR
    assert canister.number(variable(7)) == 0


def test_methods_of_modules_without_them(user: User) -> None:
    """Public methods: calling what is not exported is CANISTER_ERROR."""
    canister = user.create()
    canister.install(module(text='(module (func (export "canister_update only")))'))
    found = rejected(lambda: user.call(canister.id, "other"))
    assert (found.code, found.certified) == (CANISTER_ERROR, False)
    caller = fresh(user)
    found = rejected(lambda: passed(caller.update(call_other(canister.id, "other"))))
    assert found.code == CANISTER_ERROR
