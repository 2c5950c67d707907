"""Posted collateral: what gets in, what it lets pass at the gate, and what it stops afterwards."""

import dataclasses
import datetime
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation import (
    SIMULATED,
    Collateral,
    VerifiedLinks,
    encode_bundle,
    encode_collateral,
    policy_to_json,
    posting_batches,
    with_issuers,
)
from attestation.simulator import Settings, SimulatedMachine, certificates, collateral_of
from attestation.simulator.collateral import manifest
from attestation.simulator.development_pki import load_authority
from attestation.simulator.seeds import derive_p256_key
from attestation.simulator.settings import SnpSettings
from attestation.simulator.tdx_settings import TdxSettings
from canisters.marketplace.core import gate, held_collateral, jobs, keys, limits, policies
from canisters.marketplace.core.errors import (
    CollateralRefused,
    EvidenceRefused,
    InvalidArgument,
    NotAuthorized,
    NotFound,
)
from canisters.marketplace.core.types import Status, principal_bytes, self_authenticating
from tests.marketplace.world import (
    GOVERNOR,
    OPERATOR,
    START,
    STRANGER,
    TRANSPORT_KEY,
    WORKER,
    World,
    market,
    session_key,
)

STRICT = dataclasses.replace(SIMULATED, name="strict", require_revocation=True, require_reference_values=True)
BROM = "SIMULATED GH100 A01 GSP BROM"
LINKS = VerifiedLinks()
DAY = 86_400


@cache
def machine(cpu: str = "sev-snp", **settings: Any) -> SimulatedMachine:
    return SimulatedMachine("machine", 1, Settings(**settings), cpu=cpu)


@cache
def said(of: SimulatedMachine, at: int = START, revoked: tuple[str, ...] = ()) -> Collateral:
    """Everything vendors say about a machine, with the certificates that show who says it."""
    evidence = of.collect(bytes(32), b"\x01", session_key(1), TRANSPORT_KEY)
    return with_issuers(collateral_of(of, at, revoked), evidence)


def post(world: World, pieces: Collateral) -> list[held_collateral.Outcome]:
    found: list[held_collateral.Outcome] = world.do(
        held_collateral.post, STRANGER, encode_collateral(pieces), LINKS
    )
    return found


def outcomes(world: World, pieces: Collateral) -> set[str]:
    return {outcome.outcome for outcome in post(world, pieces)}


def refused(world: World, pieces: Collateral) -> CollateralRefused:
    """The refusal of these pieces, which changes nothing."""
    before = world.snapshot()
    with pytest.raises(CollateralRefused) as caught:
        post(world, pieces)
    assert world.snapshot() == before
    return caught.value


def only(pieces: Collateral, *kinds: str) -> Collateral:
    return Collateral(**{kind: getattr(pieces, kind) for kind in kinds})


def attest(world: World, rental: int, of: SimulatedMachine) -> Any:
    """Claim the rental if need be, and submit the machine's evidence from a new session."""
    if world.rental(rental).status is Status.QUEUED:
        world.claim(rental)
    world._sessions[rental] = number = world.fresh()
    nonce = world.challenge(rental).nonce
    evidence = of.collect(nonce, principal_bytes(OPERATOR), session_key(number), TRANSPORT_KEY)
    caller = self_authenticating(session_key(number))
    return world.do(gate.submit, caller, rental, encode_bundle(evidence))


@pytest.fixture
def strict() -> World:
    """A market whose offer accepts a policy that requires all collateral."""
    world = market()
    world.do(policies.adopt, GOVERNOR, policy_to_json(STRICT))
    world.offer = world.post_offer(policies=("strict", "simulated"))
    return world


# --- At the gate ---


def test_tdx_is_refused_without_collateral_and_accepted_with_it(world: World) -> None:
    rental, tdx = world.create().id, machine("tdx")
    outcome = attest(world, rental, tdx)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "CollateralUnavailable"
    post(world, said(tdx))
    record = attest(world, rental, tdx)
    assert (record.cpu_kind, world.rental(rental).status) == ("tdx", Status.RUNNING)


