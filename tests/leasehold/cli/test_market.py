import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.leasehold.cli.conftest import Shell
from tests.leasehold.story import Story, write_dataset, write_model
from tests.leasehold.world import TOKEN, World

Person = Callable[[str, int], str]


@pytest.fixture
def market(world: World) -> Story:
    """A world in which a model, a dataset and a machine are there already."""
    return Story.open(world)


def as_(name: str) -> tuple[str, str]:
    return ("--identity", name)


def test_money_goes_in_and_out(shell: Shell, person: Person) -> None:
    principal = person("bob", 10 * TOKEN)
    assert shell.json("token", "balance", identity="bob") == {
        "principal": principal,
        "balance": str(10 * TOKEN),
        "symbol": "LHT",
    }
    assert shell.json("account", "deposit", "4LHT", identity="bob")["available"] == str(4 * TOKEN)
    assert shell.run("account", "balance", "-q", *as_("bob")).stdout == f"{4 * TOKEN}\n"
    assert shell.json("account", "withdraw", "1LHT", identity="bob")["available"] == str(3 * TOKEN)
    kinds = [entry["kind"] for entry in shell.json("account", "movements", identity="bob")["movements"]]
    assert kinds[:2] == ["deposit", "withdraw"]
    assert "3 LHT" in shell.run("account", "balance", *as_("bob")).stdout


def test_money_moves_only_after_a_yes(shell: Shell, person: Person) -> None:
    person("bob", 10 * TOKEN)
    asked = shell.run("account", "deposit", "4LHT", *as_("bob"), code=3, answer="n\n")
    assert "deposits 4 LHT; the ledger takes 0.0002 LHT more" in asked.stderr
    assert "can be withdrawn at any time" in asked.stderr
    assert asked.stdout == ""
    assert shell.json("account", "balance", identity="bob")["available"] == "0"
    shell.run("account", "deposit", "4LHT", *as_("bob"), answer="y\n")
    assert shell.json("account", "balance", identity="bob")["available"] == str(4 * TOKEN)


def test_a_transfer_and_an_approval(shell: Shell, person: Person) -> None:
    bob, carol = person("bob", 2 * TOKEN), person("carol", 0)
    shell.run("token", "transfer", carol, "1LHT", "-y", *as_("bob"))
    assert shell.json("token", "balance", carol)["balance"] == str(TOKEN)
    shell.run("token", "approve", carol, "100", "-y", *as_("bob"))
    refused = shell.run("token", "transfer", carol, "5LHT", "-y", *as_("bob"), code=1)
    assert "the ledger refused: InsufficientFunds (balance" in refused.stderr
    assert "only" in shell.run("token", "mint", "5", "--to", bob, *as_("bob"), code=4).stderr
    assert "is no principal" in shell.run("token", "transfer", "bob", "5", "-y", *as_("bob"), code=1).stderr


def test_a_deposit_that_is_not_covered_says_what_is_needed(shell: Shell, person: Person) -> None:
    person("bob", TOKEN)
    error = shell.run("account", "deposit", "1LHT", "-y", *as_("bob"), code=2).stderr
    assert f"needs {TOKEN + 20_000}" in error


