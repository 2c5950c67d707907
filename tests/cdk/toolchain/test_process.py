"""Build commands, stages and digests."""

import sys
from pathlib import Path

import pytest

from cdk.toolchain.cache import KEPT_PER_STAGE, Recipe, digest_of, forget_old, keep, kept, locked
from cdk.toolchain.process import Runner, ToolchainError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "leasehold/runtime").mkdir(parents=True)
    return tmp_path / "leasehold/runtime"


def test_a_failed_command_names_its_log_and_shows_its_end(tmp_path: Path) -> None:
    titles: list[str] = []
    runner = Runner(tmp_path / "log", titles.append)
    runner.run("fine", [sys.executable, "-c", "print('hello')"], tmp_path)
    with pytest.raises(ToolchainError, match=r"broken: .* failed \(3\).*/log; it ends with:\n(.*\n)*  why$"):
        runner.run("broken", [sys.executable, "-c", "print('why'); exit(3)"], tmp_path)
    assert titles == ["fine", "broken"]
    assert "hello" in (tmp_path / "log").read_text()


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="no-such-tool cannot be run"):
        Runner(tmp_path / "log", print).run("step", ["no-such-tool"], tmp_path)


def test_a_stage_is_made_once_and_only_whole(cache: Path) -> None:
    made: list[str] = []

    def make(work: Path, result: Path) -> None:
        made.append("made")
        (result / "file").write_text("x")
        if len(made) == 1:
            raise ToolchainError("first time")

    with pytest.raises(ToolchainError):
        keep("stage", "d1", make)
    assert list(cache.iterdir()) == []
    for _ in range(2):
        assert (keep("stage", "d1", make) / "file").read_text() == "x"
    assert made == ["made", "made"]


def test_only_the_latest_stages_are_kept(cache: Path) -> None:
    (cache / "building-stage-killed").mkdir()
    for number in range(KEPT_PER_STAGE + 2):
        keep("stage", str(number), lambda work, result: None)
    keep("stage2", "other", lambda work, result: None)
    forget_old("stage")
    assert kept("stage", str(KEPT_PER_STAGE + 1)).is_dir() and kept("stage2", "other").is_dir()
    assert len(list(cache.iterdir())) == KEPT_PER_STAGE + 1


def test_the_lock_is_taken_and_given_back() -> None:
    waited: list[bool] = []
    for _ in range(2):
        with locked(lambda: waited.append(True)):
            pass
    assert waited == []


def test_digests_follow_content_and_boundaries(tmp_path: Path) -> None:
    assert digest_of(["ab", "c"]) != digest_of(["a", "bc"])
    path = tmp_path / "file"
    path.write_text("1")
    before = digest_of([path])
    path.write_text("2")
    assert digest_of([path]) != before


def test_a_recipes_comments_do_not_count(tmp_path: Path) -> None:
    digests = []
    for text in (
        '"""Doc."""\n# why\nX = 1\n',
        "X = 1",
        'def f():\n    """Doc."""\n    return 2\nX = 1',
        "X = 2",
    ):
        (tmp_path / "recipe.py").write_text(text)
        digests.append(digest_of([Recipe(str(tmp_path / "recipe.py"))]))
    assert digests[0] == digests[1] and len(set(digests)) == 3
