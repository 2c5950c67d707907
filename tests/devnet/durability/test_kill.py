"""A node that is killed at any moment keeps every update that it has acknowledged, once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from icp_candid import Types, decode  # type: ignore[import-untyped]

from devnet.principal import ANONYMOUS, MANAGEMENT_CANISTER, canister_id
from devnet.replica.candid import NAT, decode_one, encode_one
from devnet.system import interface
from devnet.system.accounts import ICP_LEDGER
from devnet.system.canisters import GENESIS_ICP
from devnet.system.icp_ledger import ICP
from tests.devnet.agent import Agent
from tests.devnet.durability.bank import FUNDS, Books, amount, bank_module
from tests.devnet.durability.clients import TIMEOUT_S, Banks, Maker, Told, Update, busy
from tests.devnet.durability.process import NodeProcess, context
from tests.devnet.whoami import CANISTER, CREATE, install_argument, record

LIVES = 10
SEED = 20_261_121
REFUSED = b"refused"


def test_a_node_killed_at_any_moment_keeps_every_acknowledged_update_once(tmp_path: Path) -> None:
    """Several clients, calls between canisters, timers, a ledger; killed after a few answers."""
    chance, told, processes = random.Random(SEED), Told(), context()
    with NodeProcess(processes, tmp_path) as node, Agent(node.url, node.root_key) as agent:
        banks = Banks(_install(agent), _install(agent))
    seen = Seen(banks)
    makers: list[Maker] = [(banks.mark, "v4"), (banks.pay, "v4"), (banks.pay, "v2"), (banks.transfer, "v3")]
    for _ in range(LIVES):
        with NodeProcess(processes, tmp_path) as node:
            with Agent(node.url, node.root_key) as agent:
                seen.check(agent, told)
            with busy(node, told, makers):
                told.wait_for(chance.randint(1, 40))
    with NodeProcess(processes, tmp_path) as node, Agent(node.url, node.root_key) as agent:
        _settle(lambda: sum(books.balance for books in seen.check(agent, told)) == 2 * FUNDS)
        _settle(lambda: all(_reply(agent, *item) for item in told.accepted.items()))
        first, second = seen.check(agent, told)
        _check_payments(banks, first, second, told)
        _check_transfers(agent, banks, told)
    assert min(seen.ticks.values()) > LIVES, "the timers stood still"
    assert len(told.answered) + len(told.accepted) < len(told.sent), "nothing was in flight at any kill"


class Seen:
    """What holds whenever a node answers, and whatever was seen before it was killed."""

    def __init__(self, banks: Banks) -> None:
        self.ticks = Counter[bytes]()
        self._banks = banks
        self._asked: set[bytes] = set()
        """Requests whose answer was looked up after a restart."""

    def check(self, agent: Agent, told: Told) -> list[Books]:
        """The books of both banks."""
        both = []
        for bank in (self._banks.first, self._banks.second):
            books = Books.read(agent.query(bank, "books")["reply"]["arg"])
            assert books.ticks >= self.ticks[bank], "a tick that was seen is lost"
            self.ticks[bank] = books.ticks
            assert books.made == sum(books.marks)
            assert max(books.marks) <= 1 and max(books.taken) <= 1, "an update was executed twice"
            for update, reply in told.answered.values():
                if update.canister == bank and reply != REFUSED:
                    assert books.marks[update.id] == 1, f"{update} was acknowledged and is lost"
            both.append(books)
        assert sum(books.balance for books in both) <= 2 * FUNDS
        for request_id in told.answered.keys() - self._asked:
            update, reply = told.answered[request_id]
            assert _reply(agent, request_id, update) == reply, f"the answer to {update} is forgotten"
        self._asked = set(told.answered)
        return both


def _install(agent: Agent) -> bytes:
    create = "provisional_create_canister_with_cycles"
    reply = agent.update(MANAGEMENT_CANISTER, create, record(CREATE, amount=[10**15]), canister_id(0))
    canister = bytes(decode(reply, Types.Record(CANISTER))[0]["value"]["canister_id"].bytes)
    agent.update(MANAGEMENT_CANISTER, "install_code", install_argument(canister, bank_module()), canister)
    return canister


def _reply(agent: Agent, request_id: bytes, update: Update) -> bytes | None:
    """What the state tree shows as the reply to a request; None if nothing."""
    certificate = agent.read_state(update.canister, [[b"request_status", request_id]])
    reply = certificate.find(b"request_status", request_id, b"reply")
    return reply if isinstance(reply, bytes) else None


def _settle(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not done():
        assert time.monotonic() < deadline, "messages in flight were not taken up again"


def _check_payments(banks: Banks, first: Books, second: Books, told: Told) -> None:
    """Each payment that was sent moved its amount once, or not at all and its payer knows."""
    expected = {banks.first: FUNDS, banks.second: FUNDS}
    for update in told.sent:
        if update.kind != "pay":
            continue
        payer, payee = (first, second) if update.canister == banks.first else (second, first)
        assert payer.marks[update.id] == payee.taken[update.id], f"{update} is half done"
        if payee.taken[update.id]:
            expected[update.canister] -= amount(update.id)
            expected[banks.second if payer is first else banks.first] += amount(update.id)
    assert expected == {banks.first: first.balance, banks.second: second.balance}


def _check_transfers(agent: Agent, banks: Banks, told: Told) -> None:
    """Each transfer that was acknowledged arrived; what left the payer is what arrived, and the fees."""
    acknowledged = {update.id for update, _ in told.answered.values() if update.kind == "transfer"}
    arrived = 0
    for update in told.sent:
        if update.kind == "transfer":
            balance = _balance(agent, banks.account(update.id))
            assert balance in ((update.id,) if update.id in acknowledged else (0, update.id))
            arrived += balance + (ICP.fee if balance else 0)
    assert _balance(agent, {"owner": ANONYMOUS, "subaccount": None}) == GENESIS_ICP - arrived


def _balance(agent: Agent, account: Mapping[str, bytes | None]) -> int:
    answer = agent.query(ICP_LEDGER, "icrc1_balance_of", encode_one(interface.ACCOUNT, account))
    found: int = decode_one(NAT, answer["reply"]["arg"])
    return found
