"""Policies that governors adopt, retire and revoke."""

import dataclasses
import json
from pathlib import Path

from attestation import SIMULATED, policy_to_json
from tests.leasehold.cli.conftest import Shell
from tests.leasehold.world import World

DEPLOYER = ("--identity", "deployer")
DAY_S = 86_400


def policy_file(folder: Path, name: str = "simulated-2") -> Path:
    path = folder / f"{name}.json"
    path.write_text(policy_to_json(dataclasses.replace(SIMULATED, name=name, minimum_gpus=2)))
    return path


def test_a_policy_is_proposed_approved_and_after_the_delay_adopted(
    shell: Shell, world: World, tmp_path: Path
) -> None:
    file = policy_file(tmp_path)
    wanted = ("policy", "propose", "--adopt", file, "--reason", "two GPUs", *DEPLOYER)
    proposed = json.loads(shell.run(*wanted, "--json").stdout)
    assert proposed["state"] == "proposed"
    assert json.loads(proposed["change"]["AdoptPolicy"])["minimum_gpus"] == 2
    id = str(proposed["id"])
    again = shell.run(*wanted, "-q")
    assert again.stdout.strip() == id
    assert shell.json("policy", "approve", id, identity="deployer")["state"] == "approved"
    assert shell.json("policy", "approve", id, identity="deployer")["state"] == "approved"
    assert "approved, in its delay" in shell.run("policy", "execute", id, *DEPLOYER, code=1).stderr
    world.advance(DAY_S + 1)
    assert shell.json("policy", "execute", id, identity="deployer")["state"] == "executed"
    assert shell.json("policy", "execute", id, identity="deployer")["state"] == "executed"
    assert "simulated-2" in shell.run("policy", "list", "-q").stdout.split()
    listed = shell.json("policy", "proposals")["proposals"]
    assert [(entry["id"], entry["state"]) for entry in listed] == [(int(id), "executed")]
    assert shell.json("policy", "proposals", "--open") == {"proposals": []}


def test_a_proposal_is_shown_with_the_rules(shell: Shell, world: World) -> None:
    retire = ("policy", "propose", "--retire", "simulated", "--reason", "superseded", *DEPLOYER)
    id = shell.run(*retire, "-q").stdout.strip()
    shown = shell.run("policy", "approve", id, *DEPLOYER).stdout
    assert "RetirePolicy simulated" in shown and "approved" in shown
    listed = shell.run("policy", "proposals")
    assert "1 of 1 approvers, then 24h 00m 00s of delay" in listed.stderr
    assert "RetirePolicy simulated" in listed.stdout
    assert "offered" in shell.run("policy", "show", "simulated").stdout


def test_a_change_that_cannot_be_made_any_more_fails(shell: Shell, world: World, tmp_path: Path) -> None:
    ids: list[str] = []
    for reason in ("one", "two"):
        # Two people may propose the same; the command itself does not, so the second is another file's.
        file = policy_file(tmp_path, "same")
        file.write_text(file.read_text().replace('"minimum_gpus":2', f'"minimum_gpus":{len(ids) + 1}'))
        wanted = ("policy", "propose", "--adopt", file, "--reason", reason, *DEPLOYER, "-q")
        ids.append(shell.run(*wanted).stdout.strip())
        shell.run("policy", "approve", ids[-1], *DEPLOYER)
    world.advance(DAY_S + 1)
    shell.run("policy", "execute", ids[0], *DEPLOYER)
    failed = shell.run("policy", "execute", ids[1], *DEPLOYER, code=1)
    assert "exists, and no policy changes" in failed.stdout


def test_a_proposal_is_cancelled_once(shell: Shell, world: World) -> None:
    retire = ("policy", "propose", "--retire", "simulated", "--reason", "no", *DEPLOYER)
    id = shell.run(*retire, "-q").stdout.strip()
    for _ in range(2):
        cancelled = shell.run("policy", "cancel", id, "--reason", "on second thought", *DEPLOYER).stdout
        assert "cancelled" in cancelled
    assert "'cancelled'" in shell.run("policy", "approve", id, *DEPLOYER, code=1).stderr


def test_other_rules_are_proposed_from_a_file(shell: Shell, world: World, tmp_path: Path) -> None:
    who = shell.run("identity", "show", "deployer", "-q").stdout.strip()
    rules = {"governors": [who], "proposers": [who], "approvers": [who], "threshold": 1, "delay_s": 7200}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    wanted = ("policy", "propose", "--rules", tmp_path / "rules.json", "--reason", "faster", *DEPLOYER)
    assert json.loads(shell.run(*wanted, "--json").stdout)["change"] == {"SetGovernance": rules}
    changes: tuple[dict[str, object], ...] = ({"threshold": "1"}, {"governors": ["x"]}, {"more": 1})
    for wrong in ({}, [], *({**rules, **change} for change in changes)):
        (tmp_path / "rules.json").write_text(json.dumps(wrong))
        assert "holds no rules of governance" in shell.run(*wanted, code=2).stderr


def test_one_governor_stops_a_policy_or_a_device_at_once(shell: Shell, world: World) -> None:
    assert shell.json("policy", "revoke", "simulated", identity="deployer") == {"revoked": "simulated"}
    assert "simulated" not in shell.run("policy", "list", "-q").stdout.split()
    denied = shell.json("policy", "deny", "--device", "41AB", identity="deployer")
    assert denied == {"denied": "device", "id": "41AB"}
    manifest = "ab" * 32
    assert shell.run("policy", "deny", "--manifest", manifest, *DEPLOYER, "-q").stdout.strip() == manifest
    assert "nothing was denied" in shell.run("policy", "deny", "--device", "41G", *DEPLOYER, code=2).stderr
    for options in ((), ("--device", "1", "--manifest", manifest)):
        assert "one of --device" in shell.run("policy", "deny", *options, *DEPLOYER, code=2).stderr


def test_who_may_not_is_told_who_may(shell: Shell, world: World) -> None:
    shell.run("identity", "new", "bob", "-q")
    bob = ("--identity", "bob")
    retire = ("policy", "propose", "--retire", "simulated", "--reason", "no")
    assert "a proposer" in shell.run(*retire, *bob, code=4).stderr
    assert "governor" in shell.run("policy", "revoke", "simulated", *bob, code=4).stderr


def test_exactly_one_change_is_named(shell: Shell, world: World, tmp_path: Path) -> None:
    reason = ("--reason", "no")
    for options in ((), ("--retire", "a", "--allow-device", "b")):
        assert "exactly one" in shell.run("policy", "propose", *options, *reason, code=2).stderr
    retire = ("--retire", "a", "--block", "3")
    assert "--block belongs" in shell.run("policy", "propose", *retire, *reason, code=2).stderr
    (tmp_path / "no.json").write_text("{}")
    adopt = ("--adopt", tmp_path / "no.json")
    assert "no usable policy" in shell.run("policy", "propose", *adopt, *reason, *DEPLOYER, code=7).stderr