@pytest.mark.parametrize("cpu", ["sev-snp", "tdx"])
def test_a_policy_that_requires_everything_is_met_with_what_was_posted(strict: World, cpu: str) -> None:
    rental = strict.create(policy="strict").id
    outcome = attest(strict, rental, machine(cpu))
    assert isinstance(outcome, EvidenceRefused)
    post(strict, said(machine(cpu)))
    record = attest(strict, rental, machine(cpu))
    rows = {claim.name: claim.verdict for claim in record.claims}
    assert set(rows.values()) == {"valid"}
    assert {"cpu.revocation", "gpu[0].revocation.boot_rom", "gpu[0].reference_values"} <= set(rows)


def test_expired_collateral_is_as_if_it_were_not_there(strict: World) -> None:
    post(strict, said(machine()))
    strict.later(DAY + 1)
    outcome = attest(strict, strict.create(policy="strict").id, machine())
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "PolicyRefused"
    verdicts = {claim.verdict for claim in outcome.claims if "revocation" in claim.name}
    assert "unverifiable" in verdicts
    assert not isinstance(attest(strict, strict.create().id, machine()), EvidenceRefused)


def test_a_denied_manifest_is_as_if_it_were_not_there(strict: World) -> None:
    post(strict, said(machine()))
    (driver, *_) = [row for row in held_collateral.page(strict.state, None, 100) if row.kind == "rims"]
    strict.do(policies.deny_manifest, GOVERNOR, driver.subject.rpartition("/")[2].upper())
    outcome = attest(strict, strict.create(policy="strict").id, machine())
    assert isinstance(outcome, EvidenceRefused)
    missing = [claim.name for claim in outcome.claims if claim.found == "none was given"]
    assert len(missing) == 1 and missing[0].endswith("_manifest")


def test_measurements_that_contradict_a_posted_manifest_are_refused_whatever_the_policy(
    world: World,
) -> None:
    changed = machine(changed_measurements=(3,))
    post(world, said(changed))
    outcome = attest(world, world.create().id, changed)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "MeasurementMismatch"


def test_a_manifest_written_another_way_is_the_same_manifest(strict: World) -> None:
    """Found: a manifest was named by the bytes of its file, though its signature may be written in many ways;
    so a denied one came back, and variants of one could take the places of all others.
    """
    pieces = said(machine())
    post(strict, pieces)
    variant = pieces.rims[0].replace(b"<ds:KeyInfo>", b"<ds:KeyInfo> ")
    assert variant != pieces.rims[0]
    assert outcomes(strict, Collateral(rims=(variant,))) == {"older"}
    for row in held_collateral.page(strict.state, None, 100):
        if row.kind == "rims":
            strict.do(policies.deny_manifest, GOVERNOR, row.subject.rpartition("/")[2])
    assert outcomes(strict, Collateral(rims=(variant,))) == {"older"}
    outcome = attest(strict, strict.create(policy="strict").id, machine())
    assert isinstance(outcome, EvidenceRefused)
    assert sum(claim.found == "none was given" for claim in outcome.claims) == 2


# --- Revocation ---


def test_a_gpu_revoked_later_is_refused_from_then_on(world: World) -> None:
    gpu = machine()
    post(world, said(gpu))
    assert not isinstance(attest(world, world.create().id, gpu), EvidenceRefused)
    world.later(60)
    post(world, said(gpu, world.now, (BROM,)))
    outcome = attest(world, world.create().id, gpu)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "CertificateRevoked"


def test_a_revocation_outlives_the_answer_that_said_it(world: World) -> None:
    gpu = machine()
    post(world, said(gpu, START, (BROM,)))
    world.later(3 * DAY)
    world.do(held_collateral.sweep, STRANGER)
    assert [row for row in held_collateral.page(world.state, None, 100) if row.kind == "ocsp"] == []
    post(world, said(gpu, world.now))  # a newer answer that says good again
    outcome = attest(world, world.create().id, gpu)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "CertificateRevoked"


