"""Pinned sources: where they come from, and what is refused. Nothing is downloaded here."""

import dataclasses
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from cdk.toolchain.apt import source_entries
from cdk.toolchain.pins import PYTHON, SourcePackage
from cdk.toolchain.process import Runner, ToolchainError
from cdk.toolchain.sources import FOLDER_VARIABLE, archive_path, ensure_sources, unpack

DEB822 = """\
# main
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://other.example/debian
Suites: x
Components: main
Enabled: no
"""


@pytest.fixture
def apt_folder(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_entries_follow_the_machines_archive_and_key(apt_folder: Path) -> None:
    (apt_folder / "sources.list.d/debian.sources").write_text(DEB822)
    assert source_entries(apt_folder) == (
        "Types: deb-src\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
    )


def test_one_line_entries_are_understood(apt_folder: Path) -> None:
    (apt_folder / "sources.list").write_text(
        "# deb http://commented.example/debian trixie main\n"
        "deb [arch=amd64 signed-by=/key.gpg] http://mirror.example/debian/ bookworm main contrib\n"
        "deb http://vendor.example/apt stable main\n"
    )
    entries = source_entries(apt_folder)
    assert "URIs: http://mirror.example/debian/\n" in entries and "Signed-By: /key.gpg\n" in entries
    assert "vendor" not in entries and "commented" not in entries


def test_a_machine_without_a_debian_archive_is_told_the_remedy(apt_folder: Path) -> None:
    with pytest.raises(ToolchainError, match=FOLDER_VARIABLE):
        source_entries(apt_folder)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourcePackage:
    """A source package of one file, given by folder; the cache is empty."""
    given = tmp_path / "given"
    given.mkdir()
    path = given / "thing.orig.tar.xz"
    with tarfile.open(path, "w:xz") as archive:
        entry = tarfile.TarInfo("thing-1/file.c")
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"old"))
    monkeypatch.setenv(FOLDER_VARIABLE, str(given))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return SourcePackage("thing", path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "thing-1")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "log", lambda text: None)


def test_a_given_archive_is_checked_kept_and_unpacked(
    package: SourcePackage, runner: Runner, tmp_path: Path
) -> None:
    ensure_sources([package], runner)
    assert archive_path(package).is_file()
    tree = unpack(package, tmp_path / "work", {"file.c": [("old", "new")]})
    assert (tree / "file.c").read_text() == "new"


def test_an_edit_that_does_not_fit_is_refused(package: SourcePackage, runner: Runner, tmp_path: Path) -> None:
    ensure_sources([package], runner)
    with pytest.raises(ToolchainError, match="exactly once"):
        unpack(package, tmp_path / "work", {"file.c": [("absent", "new")]})


def test_a_changed_archive_is_refused(package: SourcePackage, runner: Runner) -> None:
    other = dataclasses.replace(package, sha256="0" * 64)
    with pytest.raises(ToolchainError, match="do not use it"):
        ensure_sources([other], runner)
    assert not archive_path(other).exists()


def test_a_missing_archive_is_named(package: SourcePackage, runner: Runner) -> None:
    with pytest.raises(ToolchainError, match=r"nothing\.tar\.xz is not in"):
        ensure_sources([dataclasses.replace(package, file="nothing.tar.xz", sha256="1" * 64)], runner)


def test_pins_are_digests() -> None:
    assert len(bytes.fromhex(PYTHON.sha256)) == 32
