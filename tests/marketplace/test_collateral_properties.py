"""Whatever is posted in whatever order: the newest that the vendor signed is held, and nothing else."""

import hashlib
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from attestation import Collateral, VerifiedLinks, decode_collateral, encode_collateral, with_issuers
from attestation.simulator import SimulatedMachine, collateral_of
from canisters.marketplace.core import held_collateral
from canisters.marketplace.core.errors import CollateralRefused, InvalidArgument
from tests.marketplace.world import SECOND, START, STRANGER, TRANSPORT_KEY, World, session_key

LINKS = VerifiedLinks()
KINDS = ("ocsp", "crls", "tcb_infos", "qe_identities")
DAYS = (0, 1, 2, 20, 29)
DAY_NS = 86_400 * SECOND
HOUR_NS = 3_600 * SECOND
LIFE_NS = 30 * DAY_NS - HOUR_NS
SUBJECTS = (("ocsp", 0), ("ocsp", 1), ("crls", 0), ("crls", 1), ("tcb_infos", 0), ("qe_identities", 0))


@cache
def tdx() -> SimulatedMachine:
    return SimulatedMachine("machine", cpu="tdx")


@cache
def said(day: int) -> Collateral:
    return collateral_of(tdx(), START + day * DAY_NS)


@cache
def issuers() -> Collateral:
    evidence = tdx().collect(bytes(32), b"\x01", session_key(1), TRANSPORT_KEY)
    return Collateral(certificates=with_issuers(said(0), evidence).certificates)


class Posting(RuleBasedStateMachine):
    """Posts pieces of several days, sound and forged, while time passes; the model knows each one's life."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.newest: dict[tuple[str, int], int] = {}
        self.post(issuers())

    def post(self, pieces: Collateral) -> bool:
        before = self.world.snapshot()
        try:
            self.world.do(held_collateral.post, STRANGER, encode_collateral(pieces), LINKS)
        except CollateralRefused:
            assert self.world.snapshot() == before
            return False
        return True

    @rule(day=st.sampled_from(DAYS), subject=st.sampled_from(SUBJECTS))
    def post_one(self, day: int, subject: tuple[str, int]) -> None:
        holds = self.holds(day, subject)
        assert self.post(Collateral(**{subject[0]: (self.piece(day, subject),)})) == holds
        if holds:
            held = self.held_day(subject)
            self.newest[subject] = day if held is None else max(held, day)

    @rule(day=st.sampled_from(DAYS), subject=st.sampled_from(SUBJECTS))
    def forge_one(self, day: int, subject: tuple[str, int]) -> None:
        piece = self.piece(day, subject)
        other = b"1" if piece[-20:-19] != b"1" else b"2"
        assert not self.post(Collateral(**{subject[0]: (piece[:-20] + other + piece[-19:],)}))

    @rule(hours=st.sampled_from((1, 12, 24, 24 * 9)))
    def wait(self, hours: int) -> None:
        self.world.later(3_600 * hours + 7)

    @rule()
    def sweep(self) -> None:
        self.world.do(held_collateral.sweep, STRANGER)

    @staticmethod
    def piece(day: int, subject: tuple[str, int]) -> bytes:
        found: bytes = getattr(said(day), subject[0])[subject[1]]
        return found

    def holds(self, day: int, subject: tuple[str, int]) -> bool:
        """Whether a piece of this day holds now; statements and lists say they are an hour older."""
        made = START + day * DAY_NS
        begins, ends = (made, made + DAY_NS) if subject[0] == "ocsp" else (made - HOUR_NS, made + LIFE_NS)
        return begins <= self.world.now < ends

    def held_day(self, subject: tuple[str, int]) -> int | None:
        """Of which day the piece is that should be held."""
        day = self.newest.get(subject)
        return day if day is not None and self.holds(day, subject) else None

    @invariant()
    def what_is_held_is_the_newest_that_was_posted(self) -> None:
        rows = held_collateral.page(self.world.state, None, 100)
        held = {row.sha256 for row in rows if row.kind in KINDS and row.valid_until >= self.world.now}
        days = {subject: self.held_day(subject) for subject in self.newest}
        pieces = [self.piece(day, subject) for subject, day in days.items() if day is not None]
        assert held == {hashlib.sha256(piece).digest() for piece in pieces}


Posting.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestPosting = Posting.TestCase


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_changed_container_is_refused_or_says_what_the_vendor_said(data: st.DataObject) -> None:
    genuine = Collateral(**{kind: getattr(said(0), kind) for kind in KINDS}, rims=said(0).rims)
    changed = bytearray(encode_collateral(genuine))
    for _ in range(data.draw(st.integers(1, 2))):
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    world = World()
    world.do(held_collateral.post, STRANGER, encode_collateral(issuers()), LINKS)
    try:
        outcomes = world.do(held_collateral.post, STRANGER, bytes(changed), LINKS)
    except (CollateralRefused, InvalidArgument):
        return
    sound = World()
    sound.do(held_collateral.post, STRANGER, encode_collateral(issuers()), LINKS)
    meant = sound.do(held_collateral.post, STRANGER, encode_collateral(genuine), LINKS)
    assert [(entry.kind, entry.subject) for entry in outcomes] == [(m.kind, m.subject) for m in meant]
    assert len(decode_collateral(bytes(changed)).ocsp) == len(genuine.ocsp)
