"""The system canisters as messages reach them, through the replica."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from devnet.principal import ANONYMOUS, canister_id
from devnet.replica import prices
from devnet.replica.candid import NAT, TEXT, CandidType, Record, decode_one, encode_one
from devnet.system import interface
from devnet.system.accounts import (
    CYCLES_LEDGER,
    ICP_LEDGER,
    MINTING,
    account_identifier,
    principal_subaccount,
)
from devnet.system.canisters import GENESIS_CYCLES, GENESIS_ICP
from devnet.system.cycles_ledger import CYCLES
from devnet.system.icp_ledger import ICP
from devnet.system.minting import XDR_PERMYRIAD_PER_ICP
from tests.devnet.replica.agent import AGENT
from tests.devnet.replica.harness import OTHER_USER, START_NS, SUBNET_ID, USER, Net, rejected
from tests.devnet.replica.test_calls import target
from tests.devnet.replica.test_queries import COMPOSITE
from tests.devnet.system.conftest import open_net

T = 10**12
MINT, TOP_UP, CREATE = 0x544E494D, 0x50555054, 0x41455243
"""Memos of payments, as the Internet Computer's tools write them."""


def filled(kind: CandidType, value: Any) -> Any:
    """Absent fields of records are None, all the way down."""
    if isinstance(kind, Record):
        return {name: filled(inner, value.get(name)) for name, inner in kind.fields.items()}
    return value


def ask(
    net: Net, canister: bytes, method: str, argument: CandidType | None, result: CandidType, **value: Any
) -> Any:
    arg = encode_one(argument, filled(argument, value) if argument else None)
    return decode_one(result, net.query(canister, method, arg))


def tell(
    net: Net,
    canister: bytes,
    method: str,
    argument: CandidType,
    result: CandidType,
    sender: bytes = USER,
    **value: Any,
) -> Any:
    return decode_one(
        result, net.update(canister, method, encode_one(argument, filled(argument, value)), sender)
    )


def balance(net: Net, ledger: bytes, owner: bytes) -> int:
    found: int = ask(net, ledger, "icrc1_balance_of", interface.ACCOUNT, NAT, owner=owner)
    return found


def transfer(net: Net, ledger: bytes, to: bytes, amount: int, sender: bytes = ANONYMOUS, **more: Any) -> Any:
    args, result = interface.TRANSFER_ARGS, interface.TRANSFER
    to_account = {"owner": to}
    return tell(net, ledger, "icrc1_transfer", args, result, sender, to=to_account, amount=amount, **more)


def pay(net: Net, beneficiary: bytes, amount: int, memo: int, sender: bytes = USER) -> int:
    """Pay ICP to the cycles minting canister; returns the block's index."""
    answer = tell(
        net,
        ICP_LEDGER,
        "transfer",
        interface.LEGACY_TRANSFER_ARGS,
        interface.LEGACY_TRANSFER,
        sender,
        memo=memo,
        amount={"e8s": amount},
        fee={"e8s": ICP.fee},
        to=account_identifier(MINTING, principal_subaccount(beneficiary)),
    )
    assert answer[0] == "Ok", answer
    return int(answer[1])


@pytest.fixture
def rich(net: Net) -> Net:
    """USER has 100 ICP and 100 T cycles."""
    assert transfer(net, ICP_LEDGER, USER, 100 * 10**8)[0] == "Ok"
    assert transfer(net, CYCLES_LEDGER, USER, 100 * T)[0] == "Ok"
    return net


def test_all_tokens_belong_to_the_anonymous_principal_at_first(net: Net) -> None:
    assert balance(net, ICP_LEDGER, ANONYMOUS) == GENESIS_ICP
    assert balance(net, CYCLES_LEDGER, ANONYMOUS) == GENESIS_CYCLES
    assert ask(net, ICP_LEDGER, "icrc1_total_supply", None, NAT) == GENESIS_ICP


