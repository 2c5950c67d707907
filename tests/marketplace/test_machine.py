"""Random lives of many rentals, compared after every step with the model and with a ledger that loses
answers.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from canisters.marketplace.core import jobs, keys, ledger_journal, rentals
from canisters.marketplace.core.errors import (
    EvidenceRefused,
    InsufficientBalance,
    InvalidArgument,
    LedgerRefused,
    MarketError,
    Unavailable,
)
from canisters.marketplace.core.ledger_journal import Unanswered
from canisters.marketplace.core.transitions import TRANSITIONS, Kind
from canisters.marketplace.core.types import Seconds, Timestamp, Tokens
from tests.marketplace import model as second
from tests.marketplace.fake_ledger import MARKET, FakeLedger
from tests.marketplace.indexes import check_indexes
from tests.marketplace.world import (
    ARBITER,
    CO_AUTHOR,
    LEDGER_FEE,
    OPERATOR,
    OWNER,
    PUBLISHER,
    RENTER,
    REVIEW_S,
    SECOND,
    START,
    TREASURY,
    WORKER,
    World,
)

PEOPLE = {
    "publisher": PUBLISHER,
    "co-author": CO_AUTHOR,
    "owner": OWNER,
    "operator": OPERATOR,
    "renter": RENTER,
}
PICK = st.integers(0, 10**6)
FATES = st.sampled_from(("answered", "answered", "answered", "never arrived", "answer lost"))


def refusing(*_: Any) -> Any:
    raise EvidenceRefused("SignatureInvalid", "cpu.signature: does not verify", ())


class Market(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.ledger = FakeLedger(LEDGER_FEE)
        self.model = second.Model(REVIEW_S)
        self.created = 0

    @initialize()
    def open(self) -> None:
        self.world.listing = self.world.publish_listing(fee=Tokens(second.LISTING_FEE))
        self.world.dataset = self.world.publish_dataset(fee=Tokens(second.DATASET_FEE))
        self.world.offer = self.world.post_offer()
        for name in ("renter", "operator"):
            self.ledger.balances[PEOPLE[name]] = 3 * 10**6
            self.move_tokens(name, ledger_journal.DEPOSIT, 900_000, "answered")

    # --- Choosing ---

    @property
    def now(self) -> int:
        return (self.world.now - START) // SECOND

    def pick(self, pick: int, *statuses: str) -> int | None:
        """A rental in one of these statuses whose deadline is ahead."""
        fitting = [
            number
            for number, rental in enumerate(self.model.rentals)
            if rental.status in statuses and self.now < rental.deadline
        ]
        return fitting[pick % len(fitting)] if fitting else None

    def is_running(self, number: int) -> bool:
        rental = self.model.rentals[number]
        return rental.status == "running" and self.now < rental.deadline

    # --- Money ---

    def move_tokens(self, name: str, kind: str, amount: int, fate: str) -> None:
        self.created += 1
        created = Timestamp(self.world.now - self.created)
        try:
            begun = self.world.do(ledger_journal.begin, PEOPLE[name], kind, Tokens(amount), created)
        except InsufficientBalance:
            assert kind == ledger_journal.WITHDRAW and self.model.available[name] < amount
            return
        if kind == ledger_journal.WITHDRAW:
            self.model.available[name] -= amount
        self.call(begun.transfer.index, fate)

    def call(self, index: int, fate: str) -> None:
        transfer = self.world.state.transfers.get(index.to_bytes(8, "big"))
        assert transfer is not None
        outcome: ledger_journal.Outcome = Unanswered("no answer")
        if fate != "never arrived":
            answer = self.ledger.execute(self.world.state, transfer)
            outcome = answer if fate == "answered" else outcome
        after = self.world.do(ledger_journal.finish, transfer.owner, index, outcome)
        if transfer.state != after.state:
            name = next(name for name, owner in PEOPLE.items() if owner == transfer.owner)
            credited = (transfer.kind, after.state) in (("deposit", "done"), ("withdraw", "refused"))
            self.model.available[name] += transfer.amount.base_units if credited else 0

    @rule(name=st.sampled_from(("renter", "operator")), amount=st.integers(1, 900_000), fate=FATES)
    def deposit(self, name: str, amount: int, fate: str) -> None:
        self.move_tokens(name, ledger_journal.DEPOSIT, amount, fate)

    @rule(name=st.sampled_from(tuple(PEOPLE)), amount=st.integers(LEDGER_FEE + 1, 30_000), fate=FATES)
    def withdraw(self, name: str, amount: int, fate: str) -> None:
        self.move_tokens(name, ledger_journal.WITHDRAW, amount, fate)

    @rule(fate=FATES)
    def resume(self, fate: str) -> None:
        for transfer in self.world.do(ledger_journal.resumable, OPERATOR):
            self.call(transfer.index, fate)

    # --- Rentals ---

    @rule(rate=st.integers(10, 14), duration=st.integers(1, 500), timeout=st.integers(30, 2_000))
    def create(self, rate: int, duration: int, timeout: int) -> None:
        price = self.model.price(rate, duration)
        try:
            self.world.create(
                max_rate_per_second=Tokens(rate),
                max_duration_s=Seconds(duration),
                queue_timeout_s=Seconds(timeout),
            )
        except InsufficientBalance as refused:
            assert (refused.available, refused.required) == (self.model.available["renter"], price)
        else:
            self.model.create(self.now, rate, duration, timeout)

    @rule(pick=PICK)
    def claim(self, pick: int) -> None:
        self.claim_one(self.pick(pick, "queued"))

    def claim_one(self, number: int | None) -> None:
        if number is None:
            return
        rental = self.model.rentals[number]
        try:
            self.world.claim(number)
        except InsufficientBalance:
            assert self.model.available["operator"] < rental.rate * rental.duration * 3 // 10
        except InvalidArgument:
            assert self.model.must_wait(self.now, rental)
        else:
            assert not self.model.must_wait(self.now, rental)
            self.model.claim(self.now, rental)

    @rule(pick=PICK, good=st.sampled_from((True, True, True, False)))
    def attest(self, pick: int, good: bool) -> None:
        self.attest_one(self.pick(pick, "attesting"), good)

    def attest_one(self, number: int | None, good: bool) -> None:
        if number is None or self.model.rentals[number].status != "attesting":
            return
        nonce = self.world.challenge(number).nonce
        if good:
            self.world.submit(number, nonce)
            self.model.attested(self.now, self.model.rentals[number])
        else:
            assert isinstance(self.world.submit(number, nonce, refusing), EvidenceRefused)
            self.model.refused(self.now, self.model.rentals[number])

    @rule(
        rate=st.integers(10, 14),
        duration=st.integers(1, 500),
        needed=st.sampled_from(((), ("listing",), ("listing", "dataset"))),
        seconds=st.integers(0, 119),
        what=st.sampled_from(("heartbeat", "checkpoint", "finish")),
    )
    def live(self, rate: int, duration: int, needed: tuple[str, ...], seconds: int, what: str) -> None:
        """Most of a life in one step, so that the later parts are reached often."""
        number = len(self.model.rentals)
        self.create(rate, duration, 600)
        if len(self.model.rentals) == number:
            return
        self.claim_one(number)
        self.attest_one(number, True)
        for kind in needed:
            self.release_one(number, kind)
        self.world.later(seconds)
        self.work_one(number, what)

    @rule(pick=PICK, kind=st.sampled_from(("listing", "dataset")))
    def release(self, pick: int, kind: str) -> None:
        self.release_one(self.pick(pick, "running"), kind)

    def release_one(self, number: int | None, kind: str) -> None:
        if number is not None and self.is_running(number):
            item = {"listing": self.world.listing.id, "dataset": self.world.dataset.id}[kind]
            try:
                self.world.release(number, keys.Item(kind, item))
            except MarketError as refused:
                assert "released 3 times" in str(refused)
            self.model.rentals[number].keys.add(kind)

    @rule(pick=PICK, what=st.sampled_from(("heartbeat", "checkpoint", "finish")))
    def work(self, pick: int, what: str) -> None:
        self.work_one(self.pick(pick, "running"), what)

    def work_one(self, number: int | None, what: str) -> None:
        if number is None or not self.is_running(number):
            return
        getattr(self.world, what)(number)
        act = {
            "heartbeat": self.model.alive,
            "checkpoint": self.model.checkpoint,
            "finish": self.model.result,
        }
        act[what](self.now, self.model.rentals[number])

    @rule(pick=PICK)
    def hand_back(self, pick: int) -> None:
        number = self.pick(pick, "attesting", "running")
        if number is not None:
            self.world.do(jobs.hand_back, WORKER, number, "SIGTERM")
            self.model.handed_back(self.now, self.model.rentals[number])

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        number = self.pick(pick, "queued", "running")
        if number is not None:
            self.world.do(rentals.cancel, RENTER, number)
            self.model.cancel(self.now, self.model.rentals[number])

    @rule(pick=PICK, act=st.sampled_from(("accept", "dispute")))
    def review(self, pick: int, act: str) -> None:
        number = self.pick(pick, "settling")
        if number is None:
            return
        rental = self.model.rentals[number]
        if act == "accept":
            self.world.do(rentals.accept, RENTER, number)
            self.model.close(rental, "succeeded", rental.used, success=True)
        else:
            self.world.do(rentals.dispute, RENTER, number, "empty")
            rental.status, rental.deadline = "disputed", self.now + second.RULING

    @rule(pick=PICK)
    def fetch_result(self, pick: int) -> None:
        over = [n for n, r in enumerate(self.model.rentals) if r.status == "succeeded"]
        if over:
            number = over[pick % len(over)]
            item = keys.Item("result", str(number))
            self.world.do(keys.record, RENTER, self.world.do(keys.authorise, RENTER, item, None, bytes(48)))

    @rule(how=st.sampled_from(("refuse", "hand back", "silence", "no evidence", "keep none")))
    def exhaust(self, how: str) -> None:
        """A rental that every attempt fails, until it has failed itself."""
        number = len(self.model.rentals)
        self.create(10, 500, 2 * second.PAUSE)
        if len(self.model.rentals) == number:
            return
        while self.model.rentals[number].status == "queued" and self.pick_one(number):
            self.claim_one(number)
            if self.model.rentals[number].status == "attesting":
                self.fail(number, how)
            elif self.model.must_wait(self.now, self.model.rentals[number]):
                self.world.later(second.PAUSE)
                self.reap()
            else:
                return

    def fail(self, number: int, how: str) -> None:
        if how in ("silence", "keep none"):
            self.attest_one(number, True)
        if how == "refuse":
            self.attest_one(number, False)
        elif how in ("hand back", "keep none"):
            self.world.do(jobs.hand_back, WORKER, number, "SIGTERM")
            self.model.handed_back(self.now, self.model.rentals[number])
        else:
            self.overdue_one(number)

    def pick_one(self, number: int) -> bool:
        return self.now < self.model.rentals[number].deadline

    @rule(pick=PICK, status=st.sampled_from(("queued", "attesting", "running", "settling", "disputed")))
    def overdue(self, pick: int, status: str) -> None:
        """The time of one rental's deadline comes, to the second."""
        self.overdue_one(self.pick(pick, status))

    def overdue_one(self, number: int | None) -> None:
        if number is not None:
            self.world.later(self.model.rentals[number].deadline - self.now)
            self.reap()

    @rule(pick=PICK, succeeded=st.booleans())
    def rule_dispute(self, pick: int, succeeded: bool) -> None:
        number = self.pick(pick, "disputed")
        if number is None:
            return
        self.world.do(rentals.rule, ARBITER, number, succeeded, "seen")
        rental = self.model.rentals[number]
        if succeeded:
            self.model.close(rental, "succeeded", rental.used, success=True)
        else:
            self.model.close(rental, "failed", 0, 10_000)

    @rule(seconds=st.sampled_from((1, 7, 30, 61, 119, 120, 600, 3_600, second.RULING)), reap=st.booleans())
    def time_passes(self, seconds: int, reap: bool) -> None:
        self.world.later(seconds)
        if reap:
            self.reap()

    def reap(self) -> None:
        reaped = set()
        while batch := self.world.reap():
            reaped.update(batch)
        due = {
            n
            for n, r in enumerate(self.model.rentals)
            if r.status not in second.OVER and r.deadline <= self.now
        }
        assert reaped == due
        for number in sorted(due, key=lambda n: (self.model.rentals[n].deadline, n)):
            self.model.overdue(self.now, self.model.rentals[number])
        assert not self.world.reported

    @precondition(lambda self: self.model.platform + self.model.treasury > 0)
    @rule()
    def treasury_withdraws_nothing_yet(self) -> None:
        """A withdrawal of the treasury that is too large changes nothing, not even by its sweep."""
        before = self.world.snapshot()
        try:
            self.world.do(
                ledger_journal.begin,
                TREASURY,
                ledger_journal.WITHDRAW,
                Tokens(10**9),
                Timestamp(self.world.now),
            )
        except (InsufficientBalance, LedgerRefused, Unavailable):
            assert self.world.snapshot() == before

    @rule()
    def upgrade(self) -> None:
        self.world.reopen()

    # --- What always holds ---

    @invariant()
    def statuses_agree(self) -> None:
        for number, rental in enumerate(self.model.rentals):
            assert self.world.rental(number).status.value == rental.status

    @invariant()
    def balances_agree(self) -> None:
        for name, owner in PEOPLE.items():
            assert self.world.available(owner) == self.model.available[name], name
        assert self.world.account("platform") == self.model.platform
        assert self.world.account("treasury") == self.model.treasury
        for number, rental in enumerate(self.model.rentals):
            assert self.world.account(f"escrow/{number}") == rental.escrow
            assert self.world.account(f"bond/{number}") == rental.bond

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        book = self.world.book()
        assert sum(book.values()) == 0
        assert all(amount > 0 for account, amount in book.items() if account != "external")

    @invariant()
    def the_ledger_covers_the_book(self) -> None:
        """Assets equal the marketplace's tokens, but for transfers whose answer is still missing."""
        pending = [t for t in self.transfers() if t.state == "pending"]
        executed = [t for t in pending if self.executed(t)]
        pulled = sum(t.amount.base_units for t in executed if t.kind == "deposit")
        pushed = sum(t.amount.base_units for t in executed if t.kind == "withdraw")
        held = -self.world.book().get("external", 0)
        assert self.ledger.balances.get(MARKET, 0) == held + pulled - pushed

    @invariant()
    def over_is_over(self) -> None:
        for number, rental in enumerate(self.model.rentals):
            if rental.status in second.OVER:
                assert self.world.account(f"escrow/{number}") == self.world.account(f"bond/{number}") == 0
                assert self.world.rental(number).deadline is None

    @invariant()
    def indexes_agree_with_the_records(self) -> None:
        check_indexes(self.world)

    def transfers(self) -> list[Any]:
        return [row for _, row in self.world.state.transfers.range(b"", None, 10**9)]

    def executed(self, transfer: Any) -> bool:
        memo = ledger_journal.memo(self.world.state, transfer)
        return any(block[4] == memo for block in self.ledger.blocks)


