import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leasehold.sealing import PackingError, pack_folder, unpack_archive
from leasehold.sealing.archive import MAX_NAME_CHARACTERS, ensure_names
from leasehold.sealing.ustar import MAX_FILES

FILES = {"config.json": b"{}", "model.safetensors": b"weights", "tokenizer/vocab.txt": b"a\nb\n"}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_folder_comes_out_as_it_went_in(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", FILES | {".gitattributes": b"hidden"})
    names = pack_folder(folder, tmp_path / "model.tar")
    assert names == tuple(sorted(FILES))
    assert unpack_archive(tmp_path / "model.tar", tmp_path / "out") == names
    assert read(tmp_path / "out") == FILES


def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    for number, order in enumerate((list(FILES), list(reversed(FILES)))):
        folder = write(tmp_path / str(number), {name: FILES[name] for name in order})
        (folder / "config.json").chmod(0o700)
        pack_folder(folder, tmp_path / f"{number}.tar")
    assert (tmp_path / "0.tar").read_bytes() == (tmp_path / "1.tar").read_bytes()
    with tarfile.open(tmp_path / "0.tar") as archive:
        assert {(entry.mtime, entry.mode, entry.uid, entry.type) for entry in archive} == {
            (0, 0o644, 0, tarfile.REGTYPE)
        }


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("pytorch_model.bin", "pickle"),
        ("optimizer.pt", "pickle"),
        ("weights.PTH", "pickle"),
        ("state.pkl", "pickle"),
        ("last.ckpt", "pickle"),
        ("head.joblib", "pickle"),
        ("modeling_custom.py", "is code"),
        ("run.sh", "is code"),
        ("model.onnx", "of no known kind"),
        ("data", "of no known kind"),
        ("x" * MAX_NAME_CHARACTERS + ".json", "longer than"),
    ],
)
def test_what_must_not_travel_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    folder = write(tmp_path / "model", FILES | {name: b""})
    with pytest.raises(PackingError, match=problem):
        pack_folder(folder, tmp_path / "model.tar")


def test_a_link_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", FILES)
    (folder / "secret.json").symlink_to("/etc/hostname")
    with pytest.raises(PackingError, match=r"secret\.json is a link"):
        pack_folder(folder, tmp_path / "model.tar")


@pytest.mark.parametrize(
    ("kind", "files", "missing"),
    [
        ("model", {"config.json": b""}, r"needs \*\.safetensors"),
        ("model", {"model.safetensors": b""}, r"needs config\.json"),
        ("adapter", {"adapter_config.json": b""}, r"needs adapter_model\.safetensors"),
        ("model", {}, "found only nothing"),
    ],
)
def test_what_is_needed_must_be_there(
    tmp_path: Path, kind: str, files: dict[str, bytes], missing: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(PackingError, match=missing):
        pack_folder(write(tmp_path / "folder", files), tmp_path / "out.tar", kind)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackingError, match="is no folder"):
        pack_folder(tmp_path / "nowhere", tmp_path / "out.tar")


