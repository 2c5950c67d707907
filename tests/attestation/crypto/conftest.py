"""Every test of signatures is run with both backends: whatever the pure code says, OpenSSL must say too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attestation.crypto.backend import PURE, select
from attestation.crypto.openssl import OpenSsl

BACKENDS = {"pure": PURE, "openssl": OpenSsl()}


@pytest.fixture(scope="module", params=list(BACKENDS), autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of the backend that computes."""
    before = select(BACKENDS[request.param])
    yield request.param
    select(before)
