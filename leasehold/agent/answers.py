"""What the network answered to a call or query, once it is verified.

Source: IC interface specification, "HTTPS interface".
"""

from collections.abc import Mapping
from typing import Any

from leasehold.agent.certificate import Certificate, decode_leb128
from leasehold.agent.errors import AnswerTimeoutError, NetworkError, RejectedError
from leasehold.agent.request import SignedRequest


def status_reply(certificate: Certificate, request: SignedRequest) -> bytes | None:
    """The certified reply to a call; `None` while there is none yet.

    Raises:
        RejectedError, AnswerTimeoutError
    """
    path = (b"request_status", request.request_id)
    status = certificate.lookup(*path, b"status")
    if status == b"replied":
        return certificate.require(*path, b"reply")
    if status == b"rejected":
        code = decode_leb128(certificate.require(*path, b"reject_code"))
        message = certificate.require(*path, b"reject_message").decode(errors="replace")
        error_code = certificate.lookup(*path, b"error_code")
        raise RejectedError(code, message, error_code.decode(errors="replace") if error_code else None)
    if status == b"done":
        raise AnswerTimeoutError("the call was executed, but its reply is no longer kept by the network")
    return None


def query_reply(fields: Mapping[str, Any]) -> bytes:
    """The reply in the answer to a query.

    Raises:
        RejectedError, NetworkError
    """
    match fields:
        case {"status": "replied", "reply": {"arg": bytes() as arg}}:
            return arg
        case {"status": "rejected"}:
            raise rejection(fields, certified=True)
    raise NetworkError("the answer to the query is neither a reply nor a rejection")


def rejection(fields: Mapping[str, Any], *, certified: bool) -> RejectedError:
    """The rejection in an answer.

    Raises:
        NetworkError: it gives no reason.
    """
    code, message = fields.get("reject_code"), fields.get("reject_message")
    error_code = fields.get("error_code")
    if not isinstance(code, int) or not isinstance(message, str):
        raise NetworkError("the node rejected the call without a reason")
    return RejectedError(
        code, message, error_code if isinstance(error_code, str) else None, certified=certified
    )
