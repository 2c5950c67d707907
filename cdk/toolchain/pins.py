"""The sources and the compiler that the runtime is made of, pinned by content."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SourcePackage:
    """A Debian source package and the one file of it that is used: the upstream release, unchanged."""

    package: str
    file: str
    sha256: str
    folder: str  # what the archive unpacks to


SUITE = "trixie"
PYTHON = SourcePackage(
    package="python3.13",
    file="python3.13_3.13.5.orig.tar.xz",
    sha256="93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
    folder="Python-3.13.5",
)
SQLITE = SourcePackage(
    package="sqlite3",
    file="sqlite3_3.46.1.orig.tar.xz",
    sha256="d0cdd2ece271b29e7ce18095745d892517ee26d0f270065b3a25c2e9eb11639c",
    folder="sqlite3-3.46.1",
)
ZIG_VERSION = "0.17.0"  # of the PyPI package `ziglang`: clang, lld and a C library for wasm32-wasi
PYTHON_MINOR = "3.13"
