"""Intel's Provisioning Certification Service, version 4: TCB info, enclave identity, revocation lists."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from attestation.certificate_chain import parse_chain
from attestation.collateral import Collateral
from attestation.crl import parse_crl
from attestation.intel.pck import CHAIN_LENGTH, certificates_of_pem, read_platform
from attestation.intel.qe_identity import parse_qe_identity
from attestation.intel.quote import parse_quote
from attestation.intel.tcb_info import parse_tcb_info
from tee_worker.evidence.pem import certificates_of_pem as certificates_of_header
from tee_worker.vendors.services import HOUR_S, Question, Service

TCB_CHAIN = "tcb-info-issuer-chain"
IDENTITY_CHAIN = "sgx-enclave-identity-issuer-chain"
CLAIM = "cpu.chain"


def collateral(service: Service, address: str, root_list: str, quote: bytes) -> Collateral:
    """What Intel says about the platform of a TDX quote."""
    chain = parse_chain(certificates_of_pem(parse_quote(quote).pck_chain, CLAIM), CHAIN_LENGTH, CLAIM)
    family = read_platform(chain[0], f"{CLAIM}[0]").fmspc.hex()
    authority = "platform" if "Platform" in chain[1].subject.common_name else "processor"
    tdx, sgx = f"{address}/tdx/certification/v4", f"{address}/sgx/certification/v4"
    tcb_info = service.ask(Question(f"{tdx}/tcb?fmspc={family}", HOUR_S, _tcb_info, (TCB_CHAIN,)))
    identity = service.ask(Question(f"{tdx}/qe/identity", HOUR_S, _identity, (IDENTITY_CHAIN,)))
    lists = (
        service.ask(Question(root_list, HOUR_S, _list)).body,
        service.ask(Question(f"{sgx}/pckcrl?ca={authority}&encoding=der", HOUR_S, _list)).body,
    )
    chains = (
        unquote_to_bytes(tcb_info.headers[TCB_CHAIN]),
        unquote_to_bytes(identity.headers[IDENTITY_CHAIN]),
    )
    signers = dict.fromkeys(certificates_of_header(text, address)[0] for text in chains)
    return Collateral(
        crls=lists,
        tcb_infos=(tcb_info.body.strip(),),
        qe_identities=(identity.body.strip(),),
        certificates=tuple(signers),
    )


def _tcb_info(body: bytes) -> None:
    parse_tcb_info(body.strip(), "TCB info")


def _identity(body: bytes) -> None:
    parse_qe_identity(body.strip(), "enclave identity")


def _list(body: bytes) -> None:
    parse_crl(body, "revocation list")