def test_a_model_is_published_found_and_retired(shell: Shell, person: Person, tmp_path: Path) -> None:
    principal = person("bob", 0)
    folder = write_model(tmp_path / "model")
    published = shell.json(
        "listing",
        "publish",
        str(folder),
        "--title",
        "tiny [bold]model",
        "--fee",
        "0.5LHT",
        "--payee",
        "me=10000",
        identity="bob",
    )
    assert (published["fee"], published["publisher"]) == (str(TOKEN // 2), principal)
    assert published["payees"] == [{"account": principal, "basis_points": 10_000}]
    assert shell.json("listing", "list")["listings"] == [published]
    assert "tiny [bold]model" in shell.run("listing", "show", published["id"]).stdout
    assert shell.run("listing", "list", "-q").stdout.strip() == published["id"]
    shell.run("listing", "retire", published["id"], *as_("bob"))
    assert shell.json("listing", "list") == {"listings": []}


def test_a_model_that_must_not_travel_is_refused(shell: Shell, person: Person, tmp_path: Path) -> None:
    person("bob", 0)
    folder = write_model(tmp_path / "model")
    command = ["listing", "publish", str(folder), "--title", "t", "--fee", "1", *as_("bob")]
    assert "sum to 5" in shell.run(*command, "--payee", "me=5", code=2).stderr
    (folder / "pytorch_model.bin").touch()
    assert "pytorch_model.bin may contain pickle" in shell.run(*command, code=1).stderr
    assert shell.json("listing", "list") == {"listings": []}


def test_a_dataset_is_checked_published_and_retired(shell: Shell, person: Person, tmp_path: Path) -> None:
    person("bob", 0)
    path = write_dataset(tmp_path / "data.jsonl")
    assert shell.json("dataset", "check", str(path)) == {
        "task": "text-classification",
        "rows": 8,
        "train": 8,
        "test": 0,
        "labels": {"a": 4, "b": 4},
    }
    published = shell.json("dataset", "publish", str(path), "--title", "letters", "--public", identity="bob")
    assert (published["rows"], published["public"]) == (8, True)
    assert shell.json("dataset", "show", published["id"]) == published
    assert shell.run("dataset", "list", "-q").stdout.strip() == published["id"]
    shell.run("dataset", "retire", published["id"], *as_("bob"))
    assert shell.json("dataset", "list") == {"datasets": []}


def test_a_private_dataset_is_shown_to_its_owner_only(shell: Shell, person: Person, tmp_path: Path) -> None:
    person("bob", 0)
    person("carol", 0)
    path = write_dataset(tmp_path / "data.jsonl")
    published = shell.json("dataset", "publish", str(path), "--title", "letters", identity="bob")
    assert shell.json("dataset", "show", published["id"], identity="bob") == published
    assert shell.json("dataset", "list", identity="carol") == {"datasets": []}
    shell.run("dataset", "show", published["id"], *as_("carol"), code=1)


def test_a_malformed_dataset_names_its_lines(shell: Shell, tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "data.jsonl")
    path.write_text(path.read_text() + "{oops\n")
    error = shell.run("dataset", "check", str(path), code=1).stderr
    assert "line 9: no JSON" in error


def test_an_offer_is_posted_and_retired(shell: Shell, person: Person) -> None:
    principal = person("op", 0)
    command = [
        "offer",
        "post",
        "--title",
        "box",
        "--rate",
        "1000",
        "--hardware",
        "1x H100",
        "--policy",
        "simulated",
    ]
    posted = shell.run(*command, "--max-duration", "1h", "--json", *as_("op"))
    offer = json.loads(posted.stdout)
    assert (offer["worker"], offer["max_duration_s"], offer["rate_per_second"]) == (principal, 3600, "1000")
    assert shell.json("offer", "list")["offers"] == [offer]
    shell.run("offer", "retire", str(offer["id"]), *as_("op"))
    assert shell.json("offer", "list") == {"offers": []}
    assert "3000 to 10000" in shell.run(*command, "--bond-bps", "1", *as_("op"), code=2).stderr


def rent(story: Story, *more: str) -> list[str]:
    ids = ("--listing", story.listing.id, "--dataset", story.dataset.id)
    return [*ids, "--max-rate", "1000", "--max-duration", "10m", *more]


@pytest.fixture
def renter(market: Story, tmp_path: Path, shell: Shell) -> tuple[str, str]:
    """The story's renter as an identity of the shell."""
    assert market.renter.identity.private_key is not None
    (tmp_path / "renter.pem").write_bytes(market.renter.identity.to_pem())
    shell.run("identity", "import", "renter", str(tmp_path / "renter.pem"))
    return as_("renter")


def test_a_rental_from_the_command_line(
    shell: Shell, market: Story, renter: tuple[str, str], tmp_path: Path
) -> None:
    quote = json.loads(shell.run("rental", "quote", *rent(market), "--json", *renter).stdout)
    asked = shell.run("rental", "create", *rent(market), *renter, answer="y\n")
    for shown in ("listing fee", "compute, at most", "total, at most", "refund rule", "rental watch"):
        assert shown in asked.stderr
    (id,) = shell.run("rental", "list", "-q", *renter).stdout.split()
    assert shell.json("rental", "show", id, identity="renter")["escrow"] == quote["total_max"]

    market.work(int(id))
    watched = shell.run("rental", "watch", id, "--until-settling", "--json", *renter)
    lines = [json.loads(line) for line in watched.stdout.splitlines()]
    assert [line["event"]["to"] for line in lines if "event" in line][-1] == "settling"
    assert [line["progress"]["progress"]["loss"] for line in lines if "progress" in line] == [0.5]
    assert lines[-1]["rental"]["status"] == "settling"

    early = shell.run("rental", "download", id, str(tmp_path / "adapter"), *renter, code=2)
    assert "accept it first" in early.stderr
    assert shell.json("rental", "accept", id, identity="renter")["status"] == "succeeded"
    downloaded = shell.json("rental", "download", id, str(tmp_path / "adapter"), identity="renter")
    assert "adapter_model.safetensors" in downloaded["files"]
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes() == b"adapter"
    assert "step 1/1  loss 0.5000" in shell.run("rental", "watch", id, *renter).stdout

    events = shell.json("rental", "events", id, identity="renter")["events"]
    assert events[0]["to"] == "queued"
    assert "succeeded" in shell.run("rental", "events", id, *renter).stdout
    assert "paid: refund" in shell.run("rental", "show", id, *renter).stdout

    attested = shell.run("attestation", "show", id, *renter)
    assert "SIMULATED: no hardware" in attested.stderr
    assert "cpu.signature" in attested.stdout and "valid" in attested.stdout


def test_a_rental_is_made_only_after_a_yes(shell: Shell, market: Story, renter: tuple[str, str]) -> None:
    shell.run("rental", "create", *rent(market), *renter, code=3, answer="n\n")
    assert shell.json("rental", "list", identity="renter") == {"rentals": []}


def test_cancelling_and_watching_what_failed(shell: Shell, market: Story, renter: tuple[str, str]) -> None:
    id = shell.run("rental", "create", *rent(market), "-q", "-y", *renter).stdout.strip()
    asked = shell.run("rental", "cancel", id, *renter, answer="y\n")
    assert f"rental {id} is queued" in asked.stderr
    failed = shell.run("rental", "watch", id, *renter, code=8)
    assert f"rental {id} is cancelled" in failed.stdout
    assert "has no accepted attestation" in shell.run("attestation", "show", id, *renter, code=2).stderr


def test_a_dispute_holds_the_money(shell: Shell, market: Story, renter: tuple[str, str]) -> None:
    id = shell.run("rental", "create", *rent(market), "-q", "-y", *renter).stdout.strip()
    market.work(int(id))
    disputed = shell.run("rental", "dispute", id, "--reason", "it is random", "-y", "--json", *renter)
    assert json.loads(disputed.stdout)["status"] == "disputed"
    assert "'disputed'" in shell.run("rental", "accept", id, "-y", *renter, code=1).stderr


@pytest.mark.parametrize(
    ("more", "code", "problem"),
    [
        (("--epochs", "0"), 2, "epochs: Input should be greater than or equal to 1"),
        (("--learning-rate", "nan"), 2, "learning_rate"),
        (("--max-rate", "lots"), 2, "'lots' is no amount"),
        (("--max-price", "5"), 1, "above the maximum 5"),
        (("--max-duration", "0"), 2, "is no duration"),
        (("--listing", "nope"), 1, "there is no listing 'nope'"),
        (("--task", "cooking"), 2, "Invalid value for '--task'"),
        (("--policy", "wishful"), 2, "policy = 'wishful' is refused"),
    ],
)
def test_wrong_input_is_a_clear_error(
    shell: Shell,
    market: Story,
    renter: tuple[str, str],
    more: tuple[str, ...],
    code: int,
    problem: str,
) -> None:
    refused = shell.run("rental", "create", *rent(market, *more), "-y", *renter, code=code)
    assert problem in refused.stderr
    assert shell.json("rental", "list", identity="renter") == {"rentals": []}


def test_strangers_are_refused_with_4(
    shell: Shell, market: Story, renter: tuple[str, str], person: Person
) -> None:
    id = shell.run("rental", "create", *rent(market), "-q", "-y", *renter).stdout.strip()
    person("mallory", 0)
    error = shell.run("rental", "cancel", id, "-y", *as_("mallory"), code=4).stderr
    assert "not authorised" in error


def test_unknown_ids_are_named(shell: Shell, world: World, person: Person) -> None:
    person("bob", 0)
    assert "there is no rental '99'" in shell.run("rental", "show", "99", *as_("bob"), code=1).stderr
    assert "there is no listing 'x'" in shell.run("listing", "show", "x", code=1).stderr


def test_policies_and_status(shell: Shell, world: World) -> None:
    policies = shell.json("policy", "list")["policies"]
    assert {policy["name"]: policy["simulated"] for policy in policies} == {
        "simulated": True,
        "production": False,
    }
    assert "SIMULATED" in shell.run("policy", "list").stdout
    assert "measurements" in shell.run("policy", "show", "simulated").stdout
    assert "no policy 'x'" in shell.run("policy", "show", "x", code=1).stderr
    status = shell.json("status")
    assert (status["simulated"], status["held"]) == (True, "0")
    assert "SIMULATED" in shell.run("status").stdout
