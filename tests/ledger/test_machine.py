"""Any sequence of requests: the ledger agrees with a replay of its blocks, and refusals change nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from canisters.ledger.core.accounts import Account
from canisters.ledger.core.errors import Duplicate, LedgerError
from canisters.ledger.core.requests import Approval, Transfer
from tests.ledger.memory import ALICE, BOB, CAROL, FEE, MINTER, NOW, memory_storage, new_ledger, rows_of
from tests.ledger.replay import Replay, blocks_of, chain_hash

ACCOUNTS = [ALICE, BOB, CAROL, Account(b"alice", b"\x01" * 32), MINTER]
accounts = st.sampled_from(ACCOUNTS)
amounts = st.integers(0, 400)
fees = st.sampled_from([None, None, FEE, 0, FEE + 1])
offsets = st.sampled_from([None, 0, 1])


class LedgerMachine(RuleBasedStateMachine):
    """Requests at random; time goes on by itself."""

    @initialize(balances=st.lists(st.tuples(accounts.filter(lambda a: a != MINTER), amounts), max_size=5))
    def install(self, balances: list[tuple[Account, int]]) -> None:
        self.now = NOW
        self.storage = memory_storage()
        self.ledger = new_ledger(self.storage, *balances)
        self.expirations: dict[tuple[Account, Account], int | None] = {}

    @rule(seconds=st.integers(1, 60_000))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1_000_000_000

    @rule(
        source=accounts, to=accounts, amount=amounts, fee=fees, offset=offsets, spender=st.none() | accounts,
        twice=st.booleans(),
    )  # fmt: skip
    def transfer(
        self,
        source: Account,
        to: Account,
        amount: int,
        fee: int | None,
        offset: int | None,
        spender: Account | None,
        twice: bool,
    ) -> None:
        created_at = None if offset is None else self.now - offset
        self._send(Transfer(source, to, amount, fee, None, created_at, spender), twice)

    @rule(
        source=accounts, spender=accounts, amount=amounts, expected=st.none() | amounts, fee=fees,
        offset=offsets, lasting=st.none() | st.integers(-1, 50_000), twice=st.booleans(),
    )  # fmt: skip
    def approve(
        self,
        source: Account,
        spender: Account,
        amount: int,
        expected: int | None,
        fee: int | None,
        offset: int | None,
        lasting: int | None,
        twice: bool,
    ) -> None:
        created_at = None if offset is None else self.now - offset
        expires_at = None if lasting is None else self.now + lasting * 1_000_000_000
        request = Approval(source, spender, amount, expected, expires_at, fee, None, created_at)
        if self._send(request, twice):
            self.expirations[source, spender] = expires_at

    def _send(self, request: Transfer | Approval, twice: bool) -> bool:
        before = rows_of(self.storage)
        try:
            index = self._once(request)
        except LedgerError:
            assert rows_of(self.storage) == before
            return False
        if twice and request.created_at is not None:
            after = rows_of(self.storage)
            try:
                self._once(request)
                raise AssertionError("the repetition was carried out")
            except Duplicate as error:
                assert error.fields == {"duplicate_of": index}
            assert rows_of(self.storage) == after
        return True

    def _once(self, request: Transfer | Approval) -> int:
        if isinstance(request, Transfer):
            return self.ledger.transfer(request, self.now)
        return self.ledger.approve(request, self.now)

    @invariant()
    def the_log_replays_to_the_state(self) -> None:
        blocks = blocks_of(self.ledger)
        assert chain_hash(blocks) == self.ledger.blocks.tip().hash
        replay = Replay(blocks)
        for account in ACCOUNTS:
            value = account.value()
            assert isinstance(value, list)
            assert self.ledger.balance_of(account) == replay.balances[tuple(value)] >= 0  # type: ignore[index]
            for spender in ACCOUNTS:
                self._check_allowance(replay, account, spender)
        assert self.ledger.total_supply() == replay.supply == sum(replay.balances.values())
        assert all(balance[1:] != bytes(16) for _, balance in self.storage.balances.range(None, None, 99))

    def _check_allowance(self, replay: Replay, account: Account, spender: Account) -> None:
        key = tuple(account.value()), tuple(spender.value())  # type: ignore[arg-type]
        end = self.expirations.get((account, spender))
        expected = 0 if end is not None and end <= self.now else replay.allowances[key]
        assert self.ledger.allowance(account, spender, self.now).amount == expected


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