def test_ledgers_describe_themselves(net: Net) -> None:
    assert ask(net, ICP_LEDGER, "icrc1_symbol", None, TEXT) == "ICP"
    assert ask(net, CYCLES_LEDGER, "icrc1_symbol", None, TEXT) == "TCYCLES"
    assert ask(net, ICP_LEDGER, "icrc1_decimals", None, interface.NAT8) == 8
    assert ask(net, CYCLES_LEDGER, "icrc1_fee", None, NAT) == CYCLES.fee
    metadata = dict(ask(net, ICP_LEDGER, "icrc1_metadata", None, interface.METADATA))
    assert metadata["icrc1:name"] == ("Text", "Internet Computer")


def test_the_account_identifier_is_the_one_the_internet_computer_computes(net: Net) -> None:
    """The anonymous principal's, as any ICP wallet shows it."""
    expected = "1c7a48ba6a562aa9eaa2481a9049cdf0433b9738c992d698c31d8abf89cadc79"
    assert account_identifier(ANONYMOUS).hex() == expected


def test_a_refused_transfer_changes_nothing(net: Net) -> None:
    answer = transfer(net, ICP_LEDGER, OTHER_USER, 5, sender=USER)
    assert answer == ("Err", ("InsufficientFunds", {"balance": 0}))
    assert balance(net, ICP_LEDGER, OTHER_USER) == 0


def test_cycles_are_minted_once_for_a_payment(rich: Net) -> None:
    block = pay(rich, USER, 2 * 10**8, MINT)
    before = balance(rich, CYCLES_LEDGER, USER)
    args, result = interface.NOTIFY_MINT_ARGS, interface.NOTIFY_MINT
    minted = 2 * 10**8 * XDR_PERMYRIAD_PER_ICP
    for _ in range(2):
        kind, answer = tell(rich, MINTING, "notify_mint_cycles", args, result, block_index=block)
        assert (kind, answer["minted"]) == ("Ok", minted)
        assert balance(rich, CYCLES_LEDGER, USER) == before + minted - CYCLES.fee == answer["balance"]
    top_up = (MINTING, "notify_top_up", interface.NOTIFY_TOP_UP_ARGS, interface.NOTIFY_TOP_UP)
    assert tell(rich, *top_up, block_index=block, canister_id=canister_id(7))[0] == "Err"


def test_a_payment_counts_only_for_its_beneficiary_and_purpose(rich: Net) -> None:
    block = pay(rich, USER, 10**8, TOP_UP)
    args, result = interface.NOTIFY_MINT_ARGS, interface.NOTIFY_MINT
    for sender, index in ((USER, block), (OTHER_USER, block), (USER, 0), (USER, 10**6)):
        answer = tell(rich, MINTING, "notify_mint_cycles", args, result, sender, block_index=index)
        assert (answer[0], answer[1][0]) == ("Err", "InvalidTransaction")
    burnt = ask(rich, ICP_LEDGER, "icrc1_total_supply", None, NAT)
    assert burnt == GENESIS_ICP - 2 * ICP.fee


def test_a_canister_is_topped_up_with_icp(rich: Net) -> None:
    canister = rich.create(cycles=T)
    block = pay(rich, canister, 10**8, TOP_UP)
    top_up = (MINTING, "notify_top_up", interface.NOTIFY_TOP_UP_ARGS, interface.NOTIFY_TOP_UP)
    paid = 10**8 * XDR_PERMYRIAD_PER_ICP
    for _ in range(2):
        assert tell(rich, *top_up, block_index=block, canister_id=canister) == ("Ok", paid)
    assert T + paid - 10**9 < rich.status(canister)["cycles"] <= T + paid


def test_a_failed_top_up_keeps_the_payment_for_another_try(rich: Net) -> None:
    missing = canister_id(0x8000_0000_0010_0000)
    block = pay(rich, missing, 10**8, TOP_UP)
    top_up = (MINTING, "notify_top_up", interface.NOTIFY_TOP_UP_ARGS, interface.NOTIFY_TOP_UP)
    assert tell(rich, *top_up, block_index=block, canister_id=missing)[0] == "Err"
    assert rich.create(cycles=T) == missing
    assert tell(rich, *top_up, block_index=block, canister_id=missing)[0] == "Ok"


