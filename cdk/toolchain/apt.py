"""Debian's package tools without root: apt with its own state and entries made of the machine's."""

import re
import shutil
from pathlib import Path

from cdk.toolchain.pins import SUITE
from cdk.toolchain.process import Runner, ToolchainError

APT_FOLDER = Path("/etc/apt")
REMEDY = (
    "Put the pinned source archives (cdk/toolchain/pins.py) into a folder and name it in LEASEHOLD_SOURCES,"
    " or build on a machine whose /etc/apt lists a Debian archive."
)


def source_entries(apt_folder: Path = APT_FOLDER) -> str:
    """deb822 `deb-src` entries of the pinned suite, at the Debian archives that the machine already uses.

    Raises: ToolchainError if the machine lists no Debian archive.
    """
    archives: dict[str, str] = {}  # address → signing options
    for path in sorted([*apt_folder.glob("sources.list.d/*.sources")]):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            archives.update(_deb822_archives(stanza))
    for path in sorted([apt_folder / "sources.list", *apt_folder.glob("sources.list.d/*.list")]):
        if path.is_file():
            for line in path.read_text().splitlines():
                archives.update(_line_archives(line))
    if not archives:
        raise ToolchainError(f"{apt_folder} lists no Debian archive to take the sources from. {REMEDY}")
    return "\n".join(
        f"Types: deb-src\nURIs: {address}\nSuites: {SUITE}\nComponents: main\n{options}\n"
        for address, options in archives.items()
    )


def _is_archive(address: str) -> bool:
    """Debian's main archive, however mirrored; security and other archives lack the pinned suite."""
    return address.rstrip("/").endswith("/debian")


def _deb822_archives(stanza: str) -> dict[str, str]:
    fields = {}
    for line in stanza.splitlines():
        if (match := re.match(r"([A-Za-z-]+):\s*(.*)", line)) and not line.startswith("#"):
            fields[match[1].lower()] = match[2].strip()
    if "main" not in fields.get("components", "").split() or fields.get("enabled", "yes").lower() == "no":
        return {}
    options = f"Signed-By: {fields['signed-by']}\n" if fields.get("signed-by") else ""
    return {address: options for address in fields.get("uris", "").split() if _is_archive(address)}


def _line_archives(line: str) -> dict[str, str]:
    match = re.match(
        r"deb(?:-src)?\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<address>\S+)\s+\S+\s+(?P<components>.*)", line
    )
    if not match or "main" not in match["components"].split() or not _is_archive(match["address"]):
        return {}
    signed = re.search(r"signed-by=(\S+)", match["options"] or "")
    return {match["address"]: f"Signed-By: {signed[1]}\n" if signed else ""}


def download_sources(packages: list[str], work: Path, runner: Runner) -> None:
    """Download the source packages into `work`."""
    ensure_apt()
    environment = _own_state(work, source_entries())
    runner.run("fetching the list of Debian sources", ["apt-get", "update"], work, environment)
    command = ["apt-get", "source", "--download-only", *packages]
    runner.run(f"downloading {', '.join(packages)}", command, work, environment)


def download_binaries(packages: list[str], work: Path, result: Path, runner: Runner) -> None:
    """Download the machine's own version of binary packages and unpack them into `result`."""
    ensure_apt()
    environment = _own_state(work, None)
    runner.run("fetching the list of Debian packages", ["apt-get", "update"], work, environment)
    runner.run(f"downloading {', '.join(packages)}", ["apt-get", "download", *packages], work, environment)
    for package in sorted(work.glob("*.deb")):
        runner.run(f"unpacking {package.name}", ["dpkg-deb", "-x", package, result], work)


def ensure_apt() -> None:
    """Raises ToolchainError where there is no apt."""
    if not shutil.which("apt-get"):
        raise ToolchainError(f"apt-get is not installed, so the sources cannot be downloaded. {REMEDY}")


def _own_state(work: Path, entries: str | None) -> dict[str, str]:
    """Environment that gives apt its state under `work`, and `entries` (None: the machine's) as sources."""
    for folder in ("state/lists/partial", "cache/archives/partial", "entries"):
        (work / folder).mkdir(parents=True)
    (work / "state/status").touch()
    lines = [
        f'Dir::State "{work}/state";',
        f'Dir::State::status "{work}/state/status";',
        f'Dir::Cache "{work}/cache";',
        'Acquire::Languages "none";',
        'APT::Sandbox::User "";',
    ]
    if entries is not None:
        (work / "entries/leasehold.sources").write_text(entries)
        lines += ['Dir::Etc::sourcelist "/dev/null";', f'Dir::Etc::sourceparts "{work}/entries";']
    configuration = work / "apt.conf"
    configuration.write_text("\n".join(lines) + "\n")
    return {"APT_CONFIG": str(configuration), "LC_ALL": "C"}
