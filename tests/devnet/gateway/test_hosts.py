"""Which site a Host header names."""

import pytest

from devnet.gateway.hosts import Site, hostname, site_of

CANISTER = bytes(7) + b"\x05\x01\x01"


@pytest.fixture(scope="module")
def text() -> str:
    from devnet.principal import principal_text

    return principal_text(CANISTER)


def test_a_canisters_host_names_it_in_any_case_and_with_any_port(text: str) -> None:
    for host in (f"{text}.localhost", f"{text}.localhost:4943", f"{text.upper()}.LOCALHOST:80"):
        assert site_of(host) == Site(CANISTER, raw=False)
    assert site_of(f"{text}.raw.localhost:4943") == Site(CANISTER, raw=True)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "localhost:4943",
        "127.0.0.1:4943",
        "id.ai.localhost",
        "[::1]:80",
        "raw.localhost",
        "x.localhost",
    ],
)
def test_other_hosts_name_no_canister(host: str) -> None:
    assert site_of(host) is None


def test_what_only_looks_like_a_canister_is_none(text: str) -> None:
    user = "2vxsx-fae"
    for host in (
        text,
        f"{text}.example.com",
        f"{text}.other.localhost",
        f"a.{text}.localhost",
        f"{user}.localhost",
    ):
        assert site_of(host) is None


def test_a_hostname_loses_its_port_only() -> None:
    assert hostname("ID.ai.localhost:8000") == "id.ai.localhost"
    assert hostname("[::1]") == "[::1]"