def test_a_canister_is_created_with_icp_for_its_controller(rich: Net) -> None:
    block = pay(rich, USER, 10**8, CREATE)
    create = (MINTING, "notify_create_canister", interface.NOTIFY_CREATE_ARGS, interface.NOTIFY_CREATE)
    refused = tell(rich, *create, OTHER_USER, block_index=block, controller=USER)
    assert refused[1][0] == "InvalidTransaction"
    kind, created = tell(rich, *create, block_index=block, controller=USER)
    assert kind == "Ok"
    assert tell(rich, *create, block_index=block, controller=USER) == (kind, created)
    assert rich.status(created)["settings"]["controllers"] == [USER]


CREATION = (CYCLES_LEDGER, "create_canister", interface.CREATE_ARGS, interface.CREATE)


def test_the_cycles_ledger_creates_a_canister_with_settings(rich: Net) -> None:
    settings = {**dict.fromkeys(interface.SETTINGS.fields), "freezing_threshold": 5}
    subnet = ("Subnet", {"subnet": SUBNET_ID})
    creation = {"settings": settings, "subnet_selection": subnet}
    before = balance(rich, CYCLES_LEDGER, USER)
    kind, created = tell(rich, *CREATION, amount=2 * T, creation_args=creation)
    assert kind == "Ok"
    assert before - balance(rich, CYCLES_LEDGER, USER) == 2 * T + CYCLES.fee
    status = rich.status(created["canister_id"])
    assert status["settings"]["controllers"] == [USER]
    assert status["settings"]["freezing_threshold"] == 5
    assert 2 * T - prices.CREATE_CANISTER - 10**9 < status["cycles"] <= 2 * T - prices.CREATE_CANISTER


