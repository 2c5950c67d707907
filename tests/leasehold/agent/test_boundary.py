import httpx
import pytest

from leasehold.agent import NetworkError
from leasehold.agent.boundary import MAX_ANSWER_BYTES, MAX_PAUSE_S, Boundary, is_loopback, pauses


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4943",
        "http://127.9.9.9",
        "http://[::1]:80",
        "http://localhost:8000",
        "http://abc.localhost:8000",
        "http://localhost.",
    ],
)
def test_what_is_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://localhost.example.com",
        "http://notlocalhost",
        "http://0.0.0.0",
        "http://192.168.0.1",
        "https://icp-api.io",
        "nonsense",
        "",
    ],
)
def test_what_is_not(url: str) -> None:
    assert not is_loopback(url)


def test_pauses_double_up_to_a_bound() -> None:
    found = list(pauses(10, 0.5))
    assert found[:4] == [0.5, 1.0, 2.0, 4.0]
    assert found[4:9] == [MAX_PAUSE_S] * 5
    assert found[9] is None


@pytest.mark.parametrize(("size", "fits"), [(MAX_ANSWER_BYTES, True), (MAX_ANSWER_BYTES + 1, False)])
def test_an_answer_is_bounded(size: int, fits: bool) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=bytes(size)))
    boundary = Boundary("http://127.0.0.1:1", transport=transport)
    if fits:
        assert len(boundary.get("/").body) == size
    else:
        with pytest.raises(NetworkError, match="longer than"):
            boundary.get("/")
