"""Prices, shares and pro-rating are exact, cumulative and never more than the quote."""

from hypothesis import given
from hypothesis import strategies as st

from canisters.marketplace.core.model import Payee
from canisters.marketplace.core.pricing import earned, quote, seconds_used, split
from canisters.marketplace.core.types import BasisPoints, Tokens, total
from tests.marketplace.world import person

AMOUNT = st.integers(0, 2**80)


@given(AMOUNT, st.integers(1, 10**6), st.lists(st.integers(0, 10**5), max_size=30))
def test_settling_often_pays_as_much_as_settling_once(price: int, term: int, steps: list[int]) -> None:
    paid, elapsed = 0, 0
    for step in steps:
        elapsed += step
        paid += earned(Tokens(price), elapsed, term).base_units - paid
    assert paid == earned(Tokens(price), elapsed, term).base_units <= price


@given(AMOUNT, st.integers(1, 10**6), st.integers(-5, 10**6), st.integers(0, 10**6))
def test_what_is_earned_never_shrinks(price: int, term: int, elapsed: int, more: int) -> None:
    assert (
        earned(Tokens(price), elapsed, term) <= earned(Tokens(price), elapsed + more, term) <= Tokens(price)
    )


def test_what_is_earned_is_nothing_at_the_start_and_all_at_the_end() -> None:
    assert earned(Tokens(999), 0, 10) == Tokens(0)
    assert earned(Tokens(999), 10, 10) == earned(Tokens(999), 11, 10) == Tokens(999)


def test_division_by_zero_paid_time_is_the_whole_price_not_an_error() -> None:
    assert earned(Tokens(5), 0, 0) == Tokens(5)


@given(AMOUNT, st.lists(st.integers(1, 500), min_size=1, max_size=19))
def test_payees_get_exactly_the_amount_the_last_the_remainder(amount: int, parts: list[int]) -> None:
    shares = [*parts, 10_000 - sum(parts)]
    payees = tuple(Payee(person(str(at)), BasisPoints(share)) for at, share in enumerate(shares))
    paid = split(Tokens(amount), payees)
    assert total(part for _, part in paid) == Tokens(amount)
    assert [account for account, _ in paid] == [payee.account for payee in payees]
    for (_, part), share in list(zip(paid, shares, strict=True))[:-1]:
        assert part.base_units == amount * share // 10_000


@given(AMOUNT, AMOUNT, st.integers(0, 2**40), st.integers(1, 10**6), st.integers(0, 3_000), st.data())
def test_no_outcome_costs_more_than_the_quote(
    listing: int, data: int, rate: int, duration: int, platform: int, draw: st.DataObject
) -> None:
    most = quote(Tokens(listing), Tokens(data), Tokens(rate), duration, BasisPoints(platform))
    seconds = draw.draw(st.integers(0, duration))
    used = Tokens(rate).times(seconds) + earned(Tokens(listing), seconds, duration) + Tokens(data)
    assert used + used.share(BasisPoints(platform)) <= most.total_max


def test_seconds_that_began_are_counted_up_to_the_most() -> None:
    second = 1_000_000_000
    assert seconds_used(0, 0, 100) == 0
    assert seconds_used(0, 1, 100) == 1
    assert seconds_used(0, second, 100) == 1
    assert seconds_used(0, second + 1, 100) == 2
    assert seconds_used(0, 10**6 * second, 100) == 100
    assert seconds_used(second, 0, 100) == 0
