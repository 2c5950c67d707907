"""Every kind of machine through the gate, on real modules; what vendors say is posted, evidence in steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from leasehold.models import AttestationRecord
from tee_worker.attempt import RunningAttempt
from tee_worker.evidence import SimulatedProvider
from tee_worker.supervisor import Supervisor
from tests.e2e.market import Market


class Machine:
    """A worker with a SIMULATED machine; `said` is what it told, `records` what was accepted."""

    def __init__(self, market: Market, folder: Path, provider: SimulatedProvider) -> None:
        self.said: list[str] = []
        self.records: list[AttestationRecord] = []
        self.supervisor = Supervisor(
            market.clients["worker"],
            market.offer.id,
            provider,
            folder,
            tell=self.said.append,
            should_stop=lambda: False,
        )

    def told(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in self.said)


def test_a_tdx_guest_fine_tunes(market: Market, tmp_path: Path) -> None:
    rental = market.rent()
    machine = Machine(market, tmp_path / "work", SimulatedProvider("tdx machine", cpu="tdx"))
    assert machine.supervisor.serve(once=True) == 1
    renter = market.clients["renter"].marketplace
    rental = renter.get_rental(rental.id)
    assert rental.status == "settling"
    assert rental.attestation is not None
    assert rental.attestation.cpu_kind == "tdx"
    assert {claim.verdict for claim in rental.attestation.claims} == {"valid"}
    assert machine.told("statements posted")
    held = {piece.kind for piece in renter.collateral()}
    assert {"tcb_infos", "qe_identities", "crls", "certificates"} <= held
    assert renter.accept_result(rental.id).status == "succeeded"


@pytest.mark.parametrize("cpu", ["sev-snp", "tdx"])
def test_a_whole_board_is_verified_in_steps(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpu: str
) -> None:
    rental = market.rent()
    machine = Machine(market, tmp_path / "work", SimulatedProvider("board", 8, 4, cpu))
    monkeypatch.setattr(RunningAttempt, "run", lambda self: machine.records.append(self.attest()))
    machine.supervisor.serve(once=True)
    (record,) = machine.records
    assert (len(record.gpus), len(record.switches), record.cpu_kind) == (8, 4, cpu)
    assert "topology" in {claim.name for claim in record.claims}
    assert machine.told("uploaded in", "parts")
    assert machine.told("verified", "signatures")
    renter = market.clients["renter"].marketplace
    assert renter.get_rental(rental.id).status == "running"
    assert renter.cancel_rental(rental.id).status == "cancelled"
