"""Genuine evidence that public package registries serve, so that every clone can test with it.

Nothing of it is in this repository. `python -m tests.genuine_packages` fetches what is missing with the
registries' own clients (pip, apt) into the user's cache folder, under its pinned SHA-256; tests read it from
there and are skipped, with a reason, where it is absent.

| package, all Apache-2.0 | what is in it |
|---|---|
| PyPI `nv-local-gpu-verifier` 2.7.3 | an H100's report and chain, 26 reference manifests, both roots |
| Debian `golang-github-google-go-sev-guest` 0.13.0 | a Milan's report (debug mode), VCEK, AMD's authorities |
| Debian `golang-github-google-go-tdx-guest` 0.3.1 | a TDX quote; Intel's statements and lists of June 2023 |
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from attestation import GpuEvidence
from cdk.errors import CdkError
from cdk.toolchain.apt import download_sources
from cdk.toolchain.cache import cache_root
from cdk.toolchain.process import Runner, ToolchainError
from tests.pem import certificates_of_pem

TIMEOUT_S = 180


@dataclass(frozen=True)
class Package:
    """A package and the one file of it that is read: `client` is who fetches it, ``pip`` or ``apt``."""

    client: str
    name: str
    file: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the cache keeps the file."""
        return cache_root() / "downloads" / self.sha256 / self.file


NVIDIA = Package(
    "pip",
    "nv-local-gpu-verifier==2.7.3",
    "nv_local_gpu_verifier-2.7.3-py3-none-any.whl",
    "27259ce3d828ca102db17f4b70c7b85c1882a55f99153eb706fcb1866db0fe7a",
)
AMD = Package(
    "apt",
    "golang-github-google-go-sev-guest",
    "golang-github-google-go-sev-guest_0.13.0.orig.tar.gz",
    "5826c45a22d2208d8c0d1cec66f27f42af94aeb7bce3b61b12e4ad267b12ef94",
)
INTEL = Package(
    "apt",
    "golang-github-google-go-tdx-guest",
    "golang-github-google-go-tdx-guest_0.3.1.orig.tar.gz",
    "1eae6354382d53c9ee10f4641ea044315de35a61c696b548e827b068090c9696",
)
PACKAGES = (NVIDIA, AMD, INTEL)


def fetch_missing() -> dict[str, str]:
    """Fetch what the cache lacks; answers the packages that could not be had, and why."""
    problems = {}
    for client in ("pip", "apt"):
        missing = [package for package in PACKAGES if package.client == client and not package.path.is_file()]
        if missing:
            root = cache_root() / "downloads"
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="fetching-", dir=root) as work:
                problem = (_pip if client == "pip" else _apt)(missing, Path(work))
                for package in missing:
                    refused = _keep(package, Path(work), problem)
                    if refused:
                        problems[package.name] = refused
    return problems


