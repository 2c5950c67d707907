"""One test per finding of the adversarial review of the client: each failed before its fix."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from leasehold.artifacts import ArtifactError, fetch
from leasehold.cli.output import Output
from leasehold.models import Artifact
from leasehold.roles import renter
from tests.leasehold.story import ADAPTER, Story
from tests.leasehold.world import World


def test_a_result_is_opened_by_what_the_subnet_certifies_not_by_what_one_node_said(tmp_path: Path) -> None:
    """Found: the result's place, hash and sealed identity came from a query, whose answer one node alone
    signs; sealing needs only public keys, so that node could hand over an adapter of its own making.
    """
    story = Story.open(World(tmp_path))
    rental = story.rent()
    story.work(rental.id)
    accepted = story.renter.marketplace.accept_result(rental.id)
    assert accepted.result is not None
    forged = accepted.result.model_copy(update={"location": "https://example.org/forged.age"})
    told = accepted.model_copy(update={"result": forged})
    names = renter.download_result(story.renter, told, tmp_path / "adapter", tmp_path / "opened")
    assert set(names) == set(ADAPTER)


def test_other_people_s_text_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """Found: reasons and errors reached the terminal with their escape sequences; tables did not."""
    output = Output()
    output.line({}, "failed: \x1b[2Jpaid")
    output.note("failed: \x1b]0;title\x07")
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "paid" in captured.out


def test_a_record_s_redirect_reaches_no_service_of_this_machine(tmp_path: Path) -> None:
    """Found: redirects were followed wherever they led, so a publisher could have a worker ask services that
    only its own machine or network can reach.
    """
    asked: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/internal")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        location = f"http://127.0.0.1:{server.server_port}/model.age"
        artifact = Artifact(location=location, size=10, sha256=bytes(32), sealed_identity=b"s")
        with pytest.raises(ArtifactError, match="no https URL of another machine"):
            fetch(None, artifact, tmp_path / "model.age")  # type: ignore[arg-type]
        server.shutdown()
        thread.join()
    assert asked == ["/model.age"]
    assert list(tmp_path.iterdir()) == []