@pytest.mark.parametrize("what", ["gpu", "pck", "ask"])
def test_a_running_session_gets_no_more_keys_once_a_certificate_is_revoked(world: World, what: str) -> None:
    sound = machine("tdx" if what == "pck" else "sev-snp")
    post(world, said(sound))
    rental = world.create().id
    attest(world, rental, sound)
    session = world.session(rental)
    world.do(keys.authorise, session, keys.Item("listing", world.listing.id), rental, None)
    world.later(1)
    if what == "gpu":
        news = said(sound, world.now, (BROM,))
    elif what == "pck":
        news = said(machine("tdx", tdx=_Hashed(revoked=("pck",))), world.now)
    else:
        news = said(machine(snp=SnpSettings(revoked=("ask",))), world.now)
    post(world, news)
    with pytest.raises(NotAuthorized, match="revoked"):
        world.do(keys.authorise, session, keys.Item("dataset", world.dataset.id), rental, None)


def test_a_running_session_gets_no_more_keys_once_a_manifest_it_met_is_denied(strict: World) -> None:
    post(strict, said(machine()))
    rental = strict.create(policy="strict").id
    record = attest(strict, rental, machine())
    session, item = strict.session(rental), keys.Item("listing", strict.listing.id)
    strict.do(keys.authorise, session, item, rental, None)
    met = next(claim.found for claim in record.claims if claim.name == "gpu[0].vbios_manifest")
    strict.do(policies.deny_manifest, GOVERNOR, met)
    with pytest.raises(NotAuthorized, match="deny list"):
        strict.do(keys.authorise, session, item, rental, None)


class _Hashed(TdxSettings):
    """Settings that can be an argument of `cache`."""

    __hash__ = object.__hash__


def test_an_authority_that_was_revoked_vouches_for_nothing(world: World) -> None:
    tdx = machine("tdx")
    later = START + 10**9
    lists = collateral_of(machine("tdx", tdx=_Hashed(revoked=("tcb_signing",))), later).crls
    world.later(1)
    post(world, dataclasses.replace(only(said(tdx), "certificates"), crls=lists))
    error = refused(world, only(said(tdx), "tcb_infos"))
    assert (error.piece, error.kind) == ("collateral.tcb_infos[0]", "CertificateRevoked")


# --- What gets in ---


def test_posting_again_changes_nothing_and_verifies_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = post(world, said(machine()))
    assert {outcome.outcome for outcome in first} == {"added"}
    assert [outcome.piece for outcome in first][:2] == ["collateral.ocsp[0]", "collateral.ocsp[1]"]
    monkeypatch.setattr(
        held_collateral, "_verify", lambda _state, _message, fresh, _links: {} if not fresh else 1
    )
    before = world.snapshot()
    again = post(world, said(machine()))
    assert world.snapshot() == before
    assert again == [outcome._replace(outcome="unchanged") for outcome in first]


def test_a_newer_piece_replaces_and_an_older_one_does_not(world: World) -> None:
    tdx = machine("tdx")
    old, new = said(tdx), said(tdx, START + 60 * 10**9)
    world.later(60)
    post(world, new)
    assert outcomes(world, only(old, "ocsp", "crls", "tcb_infos", "qe_identities")) == {"older"}
    held = {row.sha256 for row in held_collateral.page(world.state, None, 100)}
    world.later(60)
    newest = only(said(tdx, world.now), "ocsp", "crls", "tcb_infos", "qe_identities")
    assert outcomes(world, newest) == {"replaced"}
    assert len(held - {row.sha256 for row in held_collateral.page(world.state, None, 100)}) == 10


FORGEABLE = ["ocsp", "rims", "crls", "tcb_infos", "qe_identities", "certificates"]