def _pip(packages: list[Package], work: Path) -> str:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1"]
    command += ["--disable-pip-version-check", "--dest", str(work), *(package.name for package in packages)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"pip: {error}"
    return "" if done.returncode == 0 else f"pip: {done.stderr.strip().splitlines()[-1]}"


def _apt(packages: list[Package], work: Path) -> str:
    # Only the pinned archive counts: a mirror may lack the description that apt fetches beside it.
    try:
        download_sources(
            [package.name for package in packages], work, Runner(work / "log", lambda line: None)
        )
    except (CdkError, ToolchainError) as error:
        return str(error).partition(". The log is ")[0]
    return ""


def _keep(package: Package, work: Path, problem: str) -> str:
    found = work / package.file
    if not found.is_file():
        return problem or f"{package.file} is not what the registry serves any more"
    actual = hashlib.sha256(found.read_bytes()).hexdigest()
    if actual != package.sha256:
        return f"{package.file} has SHA-256 {actual}, expected {package.sha256}"
    package.path.parent.mkdir(parents=True, exist_ok=True)
    partial = package.path.with_suffix(f".{os.getpid()}.partial")
    shutil.copyfile(found, partial)
    partial.rename(package.path)
    return ""


@cache
def _content(package: Package) -> dict[str, bytes]:
    """The archive's files by their path below its top folder."""
    if package.file.endswith(".whl"):
        with zipfile.ZipFile(package.path) as archive:
            return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    with tarfile.open(package.path) as archive:
        streams = {entry.name: archive.extractfile(entry) for entry in archive if entry.isfile()}
        return {name.partition("/")[2]: stream.read() for name, stream in streams.items() if stream}


def missing(package: Package) -> str:
    """Why tests with the package are skipped; empty when it is there."""
    return (
        ""
        if package.path.is_file()
        else f"{package.file} is not in {package.path.parent}: run `make genuine`"
    )


def hopper() -> GpuEvidence:
    """Report and chain of an H100."""
    content = _content(NVIDIA)
    report = bytes.fromhex(content["samples/hopperAttestationReport.txt"].decode("ascii").strip())
    return GpuEvidence(report, certificates_of_pem(content["samples/hopperCertChain.txt"].decode("ascii")))


def manifests() -> dict[str, bytes]:
    """Reference manifests by file name."""
    return {
        path.rpartition("/")[2]: data for path, data in _content(NVIDIA).items() if path.endswith(".swidtag")
    }


def nvidia_root(name: str) -> bytes:
    """DER of ``device`` root or ``RIM`` root."""
    return certificates_of_pem(_content(NVIDIA)[f"certs/verifier_{name}_root.pem"].decode("ascii"))[0]


def authorities(product: str) -> bytes:
    """ASK and ARK of a product, PEM."""
    return _content(AMD)[f"verify/trust/ask_ark_{product}.pem"]


def milan(under: str = "milan") -> tuple[bytes, tuple[bytes, ...]]:
    """Report and chain of a Milan in debug mode, under its own or other products' authorities."""
    content, above = _content(AMD), certificates_of_pem(authorities(under).decode("ascii"))
    return content["verify/testdata/attestation.bin"], (content["verify/testdata/vcek.testcer"], *above)


def tdx() -> tuple[bytes, bytes, dict[str, str]]:
    """Quote, what its file has after the quote, and Intel's collateral of June 2023 in the exchange form."""
    content = _content(INTEL)
    file = content["testing/testdata/tdx_prod_quote_SPR_E4.dat"]
    end = 636 + int.from_bytes(file[632:636], "little")
    # The issuer chains stand as headers of recorded answers, percent-encoded, in the tests' source.
    source = content["testing/test_cases.go"].decode("utf-8")
    chains = [urllib.parse.unquote(text) for text in re.findall(r'"(-----BEGIN[^"]*)"', source)]
    tcb_info, tcb_info_signature = _split(content["testing/testdata/sample_tcbInfo_response"], "tcbInfo")
    identity, signature = _split(content["testing/testdata/sample_qeIdentity_response"], "enclaveIdentity")
    collateral = {
        "root_ca_crl": content["testing/testdata/rootcrl.der"].hex(),
        "pck_crl": content["testing/testdata/pckcrl"].hex(),
        "pck_crl_issuer_chain": chains[0],
        "tcb_info_issuer_chain": chains[1],
        "tcb_info": tcb_info,
        "tcb_info_signature": tcb_info_signature,
        "qe_identity_issuer_chain": chains[2],
        "qe_identity": identity,
        "qe_identity_signature": signature,
    }
    return file[:end], file[end:], collateral


def _split(statement: bytes, member: str) -> tuple[str, str]:
    """The member's text and the signature, of a statement as Intel serves it."""
    text = statement.decode("ascii").strip()
    at = text.rindex(',"signature":"')
    return text[len(f'{{"{member}":') : at], text[at + len(',"signature":"') : -2]


if __name__ == "__main__":
    for name, problem in fetch_missing().items():
        print(f"{name} could not be fetched, tests with its evidence are skipped: {problem}")
