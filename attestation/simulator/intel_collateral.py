"""What the simulated Intel says about simulated platforms: TCB info, enclave identity, revocation lists."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import Collateral
from attestation.intel.pccs import statement
from attestation.simulator.certificates import revoke
from attestation.simulator.development_pki import load_authority
from attestation.simulator.tdx_settings import TdxSettings

EVALUATION = 17
TCB_DATE = "2024-03-13T00:00:00Z"


def intel_collateral(tdx: TdxSettings, pck_serial: int, now_ns: int) -> Collateral:
    """Collateral that holds at `now_ns`, for a platform with these settings and PCK serial number."""
    issued = datetime.datetime.fromtimestamp(now_ns // 1_000_000_000, datetime.timezone.utc)  # noqa: UP017
    issued -= datetime.timedelta(seconds=tdx.statement_age_s)
    until = issued + datetime.timedelta(seconds=tdx.statement_life_s)
    dates = {"issueDate": _time(issued), "nextUpdate": _time(until)}
    root, pck_ca, signer = (load_authority(f"intel_{name}") for name in ("root", "pck_ca", "tcb_signing"))
    by_root = [
        authority.certificate.serial_number
        for name, authority in (("pck_ca", pck_ca), ("tcb_signing", signer))
        if name in tdx.revoked
    ]
    lists = (
        revoke(root.name, root.key, by_root, issued, until),
        revoke(pck_ca.name, pck_ca.key, [pck_serial] if "pck" in tdx.revoked else [77], issued, until),
    )
    return Collateral(
        crls=tuple(entry.public_bytes(Encoding.DER) for entry in lists),
        tcb_infos=(sign_statement("tcbInfo", {**tcb_info(tdx), **dates, **tdx.tcb_info}),),
        qe_identities=(sign_statement("enclaveIdentity", {**qe_identity(), **dates, **tdx.qe_identity}),),
        certificates=(signer.der,),
    )


def sign_statement(member: str, fields: Mapping[str, Any]) -> bytes:
    """A statement by the simulated TCB signer."""
    key = load_authority("intel_tcb_signing").key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    value = json.dumps(fields, separators=(",", ":"))
    r, s = decode_dss_signature(key.sign(value.encode("ascii"), ec.ECDSA(SHA256())))
    return statement(member, value, f"{r:064x}{s:064x}")


def tcb_info(tdx: TdxSettings) -> dict[str, Any]:
    """Members of a TCB info for the platform's family, with an up-to-date and an outdated level."""
    module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
    levels = [
        tcb_level((2, 2, 2, 2, 3, 1, 0, 5), 11, (5, 0, 2), "UpToDate"),
        tcb_level((2, 2, 2, 2, 3, 1, 0, 5), 5, (5, 0, 2), "OutOfDate"),
    ]
    return {
        "id": "TDX",
        "version": 3,
        "issueDate": "",
        "nextUpdate": "",
        "fmspc": tdx.fmspc.hex().upper(),
        "pceId": tdx.pce_id.hex().upper(),
        "tcbType": 0,
        "tcbEvaluationDataNumber": EVALUATION,
        "tdxModule": module,
        "tdxModuleIdentities": [
            {"id": "TDX_03", **module, "tcbLevels": [security_version(3, "UpToDate")]},
            {
                "id": "TDX_01",
                **module,
                "tcbLevels": [security_version(4, "UpToDate"), security_version(2, "OutOfDate")],
            },
        ],
        "tcbLevels": levels,
    }


def tcb_level(platform: tuple[int, ...], pce_svn: int, tdx: tuple[int, ...], status: str) -> dict[str, Any]:
    """One level of a TCB info; missing components are zero."""
    return {
        "tcb": {
            "sgxtcbcomponents": [{"svn": svn} for svn in platform + (0,) * (16 - len(platform))],
            "pcesvn": pce_svn,
            "tdxtcbcomponents": [{"svn": svn} for svn in tdx + (0,) * (16 - len(tdx))],
        },
        "tcbDate": TCB_DATE,
        "tcbStatus": status,
    }


def security_version(version: int, status: str) -> dict[str, Any]:
    """One level of an enclave's or module's list."""
    return {"tcb": {"isvsvn": version}, "tcbDate": TCB_DATE, "tcbStatus": status}


def qe_identity() -> dict[str, Any]:
    """Members of the identity of the TD quoting enclave."""
    return {
        "id": "TD_QE",
        "version": 2,
        "issueDate": "",
        "nextUpdate": "",
        "tcbEvaluationDataNumber": EVALUATION,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": "DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5",
        "isvprodid": 2,
        "tcbLevels": [security_version(4, "UpToDate"), security_version(2, "OutOfDate")],
    }


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