def test_a_creation_that_fails_costs_nothing(rich: Net) -> None:
    before = balance(rich, CYCLES_LEDGER, USER)
    elsewhere = {"settings": None, "subnet_selection": ("Subnet", {"subnet": b"\x07" * 29})}
    for amount, creation, case in (
        (T // 10, None, "FailedToCreate"),
        (2 * T, elsewhere, "FailedToCreate"),
        (200 * T, None, "InsufficientFunds"),
    ):
        answer = tell(rich, *CREATION, amount=amount, creation_args=creation)
        assert (answer[0], answer[1][0]) == ("Err", case)
    assert balance(rich, CYCLES_LEDGER, USER) == before


def test_a_repeated_creation_names_the_first_canister(rich: Net) -> None:
    _, first = tell(rich, *CREATION, amount=2 * T, created_at_time=START_NS)
    kind, (case, fields) = tell(rich, *CREATION, amount=2 * T, created_at_time=START_NS)
    assert (kind, case) == ("Err", "Duplicate")
    assert fields == {"duplicate_of": first["block_id"], "canister_id": first["canister_id"]}


WITHDRAWAL = (CYCLES_LEDGER, "withdraw", interface.WITHDRAW_ARGS, interface.WITHDRAW)


def test_cycles_are_withdrawn_to_canisters_only(rich: Net) -> None:
    canister = rich.create(cycles=T)
    before = balance(rich, CYCLES_LEDGER, USER)
    assert tell(rich, *WITHDRAWAL, amount=T, to=OTHER_USER)[1][0] == "InvalidReceiver"
    missing = tell(rich, *WITHDRAWAL, amount=T, to=canister_id(99))
    assert missing[1][1]["rejection_code"] == ("DestinationInvalid", None)
    assert balance(rich, CYCLES_LEDGER, USER) == before
    assert tell(rich, *WITHDRAWAL, amount=T, to=canister)[0] == "Ok"
    assert before - balance(rich, CYCLES_LEDGER, USER) == T + CYCLES.fee


def test_a_canister_deposits_its_cycles_and_gets_the_rest_back(rich: Net) -> None:
    """The agent's calls go to the cycles ledger, whose id lies at address 900."""
    wat = AGENT.replace(
        "(call $call_new\n        (i32.const 0) (i32.const 0)\n        (i32.const 1009)",
        f"(i64.store (i32.const 900) (i64.const {int.from_bytes(CYCLES_LEDGER[:8], 'little')}))"
        "(i32.store16 (i32.const 908) (i32.const 0x0101))"
        "(call $call_new\n        (i32.const 900) (i32.const 10)\n        (i32.const 1009)",
    )
    assert wat != AGENT
    canister = rich.deploy(wat)

    def deposit(argument: bytes, cycles: int) -> bytes:
        header = cycles.to_bytes(8, "little") + bytes([len("deposit")]) + b"deposit"
        return rich.update(canister, "manage", header + argument)

    argument = encode_one(
        interface.DEPOSIT_ARGS, filled(interface.DEPOSIT_ARGS, {"to": {"owner": OTHER_USER}})
    )
    answer = decode_one(interface.DEPOSIT, deposit(argument, 3 * T))
    assert answer["balance"] == 3 * T - CYCLES.fee == balance(rich, CYCLES_LEDGER, OTHER_USER)
    before = rich.status(canister)["cycles"]
    assert "100000000" in rejected(lambda: deposit(argument, 5)).message
    assert before - rich.status(canister)["cycles"] < 10**9
    assert balance(rich, CYCLES_LEDGER, OTHER_USER) == 3 * T - CYCLES.fee


def test_a_composite_query_asks_them(net: Net) -> None:
    """The test canister appends one byte to the answer, or answers with the reject code."""
    canister = net.deploy(COMPOSITE)
    answer = net.query(canister, "ask", target(ICP_LEDGER, "icrc1_symbol"))
    assert decode_one(TEXT, answer[:-1]) == "ICP"
    assert net.query(canister, "ask", target(ICP_LEDGER, "icrc1_transfer")) == b"\x05"


def test_what_is_no_method_or_no_candid_is_rejected(net: Net) -> None:
    assert rejected(lambda: net.update(ICP_LEDGER, "no_such_method", b"DIDL\0\0")).error_code == "IC0536"
    assert rejected(lambda: net.query(ICP_LEDGER, "icrc1_transfer", b"DIDL\0\0")).error_code == "IC0536"
    for garbage in (b"", b"DIDL", b"DIDL\0\0", b"DIDL\x00\x01\x7d\x05"):
        trapped = rejected(partial(net.update, ICP_LEDGER, "icrc1_transfer", garbage))
        assert trapped.error_code == "IC0503"
    short = encode_one(interface.ACCOUNT, {"owner": USER, "subaccount": b"short"})
    assert "32 bytes" in rejected(lambda: net.query(ICP_LEDGER, "icrc1_balance_of", short)).message


def test_their_ids_cannot_be_taken_and_they_are_no_subjects_of_management(net: Net) -> None:
    taken = rejected(
        lambda: net.manage(
            "provisional_create_canister_with_cycles", settings=None, amount=None, specified_id=ICP_LEDGER
        )
    )
    assert taken.error_code == "IC0205"
    assert rejected(lambda: net.status(ICP_LEDGER)).error_code == "IC0301"


def test_tokens_survive_a_restart_and_are_issued_once(tmp_path: Path) -> None:
    net = open_net(tmp_path)
    transfer(net, ICP_LEDGER, USER, 5, created_at_time=START_NS)
    net.replica.close()
    again = open_net(tmp_path)
    assert balance(again, ICP_LEDGER, USER) == 5
    assert balance(again, ICP_LEDGER, ANONYMOUS) == GENESIS_ICP - 5 - ICP.fee
    assert transfer(again, ICP_LEDGER, USER, 5, created_at_time=START_NS)[1][0] == "Duplicate"
    again.replica.close()
