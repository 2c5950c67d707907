from pathlib import Path

from leasehold.agent import Identity, Principal
from tests.leasehold.cli.conftest import Shell


def test_an_identity_is_made_shown_and_listed(shell: Shell) -> None:
    made = shell.json("identity", "new", "bob")
    assert made["algorithm"] == "ed25519"
    assert Principal.parse(made["principal"])
    assert shell.json("identity", "show", "bob") == made
    assert shell.json("identity", "list") == {"identities": [made]}
    assert shell.run("identity", "list", "-q").stdout == "bob\n"
    assert shell.run("identity", "principal", "--identity", "bob").stdout.strip() == made["principal"]
    assert made["principal"] in shell.run("identity", "list").stdout


def test_an_identity_travels_as_pem(shell: Shell, tmp_path: Path) -> None:
    made = shell.json("identity", "new", "bob", "--algorithm", "secp256k1")
    exported = shell.run("identity", "export", "bob").stdout
    assert str(Identity.from_pem(exported.encode()).principal) == made["principal"]
    (tmp_path / "bob.pem").write_text(exported)
    assert (
        shell.json("identity", "import", "again", str(tmp_path / "bob.pem"))["principal"] == made["principal"]
    )


def test_wrong_input_is_a_clear_error(shell: Shell, tmp_path: Path) -> None:
    assert "error: there is no identity 'bob'" in shell.run("identity", "show", "bob", code=1).stderr
    assert "cannot name an identity" in shell.run("identity", "new", "../bob", code=1).stderr
    assert (
        "Invalid value for '--algorithm'"
        in shell.run("identity", "new", "x", "--algorithm", "rsa", code=2).stderr
    )
    (tmp_path / "noise.pem").write_text("noise")
    assert (
        "no PEM private key"
        in shell.run("identity", "import", "x", str(tmp_path / "noise.pem"), code=1).stderr
    )
    assert shell.run("identity", "list", "-q").stdout == ""


def test_nothing_is_overwritten(shell: Shell) -> None:
    made = shell.json("identity", "new", "bob")
    shell.run("identity", "new", "bob", code=1)
    assert shell.json("identity", "show", "bob") == made
