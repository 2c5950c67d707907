"""The longest answers fit what the network lets a query answer."""

import json
from typing import Any

from cdk.candid import Codec
from tests.marketplace.simulation import Simulation, person

MAX_QUERY_REPLY_BYTES = 3 * 1024 * 1024
WIDE = "\U0001f600"


def encoded(market: Simulation, method: str, answer: Any) -> int:
    return len(Codec(market.market.loaded.methods.METHODS[method].results).encode([answer]))


def test_a_page_of_the_largest_rentals_and_listings_fits_an_answer() -> None:
    """Found: a hundred rentals with long metrics, reasons and attestations made `my_rentals` trap."""
    market = Simulation()
    market.open_market()
    large = {"location": "https://" + "x" * 1_016, "sealed_identity": bytes(1_024)}
    listing = {
        **market.listing_args(),
        "title": WIDE * 120,
        "description": WIDE * 4_000,
        "base_model": WIDE * 200,
        "artifact": {**market.artifact("model"), **large},
        "payees": [{"account": person(str(i)), "basis_points": 500} for i in range(20)],
    }
    market.listing = market.do("publisher", "publish_listing", listing)
    rental = market.create()
    session = market.attest(rental)
    artifact = {**market.artifact("adapter"), **large}
    market.do(session, "submit_checkpoint", rental, artifact)
    metrics = json.dumps({"a": "x" * 16_000})
    market.do(session, "submit_result", {"rental": rental, "artifact": artifact, "metrics": metrics})
    market.do("renter", "dispute_result", rental, WIDE * 2_000)
    (listed,) = market.ask("renter", "my_rentals", None, 100)
    assert listed["attestation"]["claims"] == []
    assert market.do("renter", "get_rental", rental)["attestation"]["claims"]
    assert encoded(market, "my_rentals", [listed] * 100) < MAX_QUERY_REPLY_BYTES
    assert encoded(market, "listings", [market.listing] * 100) < MAX_QUERY_REPLY_BYTES
