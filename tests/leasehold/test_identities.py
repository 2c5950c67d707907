import os
import subprocess
from pathlib import Path

import pytest

from leasehold.agent import ALGORITHMS, Identity
from leasehold.errors import ConfigurationError
from leasehold.identities import MAX_PEM_BYTES, IdentityStore, home, read_pem
from tests.devnet.clients.npm_packages import install


def test_identities_are_stored_for_their_owner_only(tmp_path: Path) -> None:
    store = IdentityStore(tmp_path / "identities")
    made = Identity.generate()
    path = store.save("bob", made)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert store.load("bob").principal == made.principal
    assert store.names() == ["bob"]


def test_a_name_is_never_overwritten(tmp_path: Path) -> None:
    store = IdentityStore(tmp_path)
    store.save("bob", Identity.generate())
    with pytest.raises(ConfigurationError, match="'bob' already"):
        store.save("bob", Identity.generate())


@pytest.mark.parametrize("name", ["", "../bob", "a/b", ".hidden", "anonymous", "x" * 65, "a b"])
def test_a_name_stays_inside_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name an identity"):
        IdentityStore(tmp_path).save(name, Identity.generate())


def test_a_missing_identity_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="leasehold identity new carol"):
        IdentityStore(tmp_path).load("carol")
    assert IdentityStore(tmp_path).load("anonymous") == Identity.ANONYMOUS


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    store = IdentityStore(tmp_path)
    store.save("bob", Identity.generate()).chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        store.load("bob")


def test_the_folder_is_chosen_by_the_environment() -> None:
    assert home({"LEASEHOLD_HOME": "/a"}) == Path("/a")
    assert home({"XDG_CONFIG_HOME": "/b"}) == Path("/b/leasehold")
    assert home({}) == Path.home() / ".config" / "leasehold"


def test_a_file_to_import_is_bounded(tmp_path: Path) -> None:
    pem = Identity.generate().to_pem()
    (tmp_path / "key.pem").write_bytes(pem + b"\n" * (MAX_PEM_BYTES - len(pem)))
    read_pem(tmp_path / "key.pem")
    (tmp_path / "key.pem").write_bytes(pem + b"\n" * (MAX_PEM_BYTES - len(pem) + 1))
    with pytest.raises(ConfigurationError, match="too large"):
        read_pem(tmp_path / "key.pem")
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_pem(tmp_path / "nowhere")


def icp() -> Path:
    return install("icp") / "node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_icp_cli_reads_our_files_and_we_read_its(tmp_path: Path, algorithm: str) -> None:
    binary = icp()
    made = Identity.generate(algorithm)
    (tmp_path / "key.pem").write_bytes(made.to_pem())
    environment = os.environ | {"HOME": str(tmp_path), "DO_NOT_TRACK": "1"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(binary), "identity", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
            timeout=60,
        )
        return done.stdout

    run("import", "bob", "--storage", "plaintext", "--from-pem", str(tmp_path / "key.pem"))
    assert run("principal", "--identity", "bob").strip() == str(made.principal)
    assert Identity.from_pem(run("export", "bob").encode()).principal == made.principal
