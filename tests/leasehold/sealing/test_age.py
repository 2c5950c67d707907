import subprocess
from pathlib import Path
from shutil import which

import pytest

from leasehold.sealing import SealingError, hash_file, open_file, open_secret, seal_file, seal_secret
from leasehold.vetkeys import VetKeyError, ibe_encrypt
from tests.leasehold.vetkeys.test_vetkeys import INPUT, PUBLIC_KEY, VETKEY

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def clear(tmp_path: Path) -> Path:
    path = tmp_path / "clear"
    path.write_bytes(CONTENT)
    return path


def test_a_sealed_file_opens_again(clear: Path, tmp_path: Path) -> None:
    sealed = seal_file(clear, tmp_path / "sealed.age")
    assert sealed.path.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert (sealed.size, sealed.sha256) == (sealed.path.stat().st_size, hash_file(sealed.path))
    assert sealed.secret not in repr(sealed)

    open_file(sealed.path, tmp_path / "opened", sealed.secret, size=sealed.size, sha256=sealed.sha256)
    assert (tmp_path / "opened").read_bytes() == CONTENT
    assert (tmp_path / "opened").stat().st_mode & 0o077 == 0


def test_each_file_has_its_own_secret(clear: Path, tmp_path: Path) -> None:
    first, second = (seal_file(clear, tmp_path / name) for name in ("1", "2"))
    assert first.secret != second.secret
    with pytest.raises(SealingError, match="cannot be opened"):
        open_file(first.path, tmp_path / "opened", second.secret)


def test_an_empty_file_can_be_sealed(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    sealed = seal_file(tmp_path / "empty", tmp_path / "sealed")
    open_file(sealed.path, tmp_path / "opened", sealed.secret)
    assert (tmp_path / "opened").read_bytes() == b""


@pytest.mark.parametrize("at", [0, 30, 150, 200, 70_000, -1])
def test_a_damaged_file_leaves_nothing_behind(clear: Path, tmp_path: Path, at: int) -> None:
    sealed = seal_file(clear, tmp_path / "sealed")
    damaged = bytearray(sealed.path.read_bytes())
    damaged[at] ^= 1
    sealed.path.write_bytes(damaged)
    with pytest.raises(SealingError):
        open_file(sealed.path, tmp_path / "opened", sealed.secret)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clear", "sealed"]


@pytest.mark.parametrize("length", [0, 10, 200, 65_536, -1])
def test_a_truncated_file_leaves_nothing_behind(clear: Path, tmp_path: Path, length: int) -> None:
    sealed = seal_file(clear, tmp_path / "sealed")
    sealed.path.write_bytes(sealed.path.read_bytes()[:length])
    with pytest.raises(SealingError):
        open_file(sealed.path, tmp_path / "opened", sealed.secret)
    assert not (tmp_path / "opened").exists()


def test_another_file_than_promised_is_not_opened(clear: Path, tmp_path: Path) -> None:
    sealed = seal_file(clear, tmp_path / "sealed")
    with pytest.raises(SealingError, match=f"has {sealed.size} bytes, the record says 5"):
        open_file(sealed.path, tmp_path / "opened", sealed.secret, size=5)
    with pytest.raises(SealingError, match="has SHA-256"):
        open_file(sealed.path, tmp_path / "opened", sealed.secret, sha256=bytes(32))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SealingError, match="nowhere cannot be sealed"):
        seal_file(tmp_path / "nowhere", tmp_path / "sealed")
    with pytest.raises(SealingError, match="nowhere cannot be read"):
        open_file(tmp_path / "nowhere", tmp_path / "opened", "")


@pytest.mark.parametrize("secret", ["", "AGE-SECRET-KEY-1", "nonsense"])
def test_what_is_no_secret_is_refused(clear: Path, tmp_path: Path, secret: str) -> None:
    sealed = seal_file(clear, tmp_path / "sealed")
    with pytest.raises(SealingError, match="no age identity"):
        open_file(sealed.path, tmp_path / "opened", secret)


def test_the_secret_travels_to_its_item_only(clear: Path, tmp_path: Path) -> None:
    sealed = seal_file(clear, tmp_path / "sealed")
    assert open_secret(VETKEY, seal_secret(sealed.secret, PUBLIC_KEY, INPUT)) == sealed.secret
    with pytest.raises(VetKeyError):
        open_secret(VETKEY, seal_secret(sealed.secret, PUBLIC_KEY, b"listing/other"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"no secret at all"])
def test_a_sealed_identity_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(SealingError):
        open_secret(VETKEY, ibe_encrypt(PUBLIC_KEY, INPUT, content))


@pytest.mark.skipif(which("age") is None, reason="the age tool is not installed")
def test_the_stock_tool_opens_it(clear: Path, tmp_path: Path) -> None:
    sealed = seal_file(clear, tmp_path / "sealed")
    (tmp_path / "key").write_text(sealed.secret)
    command = ["age", "--decrypt", "--identity", str(tmp_path / "key"), str(sealed.path)]
    assert subprocess.run(command, capture_output=True, check=True, timeout=30).stdout == CONTENT