Market.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestMarket = Market.TestCase


def invariants(market: Market) -> None:
    for check in (
        market.statuses_agree,
        market.balances_agree,
        market.nothing_is_made_or_lost,
        market.the_ledger_covers_the_book,
        market.over_is_over,
        market.indexes_agree_with_the_records,
    ):
        check()


def test_every_transition_is_compared_with_the_model() -> None:
    """The random lives above need not reach every row of the table; these do."""
    market = Market()
    market.open()
    for name in ("renter", "operator"):
        market.ledger.balances[PEOPLE[name]] = 10**8
        market.move_tokens(name, ledger_journal.DEPOSIT, 5 * 10**7, "answered")
    for how in ("refuse", "hand back", "silence", "no evidence", "keep none"):
        market.exhaust(how)
        invariants(market)
    needed = ("listing", "dataset")
    for last in ("accept", "review over", "succeeded", "failed", "no ruling"):
        market.live(10, 500, needed, 100, "finish")
        number = len(market.model.rentals) - 1
        if last == "accept":
            market.review(0, "accept")
        elif last == "review over":
            market.overdue_one(number)
        else:
            market.review(0, "dispute")
            if last == "no ruling":
                market.overdue_one(number)
            else:
                market.rule_dispute(0, last == "succeeded")
        invariants(market)
    market.fetch_result(0)
    market.live(10, 500, needed, 100, "checkpoint")
    market.live(10, 60, needed, 30, "heartbeat")
    market.overdue(0, "running")
    market.overdue(0, "running")
    market.live(10, 500, (), 50, "heartbeat")
    market.cancel(0)
    for end in (market.cancel, lambda pick: market.overdue(pick, "queued")):
        market.create(10, 500, 600)
        end(0)
        invariants(market)
    assert logged(market) == {
        (row.source.value if row.source else "", row.kind.value, target.value)
        for row in TRANSITIONS
        for target in row.targets
        if row.kind not in (Kind.CHALLENGE, Kind.PROGRESS)  # which every life above has, but no log
    }


def logged(market: Market) -> set[tuple[str, str, str]]:
    rows = market.world.state.events.range(b"", None, 10**9)
    return {(event.source, event.kind, event.target) for _, event in rows}
