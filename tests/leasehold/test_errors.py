import pytest

from leasehold import errors
from leasehold.errors import CanisterError, EvidenceRefused, InsufficientBalance, unwrap


def test_ok_is_unwrapped() -> None:
    assert unwrap("get", {"Ok": 5}) == 5
    assert unwrap("set_paused", {"Ok": None}) is None


@pytest.mark.parametrize(
    ("kind", "details", "text", "code"),
    [
        ("NotFound", {"kind": "rental", "id": "7"}, "get: there is no rental '7'", 1),
        ("NotAuthorized", {"required": "the renter"}, "get: not authorised: this needs the renter", 4),
        ("InvalidState", {"current": "queued", "allowed": ["running"]}, "'queued', only in running", 1),
        ("InvalidState", {"current": "failed", "allowed": []}, "only in no state", 1),
        (
            "InvalidArgument",
            {"field": "fee", "value": "-1", "problem": "too low"},
            "fee = '-1' is refused",
            2,
        ),
        ("PriceAboveMaximum", {"price": 9, "maximum": 5}, "price 9 is above the maximum 5", 1),
        ("DeadlinePassed", {"deadline": 10**9, "now": 3 * 10**9}, "passed 2.0 s ago", 3),
        ("LedgerRefused", {"kind": "TooOld", "message": "m"}, r"refused \(TooOld\): m", 1),
        (
            "Unavailable",
            {"service": "vetkd", "message": "busy"},
            "vetkd is not available: busy; try again",
            1,
        ),
        ("Incomplete", {"missing": 3}, "3 chunks are missing", 1),
        ("QuotaExceeded", {"used": 1, "limit": 2, "requested": 3}, "QuotaExceeded: used 1, limit 2", 1),
        ("HashMismatch", {"index": 1, "expected": b"\x01", "found": b"\x02"}, "expected 01, found 02", 1),
        ("SomethingNew", {"why": "x"}, "SomethingNew: why 'x'", 1),
    ],
)
def test_err_is_raised_by_its_name(kind: str, details: dict[str, object], text: str, code: int) -> None:
    with pytest.raises(CanisterError, match=text) as raised:
        unwrap("get", {"Err": {kind: details}})
    assert (raised.value.kind, raised.value.exit_code) == (kind, code)
    assert type(raised.value) is getattr(errors, kind, CanisterError)


def test_the_fields_of_an_error_are_attributes() -> None:
    error = InsufficientBalance("create_rental", "InsufficientBalance", {"available": 5, "required": 12})
    assert (error.available, error.required) == (5, 12)
    assert "leasehold account deposit 7" in str(error)
    with pytest.raises(AttributeError):
        _ = error.nothing


@pytest.mark.parametrize(("kind", "code"), [("SignatureInvalid", 5), ("PolicyRefused", 7)])
def test_refused_evidence_is_told_from_a_policy_s_refusal(kind: str, code: int) -> None:
    details = {"kind": kind, "message": "m", "claims": []}
    assert EvidenceRefused("submit_attestation", "EvidenceRefused", details).exit_code == code