@pytest.mark.parametrize("kind", FORGEABLE)
def test_a_forged_newer_piece_is_refused_by_name_and_displaces_nothing(world: World, kind: str) -> None:
    tdx = machine("tdx")
    post(world, only(said(tdx), "certificates"))
    forged = _flipped(getattr(said(tdx, START + 60 * 10**9), kind)[0])
    world.later(60)
    error = refused(world, dataclasses.replace(said(tdx), **{kind: (forged,)}))
    assert error.piece == f"collateral.{kind}[0]"
    assert outcomes(world, said(tdx)) >= {"added"}


def _flipped(piece: bytes) -> bytes:
    """With one digit or byte near the end, which is the signature's, changed."""
    at = len(piece) - 20 if not piece.startswith(b"<") else piece.index(b"<ds:SignatureValue>") + 30
    other = b"1" if piece[at : at + 1] != b"1" else b"2"
    return piece[:at] + other + piece[at + 1 :]


@pytest.mark.parametrize("kind", ["ocsp", "crls", "tcb_infos", "qe_identities"])
def test_a_stale_piece_is_refused_by_name(world: World, kind: str) -> None:
    tdx = machine("tdx")
    post(world, only(said(tdx), "certificates"))
    world.later(31 * DAY)
    error = refused(world, only(said(tdx), kind))
    assert error.piece == f"collateral.{kind}[0]"
    assert error.kind in ("RevocationInvalid", "CollateralExpired", "CertificateExpired")


def test_pieces_without_their_issuer_are_refused_and_say_so(world: World) -> None:
    for kind in ("ocsp", "crls", "tcb_infos"):
        error = refused(world, only(said(machine("tdx")), kind))
        assert error.kind == "CollateralUnavailable" and "post it before" in error.message


def test_development_roots_vouch_for_nothing_where_simulated_evidence_is_not_allowed() -> None:
    world = World(allow_simulated=False)
    tdx = said(machine("tdx"))
    for certificate in tdx.certificates:
        assert refused(world, Collateral(certificates=(certificate,))).kind == "CollateralUnavailable"
    assert refused(world, only(tdx, "rims")).kind == "ChainInvalid"


def test_a_devices_own_certificate_is_no_authority(world: World) -> None:
    gpu = machine()
    post(world, only(said(gpu), "certificates"))
    for depth in (0, 1):
        error = refused(world, Collateral(certificates=(gpu.gpus[0].chain[depth],)))
        assert error.kind in ("ChainInvalid", "CollateralUnavailable")


def test_an_unreadable_container_is_refused(world: World) -> None:
    for container in (b"", b"LHCO\x01\x05", b"x" * 100):
        with pytest.raises(CollateralRefused, match="MalformedEvidence"):
            world.do(held_collateral.post, STRANGER, container, LINKS)


# --- Bounds ---


def test_one_call_verifies_a_bounded_number_of_new_pieces(world: World) -> None:
    answers = tuple(b"%d" % index for index in range(limits.MAX_NEW_PIECES + 1))
    with pytest.raises(InvalidArgument, match="send several calls"):
        post(world, Collateral(ocsp=answers))
    with pytest.raises(CollateralRefused):
        post(world, Collateral(ocsp=answers[1:]))
    with pytest.raises(InvalidArgument, match="9 of them manifests"):
        post(world, Collateral(rims=answers[: limits.MAX_NEW_MANIFESTS + 1]))


def test_batches_fit_one_call_each_and_lose_nothing() -> None:
    versions = tuple(
        manifest("GPU", "GH100", f"550.90.{index:02d}", range(21, 22), 22)
        for index in range(limits.MAX_NEW_MANIFESTS + 1)
    )
    whole = with_issuers(Collateral(ocsp=tuple(b"%d" % index for index in range(50)), rims=versions))
    batches = posting_batches(whole)
    assert [len(batch.rims) for batch in batches if batch.rims] == [8, 1] and len(batches) == 3
    assert batches[0].certificates == whole.certificates != ()
    for kind in ("ocsp", "rims", "certificates"):
        assert tuple(p for batch in batches for p in getattr(batch, kind)) == getattr(whole, kind)


