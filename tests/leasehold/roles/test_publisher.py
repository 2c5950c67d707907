from pathlib import Path

import pytest

from leasehold.agent import Principal, PrincipalError
from leasehold.errors import InvalidArgument, UsageError
from leasehold.models import Payee, item_id
from leasehold.models.dataset import DatasetError
from leasehold.roles import account, operator, publisher
from leasehold.sealing import PackingError
from tests.leasehold.fake_node import NOW
from tests.leasehold.story import write_dataset, write_model
from tests.leasehold.world import TOKEN, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def uploads(world: World) -> int:
    return sum(b"begin_upload" in body for body in world.node.bodies)


def test_a_model_without_payees_pays_its_publisher(world: World, tmp_path: Path) -> None:
    seller = world.person(2)
    drafts = tmp_path / "drafts"
    listing = publisher.publish_listing(
        seller, write_model(tmp_path / "model"), title="t", fee=5, drafts=drafts
    )
    assert listing.payees == [Payee(account=seller.principal, basis_points=10_000)]
    assert (listing.base_model, listing.fee, listing.active) == ("model", 5, True)
    assert list(drafts.iterdir()) == []


def test_a_model_with_pickle_is_refused_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    (folder / "pytorch_model.bin").touch()
    with pytest.raises(PackingError, match="pickle"):
        publisher.publish_listing(world.person(2), folder, title="t", fee=5, drafts=tmp_path / "drafts")
    assert uploads(world) == 0
    assert list((tmp_path / "drafts").iterdir()) == []


def test_an_interrupted_publication_goes_on_with_the_same_item(world: World, tmp_path: Path) -> None:
    seller, folder, drafts = world.person(2), write_model(tmp_path / "model"), tmp_path / "drafts"

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publisher.publish_listing(seller, folder, title="t", fee=5, drafts=drafts, progress=interrupt)
    (draft,) = drafts.iterdir()
    salt = (draft / "salt").read_text()
    sealed = (draft / "sealed.age").read_bytes()
    assert "AGE-SECRET-KEY" not in (draft / "sealed.age.json").read_text()

    listing = publisher.publish_listing(seller, folder, title="t", fee=5, drafts=drafts)
    assert listing.artifact.size == len(sealed)
    assert listing.id == item_id("listing", seller.principal, bytes.fromhex(salt))
    assert list(drafts.iterdir()) == []


def test_a_draft_of_other_content_is_not_taken(world: World, tmp_path: Path) -> None:
    seller, folder, drafts = world.person(2), write_model(tmp_path / "model"), tmp_path / "drafts"
    first = publisher.publish_listing(seller, folder, title="t", fee=5, drafts=drafts)
    (folder / "model.safetensors").write_bytes(b"other weights")
    second = publisher.publish_listing(seller, folder, title="t", fee=5, drafts=drafts)
    assert first.id != second.id


def test_a_malformed_dataset_is_refused_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "data.jsonl")
    path.write_text(path.read_text() + '{"text": "x"}\n')
    with pytest.raises(DatasetError, match="line 9: label"):
        publisher.publish_dataset(
            world.person(2), path, title="t", task="text-classification", drafts=tmp_path / "drafts"
        )
    assert uploads(world) == 0


def test_a_summary_counts_rows_and_labels(tmp_path: Path) -> None:
    summary = publisher.check_dataset(write_dataset(tmp_path / "data.jsonl"), "text-classification")
    assert (summary.rows, summary.train, summary.test) == (8, 8, 0)
    assert summary.labels == {"a": 4, "b": 4}


ME, OTHER = Principal(b"\x01"), Principal(b"\x02")


def test_payees_are_read() -> None:
    assert publisher.parse_payee("me=7000", ME) == Payee(account=ME, basis_points=7000)
    assert publisher.parse_payee(f"{OTHER}=1", ME) == Payee(account=OTHER, basis_points=1)


@pytest.mark.parametrize("text", ["", "me", "me=", "me=x", "me=-1", "me=0", "me=10001", "=5"])
def test_what_is_no_payee_is_refused(text: str) -> None:
    with pytest.raises((UsageError, PrincipalError)):
        publisher.parse_payee(text, ME)


def test_shares_must_be_the_whole_fee_and_of_different_people() -> None:
    with pytest.raises(UsageError, match="sum to 9999"):
        publisher.check_payees([Payee(account=ME, basis_points=9_999)])
    with pytest.raises(UsageError, match="named twice"):
        publisher.check_payees([Payee(account=ME, basis_points=5_000)] * 2)


def test_a_fee_that_the_marketplace_refuses_names_the_field(world: World, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="title"):
        publisher.publish_listing(
            world.person(2), write_model(tmp_path / "model"), title="", fee=5, drafts=tmp_path / "drafts"
        )


def test_deposits_and_withdrawals_balance(world: World) -> None:
    person = world.person(2, 10 * TOKEN)
    fee = person.ledger.fee
    done = account.deposit(person, 4 * TOKEN, now=NOW)
    assert (done.balances.available, done.fees) == (4 * TOKEN, 2 * fee)
    assert person.ledger.balance() == 6 * TOKEN - 2 * fee

    account.deposit(person, 4 * TOKEN, now=NOW)
    assert person.marketplace.balances().available == 4 * TOKEN

    assert account.withdraw(person, TOKEN, now=NOW).available == 3 * TOKEN
    assert [entry.kind for entry in person.marketplace.movements()][:2] == ["deposit", "withdraw"]


def test_a_deposit_that_is_not_covered_is_explained(world: World) -> None:
    person = world.person(2, TOKEN)
    with pytest.raises(UsageError, match=f"has {TOKEN}; a deposit of {TOKEN} needs {TOKEN + 20_000}"):
        account.deposit(person, TOKEN)
    with pytest.raises(UsageError, match="above zero"):
        account.deposit(person, 0)
    with pytest.raises(UsageError, match="above the ledger's fee"):
        account.withdraw(person, 10_000)


def test_a_bond_below_the_least_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="3000 to 10000"):
        operator.post_offer(
            world.person(2),
            title="t",
            rate_per_second=1,
            max_duration_s=60,
            hardware="h",
            policies=["simulated"],
            bond_basis_points=2_999,
        )
    assert operator.bond_for(1_000, 60, 3_000) == 18_000
