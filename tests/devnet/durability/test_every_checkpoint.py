"""Whichever checkpoint a node falls back to, calls that were in flight then end as they would have."""

from __future__ import annotations

import shutil
from pathlib import Path

from devnet.replica import IngressState, Reject
from tests.devnet.durability.bank import FUNDS, Books, bank_module
from tests.devnet.replica.harness import SMALL, FakeClock, Net, make_net

PAYMENTS = range(1, 10)
"""Ids; the seventh is refused by its payee."""


def test_every_checkpoint_leads_to_the_same_end(tmp_path: Path) -> None:
    clock = FakeClock()
    copies: list[Path] = []
    net = make_net(SMALL, tmp_path / "state", tmp_path / "cache", clock)
    first, second = (net.deploy(bank_module()) for _ in range(2))
    pairs = [(first, second)[:: 1 if identifier % 2 else -1] for identifier in PAYMENTS]
    requests = [
        net.submit(payer, "pay", identifier.to_bytes(4, "little") + payee)
        for identifier, (payer, payee) in zip(PAYMENTS, pairs, strict=True)
    ]
    more = True
    while more:
        net.replica.checkpoint()
        copies.append(tmp_path / f"copy-{len(copies)}")
        # The database and its log, as a process that ends here leaves them.
        shutil.copytree(tmp_path / "state", copies[-1])
        more = net.replica.run(1)
    expected = _end(net, first, second, requests)
    net.replica.close()
    assert len(copies) > 3 * len(PAYMENTS), "a payment takes three messages"
    assert expected[0].balance + expected[1].balance == 2 * FUNDS
    for folder in copies:
        again = make_net(SMALL, folder, tmp_path / "cache", clock)
        again.settle()
        assert _end(again, first, second, requests) == expected, folder.name
        again.replica.close()


def _end(
    net: Net, first: bytes, second: bytes, requests: list[bytes]
) -> tuple[Books, Books, list[bytes | Reject | None]]:
    """Both books without their ticks, and all answers."""
    books = [Books.read(net.query(bank, "books")) for bank in (first, second)]
    for identifier in PAYMENTS:
        taken = books[0].taken[identifier] + books[1].taken[identifier]
        assert taken == books[0].marks[identifier] + books[1].marks[identifier] == (identifier % 7 != 0)
    statuses = [net.replica.ingress_status(request) for request in requests]
    answers = [status.reply or status.reject for status in statuses if status]
    assert all(status and status.state is IngressState.REPLIED for status in statuses)
    return _still(books[0]), _still(books[1]), answers


def _still(books: Books) -> Books:
    return Books(books.balance, books.made, 0, books.marks, books.taken)