def archive_of(path: Path, *entries: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for entry in entries:
            archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return path


def named(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.linkname = target
    return entry


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (named("../evil.json"), "outside"),
        (named("/etc/evil.json"), "outside"),
        (named("a/../../evil.json"), "outside"),
        (named("a\\evil.json"), "outside"),
        (named("./evil.json"), "outside"),
        (named("config.json"), "twice"),
        (named("link.json", tarfile.SYMTYPE, "/etc/passwd"), "no ordinary file"),
        (named("link.json", tarfile.LNKTYPE, "config.json"), "no ordinary file"),
        (named("pipe.json", tarfile.FIFOTYPE), "no ordinary file"),
        (named("device.json", tarfile.CHRTYPE), "no ordinary file"),
        (named("folder.json", tarfile.DIRTYPE), "no ordinary file"),
        (named("evil.pkl"), "pickle"),
        (named("setup.py"), "is code"),
    ],
)
def test_a_hostile_archive_is_refused_before_anything_is_written(
    tmp_path: Path, entry: tarfile.TarInfo, problem: str
) -> None:
    archive = archive_of(tmp_path / "hostile.tar", entry)
    with pytest.raises(PackingError, match=problem):
        unpack_archive(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.tar"]


@pytest.mark.parametrize("length", [0, 100, 700])
def test_a_truncated_archive_is_refused(tmp_path: Path, length: int) -> None:
    archive = archive_of(tmp_path / "short.tar")
    archive.write_bytes(archive.read_bytes()[:length])
    with pytest.raises(PackingError):
        unpack_archive(archive, tmp_path / "out")


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bomb.tar", "w:gz") as archive:
        archive.addfile(named("config.json"), io.BytesIO(b""))
    with pytest.raises(PackingError, match="no tar archive"):
        unpack_archive(tmp_path / "bomb.tar", tmp_path / "out")


def test_existing_files_are_never_overwritten(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "model.tar")
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").write_text("untouched")
    (tmp_path / "out" / "config.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackingError, match="is there already"):
        unpack_archive(archive, tmp_path / "out")
    assert (tmp_path / "elsewhere").read_text() == "untouched"


def many(count: int) -> tuple[str, ...]:
    return ("config.json", *(f"{number}.safetensors" for number in range(count - 1)))


@pytest.mark.parametrize("check", [ensure_names])
def test_the_number_of_files_is_bounded(check: Callable[[tuple[str, ...], str], None]) -> None:
    check(many(MAX_FILES), "model")
    with pytest.raises(PackingError, match="files are too many"):
        check(many(MAX_FILES + 1), "model")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(PackingError, match="one of model, adapter"):
        ensure_names((), "cake")


# --- Findings: archives that stock readers are misled by ---


def header(name: str, size: bytes = b"00000000000\x00", kind: bytes = b"0") -> bytes:
    """A ustar header with fields as they are given, and the right checksum."""
    block = bytearray(512)
    block[0 : len(name)] = name.encode()
    block[124:136], block[148:156], block[156:157], block[257:265] = size, b" " * 8, kind, b"ustar\x0000"
    block[148:156] = b"%06o\x00 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "block",
    [
        header("size.json", b"\xff" * 12),
        header("size.json", b"\xff" * 11 + b"\x00"),
        header("size.json", b"\x80" + bytes(10) + b"\x01"),
        header("size.json", b"-0000000512\x00"),
        header("size.json", b"77777777777\x00"),
        header("pax", b"00000001000\x00", b"x"),
        header("pax", b"00000001000\x00", b"g"),
        header("pax", b"\xff" * 10 + b"\xfe\x00", b"x"),
        header("long", b"00000001000\x00", b"L"),
        header("sparse", b"00000001000\x00", b"S"),
        header("config.json").replace(b"0", b"1", 1),
        header("config.json").replace(b"ustar\x0000", b"ustar  \x00"),
    ],
)
def test_headers_that_pack_folder_never_writes_are_refused(tmp_path: Path, block: bytes) -> None:
    """Found: an extended header of negative length (base-256 numbers) raised a ValueError that ended the
    worker's daemon.
    """
    archive = archive_of(tmp_path / "hostile.tar")
    archive.write_bytes(block + archive.read_bytes())
    with pytest.raises(PackingError, match="no tar archive"):
        unpack_archive(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    """Found: it raised an OSError that ended the worker's daemon."""
    archive = archive_of(tmp_path / "hostile.tar", named("a.json"), named("a.json/b.json"))
    with pytest.raises(PackingError, match="both a file and a folder"):
        unpack_archive(archive, tmp_path / "out")


@pytest.mark.parametrize("name", ["\x1b[2J.json", "a\nb.json", "\u202egnp.json", "é.json"])
def test_file_names_are_printable_ascii(name: str) -> None:
    """Found: names reached logs and terminals as they were, control characters included."""
    with pytest.raises(PackingError, match="printable ASCII"):
        ensure_names((name, *many(2)), "model")


def test_a_file_that_is_too_large_for_a_header_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: tarfile's own error, which is no PackingError, came out."""
    monkeypatch.setattr("leasehold.sealing.archive.MAX_FILE_BYTES", 5)
    with pytest.raises(PackingError, match="several shards"):
        pack_folder(write(tmp_path / "model", FILES), tmp_path / "model.tar")
