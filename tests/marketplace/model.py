"""The marketplace again, as simply as it can be said: a second opinion on every status and every amount.

It shares no code with the core. Times are whole seconds; a rental is a dict of plain numbers; nothing is
journalled.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LISTING_FEE, DATASET_FEE = 100_003, 20_011
PAYEES = (("publisher", 7_000), ("co-author", 3_000))
PLATFORM_BPS = 500
OFFER_RATE, BOND_BPS = 10, 3_000
HEARTBEAT, ATTESTATION, RULING = 120, 600, 30 * 86_400
PAUSE, FRUITLESS = 3_600, 2
OVER = ("succeeded", "cancelled", "expired", "failed")


@dataclass
class Rental:
    duration: int
    queue_timeout: int
    escrow: int
    deadline: int
    status: str = "queued"
    bond: int = 0
    failures: int = 0
    hand_backs: int = 0
    billed: int = 0
    compute: int = 0
    started: int = 0
    saved: int = 0
    used: int = 0
    keys: set[str] = field(default_factory=set)
    rate: int = 0
    fruitless: list[int] = field(default_factory=list)


class Model:
    def __init__(self, review: int) -> None:
        self.review = review
        self.available = dict.fromkeys(("publisher", "co-author", "owner", "operator", "renter"), 0)
        self.platform = 0
        self.treasury = 0
        self.rentals: list[Rental] = []

    @staticmethod
    def price(rate: int, duration: int) -> int:
        base = LISTING_FEE + DATASET_FEE + rate * duration
        return base + base * PLATFORM_BPS // 10_000

    def create(self, now: int, rate: int, duration: int, queue_timeout: int) -> None:
        price = self.price(rate, duration)
        self.available["renter"] -= price
        self.rentals.append(Rental(duration, queue_timeout, price, now + queue_timeout, rate=rate))

    def must_wait(self, now: int, r: Rental) -> bool:
        return sum(now < ended + PAUSE for ended in r.fruitless) >= FRUITLESS

    def claim(self, now: int, r: Rental) -> None:
        r.bond = r.rate * r.duration * BOND_BPS // 10_000
        self.available["operator"] -= r.bond
        r.status, r.deadline = "attesting", now + ATTESTATION

    def attested(self, now: int, r: Rental) -> None:
        r.status, r.started, r.saved, r.used = "running", now, 0, 0
        self.alive(now, r)

    def alive(self, now: int, r: Rental) -> None:
        r.deadline = min(now + HEARTBEAT, r.started + r.duration - r.billed)

    def checkpoint(self, now: int, r: Rental) -> None:
        r.saved = now - r.started
        self.alive(now, r)

    def result(self, now: int, r: Rental) -> None:
        r.used, r.status, r.deadline = now - r.started, "settling", now + self.review

    def cancel(self, now: int, r: Rental) -> None:
        self.close(r, "cancelled", now - r.started if r.status == "running" else 0)

    def refused(self, now: int, r: Rental) -> None:
        r.failures += 1
        self.again(now, r, 0, 0)

    def handed_back(self, now: int, r: Rental) -> None:
        r.hand_backs += 1
        self.again(now, r, r.saved if r.status == "running" else 0, 0)

    def overdue(self, now: int, r: Rental) -> None:
        if r.status == "queued":
            self.close(r, "expired", 0)
        elif r.status == "attesting":
            r.failures += 1
            self.again(now, r, 0, 500)
        elif r.status == "running" and r.deadline == r.started + r.duration - r.billed:
            self.close(r, "failed", r.saved)
        elif r.status == "running":
            r.failures += 1
            self.again(now, r, r.saved, 500)
        else:
            self.close(r, "succeeded", r.used, success=True)

    def again(self, now: int, r: Rental, seconds: int, slash_bps: int) -> None:
        if r.status == "attesting":
            r.fruitless.append(now)
        if r.failures >= 3 or r.hand_backs >= 10 or r.billed + seconds >= r.duration:
            self.close(r, "failed", seconds, slash_bps)
            return
        self.pay_operator(r, seconds, slash_bps)
        r.status, r.deadline = "queued", now + r.queue_timeout

    def pay_operator(self, r: Rental, seconds: int, slash_bps: int) -> None:
        earned = OFFER_RATE * seconds
        lost = r.bond * slash_bps // 10_000
        r.escrow -= earned
        r.billed += seconds
        r.compute += earned
        self.available["operator"] += earned + r.bond - lost
        self.treasury += lost
        r.bond = 0
        r.saved = r.used = 0

    def close(self, r: Rental, status: str, seconds: int, slash_bps: int = 0, success: bool = False) -> None:
        self.pay_operator(r, seconds, slash_bps)
        listing = self.fee(r, "listing", LISTING_FEE, success)
        data = self.fee(r, "dataset", DATASET_FEE, success)
        first = listing * PAYEES[0][1] // 10_000
        self.available["publisher"] += first
        self.available["co-author"] += listing - first
        self.available["owner"] += data
        share = (listing + data + r.compute) * PLATFORM_BPS // 10_000
        self.platform += share
        self.available["renter"] += r.escrow - listing - data - share
        r.escrow, r.status = 0, status

    @staticmethod
    def fee(r: Rental, key: str, fee: int, success: bool) -> int:
        if key not in r.keys:
            return 0
        return fee if success else fee * r.billed // r.duration
