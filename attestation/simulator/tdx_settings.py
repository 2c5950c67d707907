"""What a simulated TDX platform and its vendor claim, and how that can be made wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RTMRS = tuple(hashlib.sha384(b"leasehold simulated RTMR %d" % index).digest() for index in range(4))


@dataclass(frozen=True)
class TdxSettings:
    """The defaults are a platform that the `simulated` policy accepts; each other value is a fault to test.

    `tcb_info` and `qe_identity` replace members of Intel's statements; `revoked` names certificates that the
    lists hold (``pck``, ``pck_ca``, ``tcb_signing``). `statement_age_s` is how long before "now" statements
    and lists were issued, `statement_life_s` how long they hold.
    """

    version: int = 4
    body_1_5: bool = False
    attributes: int = 1 << 28
    rtmrs: tuple[bytes, ...] = RTMRS
    service_td: bytes = bytes(48)
    tee_tcb_svn: tuple[int, ...] = (6, 1, 3) + (0,) * 13
    module_signer: bytes = bytes(48)
    module_attributes: bytes = bytes(8)
    components: tuple[int, ...] = (3, 3, 2, 2, 4, 1, 0, 5) + (0,) * 8
    pce_svn: int = 13
    pce_id: bytes = bytes(2)
    fmspc: bytes = bytes.fromhex("b0c06f000000")
    qe_misc_select: int = 0
    qe_attributes: bytes = bytes.fromhex("15000000000000000000000000000000")
    qe_signer: bytes = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")
    qe_product: int = 2
    qe_security_version: int = 4
    qe_report_data: bytes = b""
    tcb_info: Mapping[str, Any] = field(default_factory=dict)
    qe_identity: Mapping[str, Any] = field(default_factory=dict)
    revoked: tuple[str, ...] = ()
    statement_age_s: int = 3_600
    statement_life_s: int = 30 * 86_400