def test_the_piece_posted_first_makes_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.MAX_HELD, "ocsp", 2)
    gpu = said(machine())
    post(world, only(gpu, "certificates"))
    for answer in gpu.ocsp[:3]:
        assert outcomes(world, Collateral(ocsp=(answer,))) == {"added"}
    held = [row.sha256 for row in held_collateral.page(world.state, None, 100) if row.kind == "ocsp"]
    assert len(held) == 2
    assert outcomes(world, Collateral(ocsp=gpu.ocsp[1:3])) == {"unchanged"}
    assert outcomes(world, Collateral(ocsp=gpu.ocsp[:1])) == {"added"}


def test_what_ended_is_swept_without_a_trace(world: World) -> None:
    gpu = said(machine())
    post(world, only(gpu, "certificates"))
    before = {
        name: world.snapshot()[name] for name in ("collateral", "collateral_content", "collateral_index")
    }
    post(world, only(gpu, "ocsp"))
    world.later(DAY + 1)
    assert world.do(held_collateral.sweep, STRANGER) == len(gpu.ocsp)
    assert {name: world.snapshot()[name] for name in before} == before
    assert world.state.count("held/ocsp") == 0


def test_many_signers_of_statements_keep_no_machine_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: a verifier refuses more than four TCB signing certificates, and anybody may post former ones."""
    monkeypatch.setattr(certificates, "NOT_BEFORE", datetime.datetime(2023, 1, 1))
    root, tdx = load_authority("intel_root"), machine("tdx")
    former = []
    for number in range(5):
        key = derive_p256_key(b"authorities", f"former signer {number}")
        name = certificates.intel_name("Intel SGX TCB Signing")
        extensions = (certificates.report_signer(),)
        made = certificates.issue(name, key, root.name, root.key, 900 + number, extensions)
        former.append(made.public_bytes(Encoding.DER))
    post(world, Collateral(certificates=(root.der, *former)))
    post(world, said(tdx))
    assert not isinstance(attest(world, world.create().id, tdx), EvidenceRefused)


# --- Looking at it ---


def test_pages_go_through_everything_and_give_back_the_bytes(world: World) -> None:
    pieces = said(machine("tdx"))
    post(world, pieces)
    rows = list(_all_rows(world))
    assert len(rows) == sum(len(getattr(pieces, kind)) for kind in FORGEABLE)
    for row in rows:
        held = held_collateral.piece(world.state, row.kind, row.subject)
        assert held.content in getattr(pieces, row.kind) and len(held.content) == held.row.size
        assert held.row.valid_from <= world.now <= held.row.valid_until
    with pytest.raises(NotFound):
        held_collateral.piece(world.state, "ocsp", "nothing")
    with pytest.raises(InvalidArgument, match="no kind"):
        held_collateral.piece(world.state, "other", "nothing")


def _all_rows(world: World) -> Iterator[Any]:
    after = None
    while rows := held_collateral.page(world.state, after, 3):
        yield from rows
        after = (rows[-1].kind, rows[-1].subject)


def test_an_upgrade_keeps_what_is_held(world: World) -> None:
    post(world, said(machine("tdx")))
    world.reopen()
    assert not isinstance(attest(world, world.create().id, machine("tdx")), EvidenceRefused)


def test_a_rental_handed_back_relies_on_its_next_machine_only(world: World) -> None:
    first, second = machine(), SimulatedMachine("another")
    post(world, said(first))
    rental = world.create().id
    attest(world, rental, first)
    world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
    attest(world, rental, second)
    world.later(1)
    post(world, said(first, world.now, (BROM,)))
    assert not held_collateral.withdrawn(world.state, rental)
